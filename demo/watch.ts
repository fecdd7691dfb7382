/**
 * `npm run watch -- <job url>` shows a job's progress in the terminal. The URL is the `Location` of the submission's response,
 * with its token. Exits with 0 if the job succeeded, 1 if it did not, and 2 if it can't be watched.
 */
import { CoatcheckError, createClient, ProblemError, type StatusDocument } from '../src/client/index.ts';
import { endOfBar, note, progressBar } from './terminal.ts';

const CANNOT = 2;

async function main(url: string | undefined): Promise<number> {
	if (url === undefined || !URL.canParse(url)) {
		console.error('Expected the URL of a job: npm run watch -- <job url>');
		return CANNOT;
	}
	// Ctrl-C closes the connection and says that the job continues.
	const interrupt = new AbortController();
	process.once('SIGINT', () => interrupt.abort(new Error('Stopped watching; the job continues')));
	try {
		const job = await watch(url, interrupt.signal);
		return told(job);
	} catch (error) {
		if (!(error instanceof CoatcheckError || error instanceof TypeError || interrupt.signal.aborted)) throw error;
		console.error(`\n${(error as Error).message}`);
		if (error instanceof ProblemError && error.status === 401)
			console.error(
				"Expected the whole Location of the submission, because it contains the token. Quote it: '…?token=…'",
			);
		return CANNOT;
	}
}

async function watch(url: string, signal: AbortSignal): Promise<StatusDocument | undefined> {
	const job = createClient({ baseUrl: new URL(url).origin }).job(url);
	note(`Watching ${url}`);
	let last: StatusDocument | undefined;
	for await (const event of job.events({ after: 'now', signal })) {
		progressBar(event);
		last = event.job;
	}
	endOfBar();
	return last;
}

function told(job: StatusDocument | undefined): number {
	if (job?.status === 'succeeded') {
		console.log(`  The result: ${job.links.result}`);
		return 0;
	}
	console.log(`  ${job?.error?.code ?? job?.phase}: ${job?.error?.message ?? ''}`);
	return 1;
}

// Node keeps a socket open until the server closes it too, which may take seconds.
process.exit(await main(process.argv[2]));
