/** Polling: the job's `Location`, and its `Operation-Location`. */
import { documentTag } from '../../core/job/document-tag.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import { StatusFlags } from '../../core/job/options.ts';
import { inQuery, zodFaults } from '../faults.ts';
import { documentResponse, isMatch } from '../job-response.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';
import { applied, readWaitSeconds, waitForJob } from './long-poll.ts';
import { readJob } from './reading.ts';
import { outcomeResponse } from './result.ts';

/** `GET /v1/operations/{id}`: always 200 with the document, for clients that read the job's status from the body. */
export async function operationStatus(context: RequestContext): Promise<Response> {
	const { view, headers } = await readAfterWait(context, false);
	return documentResponse(context, view, { headers: () => headers });
}

/** `GET /v1/jobs/{id}`: redirects to the result. Flags in the query select other conventions. */
export async function jobStatus(context: RequestContext): Promise<Response> {
	const { onPending, onComplete, onFailed } = parseFlags(context.url);
	const reading = await readAfterWait(context, onComplete === 'inline' || onFailed === 'error');
	const { view, headers } = reading;
	const plain = () => documentResponse(context, view, { headers: () => headers });
	switch (view.facts.status) {
		case 'succeeded':
			if (onComplete === 'inline') return outcomeResponse(context, reading, headers);
			if (onComplete === 'status') return plain();
			return documentResponse(context, view, {
				status: 303,
				headers: ({ links }) => ({ ...headers, location: links.result }),
			});
		case 'failed':
		case 'canceled':
			return onFailed === 'error' ? outcomeResponse(context, reading, headers) : plain();
		default:
			if (onPending !== 'accepted') return plain();
			// A 202 has a `Location` for the next poll, even when it is the same URL.
			return documentResponse(context, view, {
				status: 202,
				headers: ({ links }) => ({ ...headers, location: links.self }),
			});
	}
}

/** The job now, or after the client's wait. */
async function readAfterWait(
	context: RequestContext,
	withOutcome: boolean,
): Promise<FoundJob & { headers: Record<string, string> }> {
	const waitSeconds = readWaitSeconds(context.request);
	if (waitSeconds === undefined) return { ...(await readJob(context, withOutcome)), headers: {} };
	const said = await waited(context, waitSeconds);
	// The socket sends the job without its reply.
	const reading = said && !withOutcome ? said : await readJob(context, withOutcome);
	return { ...reading, headers: applied(waitSeconds) };
}

/** Without `If-None-Match`, waits for the end of the job; with it, for any change. */
async function waited(context: RequestContext, waitSeconds: number): Promise<FoundJob | undefined> {
	const ifNoneMatch = context.request.headers.get('if-none-match');
	if (ifNoneMatch === null) return waitForJob(context, { waitSeconds, until: 'end' });
	const known = ONE_OF_OURS.exec(ifNoneMatch.trim());
	if (known) {
		const [tag, seq] = known;
		return waitForJob(context, { after: Number(seq), tag, waitSeconds, until: 'change' });
	}
	const reading = await readJob(context, false);
	const { facts } = reading.view;
	const tag = documentTag(facts);
	if (!isMatch(ifNoneMatch, tag)) return reading;
	return waitForJob(context, { after: facts.seq, tag, waitSeconds, until: 'change' });
}

/** A single tag of a status document. The object compares it, which saves a call. */
const ONE_OF_OURS = /^W\/"(\d{1,15})-[0-9a-z]{1,14}"$/;

function parseFlags(url: URL): StatusFlags {
	const parsed = StatusFlags().safeParse(Object.fromEntries(url.searchParams));
	if (!parsed.success) throw invalidRequest('The query has invalid flags', zodFaults(parsed.error, inQuery));
	return parsed.data;
}
