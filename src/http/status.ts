/** Polling: the job's `Location`, and its `Operation-Location`. */
import type { Reading } from '../job/object-api.ts';
import { StatusFlags } from '../job/options.ts';
import { type Exchange, jobIdOf, missing } from './exchange.ts';
import { faultsOf, inQuery } from './faults.ts';
import { applied, waitForJob, waitSecondsOf } from './long-poll.ts';
import { documentResponse, etagOf, isMatch } from './respond.ts';
import { outcomeResponse } from './result.ts';
import { invalid } from './submission-options.ts';

/** `GET /v1/operations/{id}`: always 200 with the document, for clients that read the status and not the code. */
export async function operationStatus(exchange: Exchange): Promise<Response> {
	const { view, headers } = await readAfterWait(exchange, false);
	return documentResponse(exchange, view, 200, () => headers);
}

/** `GET /v1/jobs/{id}`: leads to the result. The flags in its query change how, for clients that want another dialect. */
export async function jobStatus(exchange: Exchange): Promise<Response> {
	const { onPending, onComplete, onFailed } = flagsOf(exchange.url);
	const reading = await readAfterWait(exchange, onComplete === 'inline' || onFailed === 'error');
	const { view, headers } = reading;
	const plain = () => documentResponse(exchange, view, 200, () => headers);
	switch (view.facts.status) {
		case 'succeeded':
			if (onComplete === 'inline') return outcomeResponse(exchange, reading, headers);
			if (onComplete === 'status') return plain();
			return documentResponse(exchange, view, 303, ({ links }) => ({ ...headers, location: links.result }));
		case 'failed':
		case 'canceled':
			return onFailed === 'error' ? outcomeResponse(exchange, reading, headers) : plain();
		default:
			if (onPending !== 'accepted') return plain();
			// A 202 says where to ask next, also when it is the same place.
			return documentResponse(exchange, view, 202, ({ links }) => ({ ...headers, location: links.self }));
	}
}

type Found = Extract<Reading, { found: 'job' }>;

/** The job as it is, or as it is when the client's wait is over. */
async function readAfterWait(
	exchange: Exchange,
	withOutcome: boolean,
): Promise<Found & { headers: Record<string, string> }> {
	const { request } = exchange;
	const reading = await read(exchange, withOutcome);
	const waitSeconds = waitSecondsOf(request);
	if (waitSeconds === undefined) return { ...reading, headers: {} };
	const headers = applied(waitSeconds);
	const { status, seq } = reading.view.facts;
	const ifNoneMatch = request.headers.get('if-none-match');
	const isNews = ifNoneMatch !== null && !isMatch(ifNoneMatch, etagOf(seq));
	if (isNews || (status !== 'pending' && status !== 'running')) return { ...reading, headers };
	await waitForJob(exchange, { after: seq, waitSeconds, until: ifNoneMatch === null ? 'end' : 'change' });
	return { ...(await read(exchange, withOutcome)), headers };
}

async function read(exchange: Exchange, withOutcome: boolean): Promise<Found> {
	const { jobs, principal } = exchange;
	const reading = await jobs.call(jobIdOf(exchange), (job) =>
		job.read(principal.tenant, withOutcome, principal.token?.createdAt),
	);
	if (reading.found !== 'job') throw missing(reading, principal);
	return reading;
}

function flagsOf(url: URL): StatusFlags {
	const parsed = StatusFlags.safeParse(Object.fromEntries(url.searchParams));
	if (!parsed.success) throw invalid('The flags are not valid', faultsOf(parsed.error, inQuery));
	return parsed.data;
}
