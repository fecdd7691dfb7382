/** The result resource: the response that a synchronous call would return. */
import { fileExtension } from '../../core/http/file-extension.ts';
import type { JobFacts } from '../../core/job/document.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import type { StoredReply } from '../../core/job/record.ts';
import { upstreamNameOf } from '../../core/job/upstream.ts';
import { download } from '../../rpc/download.ts';
import { jobRetryAfter, PRIVATE } from '../job-response.ts';
import { evaluateForRead, type Validators } from '../preconditions.ts';
import { failureResponse, Problem, problemResponse, RETRY_AFTER_SECONDS, shown } from '../problem.ts';
import { type RequestContext, requestFacts } from '../request-context.ts';
import { readJob } from './reading.ts';

/** `GET /v1/jobs/{id}/result`. */
export async function jobResult(context: RequestContext): Promise<Response> {
	return outcomeResponse(context, await readJob(context, true));
}

/** The stored reply, the stored failure, or a problem if there is neither. */
export function outcomeResponse(
	context: RequestContext,
	reading: FoundJob,
	headers: Record<string, string> = {},
): Response {
	const response = resultResponse(context, reading);
	for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
	return response;
}

function resultResponse(context: RequestContext, { view, outcome }: FoundJob): Response {
	const { facts } = view;
	context.correlation.adopt(facts.correlationId);
	if (outcome?.kind === 'reply') return replay(context, facts, outcome.reply);
	if (outcome && facts.error) return failureResponse(outcome.status, facts.error, requestFacts(context));
	if (facts.status === 'canceled') {
		const problem = new Problem('JobCanceled', 'The job was canceled: it has no result');
		return problemResponse(problem, requestFacts(context));
	}
	throw new Problem('ResultNotReady', 'The job is not finished: try again after Retry-After', {
		headers: jobRetryAfter(view),
	});
}

/** A result is untrusted content under our origin: a browser must neither guess its type nor run its scripts. */
export const UNTRUSTED = {
	'x-content-type-options': 'nosniff',
	'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
	// Any page may embed an image by its link, because the link grants access.
	'cross-origin-resource-policy': 'cross-origin',
} as const;

/**
 * The name under which a browser or curl saves the result, if its task gave none: `thumbnail.jpg` (RFC 6266). A reply of an upstream
 * stays as it came.
 */
function nameFile(headers: Headers, task: string, { status, body }: StoredReply): void {
	const extension = body && fileExtension(body.mediaType);
	if (extension === undefined || headers.has('content-disposition')) return;
	if (isSuccess(status) && upstreamNameOf(task) === undefined)
		headers.set('content-disposition', `inline; filename="${task}.${extension}"`);
}

function replay(
	{ request, jobs, correlation }: RequestContext,
	{ id, task }: Pick<JobFacts, 'id' | 'task'>,
	reply: StoredReply,
): Response {
	const headers = new Headers([...reply.headers]);
	nameFile(headers, task, reply);
	const own = { ...PRIVATE, ...UNTRUSTED, 'x-correlation-id': correlation.correlationId };
	for (const [name, value] of Object.entries(own)) headers.set(name, value);
	const { body, status } = reply;
	const isRead = request.method === 'GET' || request.method === 'HEAD';
	if (isRead && isSuccess(status)) {
		const validators = { etag: headers.get('etag'), lastModified: headers.get('last-modified') };
		const verdict = evaluateForRead(request.headers, validators);
		if (verdict === 'failed') throw resultChanged(validators);
		if (verdict === 'not-modified') {
			headers.delete('content-length');
			return new Response(null, { status: 304, headers });
		}
	}
	// Every 429 and 503 has `Retry-After`. An earlier request would only get the same reply.
	if ((status === 429 || status === 503) && !headers.has('retry-after'))
		headers.set('retry-after', String(RETRY_AFTER_SECONDS));
	if (!body) {
		// A stored reply to HEAD has a length, but no bytes for a GET.
		if (request.method !== 'HEAD') headers.delete('content-length');
		return new Response(null, { status, headers });
	}
	headers.set('content-type', body.mediaType);
	headers.set('content-length', String(body.sizeBytes));
	if (request.method === 'HEAD') return new Response(null, { status, headers });
	// With a known length, the client can show the download's progress.
	const { readable, writable } = new FixedLengthStream(body.sizeBytes);
	download(jobs, id, body)
		.pipeTo(writable)
		.catch(() => {
			// The reader disconnected, or the object was lost: the reader sees an incomplete body.
		});
	return new Response(readable, { status, headers });
}

/** Preconditions apply only to a successful response (RFC 9110 §13.2.1). */
function isSuccess(status: number): boolean {
	return status >= 200 && status < 300;
}

function resultChanged({ etag, lastModified }: Validators): Problem {
	const has = [etag && `ETag ${shown(etag)}`, lastModified && `Last-Modified ${shown(lastModified)}`].filter(Boolean);
	const detail = `The result does not match If-Match or If-Unmodified-Since: it has ${has.join(' and ') || 'neither ETag nor Last-Modified'}`;
	return new Problem('PreconditionFailed', detail);
}
