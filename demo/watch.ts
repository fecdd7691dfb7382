/**
 * `npm run watch -- <job url>`: a job's progress in the terminal, from whatever is known of it: the `Location` that its
 * submission answered, with its token. Ends with the job: 0 when it succeeded, 1 when not, 2 when it can't be watched.
 */
import { CoatcheckError, createClient, ProblemError, type StatusDocument } from '../src/client/index.ts';
import { endOfBar, note, progressBar } from './terminal.ts';

const CANNOT = 2;

async function main(url: string | undefined): Promise<number> {
	if (url === undefined || !URL.canParse(url)) {
		console.error('Expected the URL of a job: npm run watch -- <job url>');
		return CANNOT;
	}
	// Ctrl-C closes what is open, and says so: the job goes on.
	const interrupt = new AbortController();
	process.once('SIGINT', () => interrupt.abort(new Error('Not watching any more; the job goes on')));
	try {
		const job = await watch(url, interrupt.signal);
		return told(job);
	} catch (error) {
		if (!(error instanceof CoatcheckError || error instanceof TypeError || interrupt.signal.aborted)) throw error;
		console.error(`\n${(error as Error).message}`);
		if (error instanceof ProblemError && error.status === 401)
			console.error(
				"Take the whole Location that the submission answered: its token lets you in. Quote it: '…?token=…'",
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

// Node holds on to a socket until the server lets go of it too, which may take it seconds.
process.exit(await main(process.argv[2]));
