/** Polling: the job's `Location`, and its `Operation-Location`. */
import { documentTag } from '../job/document-tag.ts';
import type { FoundJob } from '../job/object-api.ts';
import { StatusFlags } from '../job/options.ts';
import type { RequestContext } from './exchange.ts';
import { faultsOf, inQuery } from './faults.ts';
import { applied, waitForJob, waitSecondsOf } from './long-poll.ts';
import { readJob } from './reading.ts';
import { documentResponse, isMatch } from './respond.ts';
import { outcomeResponse } from './result.ts';
import { invalidRequest } from './submission-options.ts';

/** `GET /v1/operations/{id}`: always 200 with the document, for clients that read the job's status from the body. */
export async function operationStatus(exchange: RequestContext): Promise<Response> {
	const { view, headers } = await readAfterWait(exchange, false);
	return documentResponse(exchange, view, 200, () => headers);
}

/** `GET /v1/jobs/{id}`: redirects to the result. Flags in the query select other conventions. */
export async function jobStatus(exchange: RequestContext): Promise<Response> {
	const { onPending, onComplete, onFailed } = parseFlags(exchange.url);
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
			// A 202 has a `Location` for the next poll, even when it is the same URL.
			return documentResponse(exchange, view, 202, ({ links }) => ({ ...headers, location: links.self }));
	}
}

/** The job now, or after the client's wait. */
async function readAfterWait(
	exchange: RequestContext,
	withOutcome: boolean,
): Promise<FoundJob & { headers: Record<string, string> }> {
	const waitSeconds = waitSecondsOf(exchange.request);
	if (waitSeconds === undefined) return { ...(await readJob(exchange, withOutcome)), headers: {} };
	const said = await waited(exchange, waitSeconds);
	// The socket sends the job without its reply.
	const reading = said && !withOutcome ? said : await readJob(exchange, withOutcome);
	return { ...reading, headers: applied(waitSeconds) };
}

/** Without `If-None-Match`, waits for the end of the job; with it, for any change. */
async function waited(exchange: RequestContext, waitSeconds: number): Promise<FoundJob | undefined> {
	const ifNoneMatch = exchange.request.headers.get('if-none-match');
	if (ifNoneMatch === null) return waitForJob(exchange, { waitSeconds, until: 'end' });
	const known = ONE_OF_OURS.exec(ifNoneMatch.trim());
	if (known) {
		const [tag, seq] = known;
		return waitForJob(exchange, { after: Number(seq), tag, waitSeconds, until: 'change' });
	}
	const reading = await readJob(exchange, false);
	const { facts } = reading.view;
	const tag = documentTag(facts);
	if (!isMatch(ifNoneMatch, tag)) return reading;
	return waitForJob(exchange, { after: facts.seq, tag, waitSeconds, until: 'change' });
}

/** A single tag of a status document. The object compares it, which saves a call. */
const ONE_OF_OURS = /^W\/"(\d{1,15})-[0-9a-z]{1,14}"$/;

function parseFlags(url: URL): StatusFlags {
	const parsed = StatusFlags.safeParse(Object.fromEntries(url.searchParams));
	if (!parsed.success) throw invalidRequest('The query has invalid flags', faultsOf(parsed.error, inQuery));
	return parsed.data;
}
