/** Responses about a job: its document with the reader's links, and the matching headers. */
import { defined } from '../core/defined.ts';
import { type StatusDocument, statusDocument } from '../core/job/document.ts';
import { documentTag } from '../core/job/document-tag.ts';
import { retryAfterSeconds } from '../core/job/estimate.ts';
import { jobLinks, type LinkBase } from '../core/job/links.ts';
import type { JobView } from '../core/job/object-api.ts';
import { noteJobWait, usualWaitMs } from '../queue/pressure.ts';
import { linkTokens } from './access/auth.ts';
import { linkOrigin, type RequestContext } from './request-context.ts';
import { recordDuration, typicalMs } from './typical-duration.ts';

/** For all responses about a job: they contain one reader's links, and change at any time. */
export const PRIVATE = { 'cache-control': 'private, no-store' } as const;

/** The origin, tokens and flags of this reader's links. */
export function createLinkBase(
	context: RequestContext,
	view: {
		readonly facts: Pick<JobView['facts'], 'id' | 'createdAt'>;
		readonly readableUntil: number;
		readonly flags?: JobView['flags'];
	},
): LinkBase {
	const { principal, config } = context;
	const { read, cancel } = linkTokens(principal, view, config);
	return defined({
		origin: linkOrigin(context),
		token: read,
		cancelToken: cancel,
		mayCancel: principal.scopes.has('cancel'),
		seesWebhookPath: principal.token ? undefined : (true as const),
		flags: view.flags,
	});
}

export function statusDocumentFor(context: RequestContext, view: JobView): StatusDocument {
	const base = createLinkBase(context, view);
	return statusDocument(view.facts, jobLinks(view.facts.id, base), base);
}

export interface DocumentResponseOptions {
	/** Default: 200. */
	readonly status?: number;
	/** More headers. Default: none. */
	readonly headers?: (document: StatusDocument) => Record<string, string>;
}

/** The status document with its `ETag`, and `Retry-After` until the job is finished. */
export async function documentResponse(
	context: RequestContext,
	view: JobView,
	{ status = 200, headers = () => ({}) }: DocumentResponseOptions = {},
): Promise<Response> {
	const document = statusDocumentFor(context, view);
	const all = {
		...PRIVATE,
		etag: documentTag(view.facts),
		'x-correlation-id': context.correlation.adopt(document.correlationId),
		...jobRetryAfter(view),
		...headers(document),
	};
	const isRead = context.request.method === 'GET' || context.request.method === 'HEAD';
	const isKnown = isRead && status === 200 && isMatch(context.request.headers.get('if-none-match'), all.etag);
	return isKnown
		? new Response(null, { status: 304, headers: all })
		: Response.json(document, { status, headers: all });
}

/** 202: the job is durable. The headers link to its status. */
export function acceptedResponse(
	context: RequestContext,
	view: JobView,
	headers: Record<string, string> = {},
): Promise<Response> {
	const acceptedHeaders = ({ links, correlationId }: StatusDocument) => ({
		// The job's own id, even for a repeated request with a different one.
		'x-correlation-id': correlationId,
		location: links.self,
		'operation-location': links.operation,
		link: `<${links.operation}>; rel="status", <${links.events}>; rel="monitor"; type="text/event-stream"`,
		// A replay of a finished job needs no wait, but pollers expect `Retry-After`.
		'retry-after': jobRetryAfter(view)['retry-after'] ?? '1',
		...headers,
	});
	return documentResponse(context, view, { status: 202, headers: acceptedHeaders });
}

/** `Retry-After` for an unfinished job; no header for a finished one. */
export function jobRetryAfter({ facts, timing, lane }: JobView): Record<string, string> {
	const now = Date.now();
	const { waitedMs } = timing;
	if (facts.startedAt && waitedMs !== undefined)
		noteJobWait({ id: facts.id, lane, waitedMs, startedAt: Date.parse(facts.startedAt) }, now);
	if (facts.status !== 'pending' && facts.status !== 'running') {
		const { startedAt, finishedAt } = facts;
		if (startedAt && finishedAt) recordDuration({ id: facts.id, task: facts.task, startedAt, finishedAt });
		return {};
	}
	const isWaiting = timing.notBefore !== undefined;
	const { percentComplete } = facts;
	const { notBefore = now, progressAt, waitingSince } = timing;
	const wait = defined({
		status: isWaiting ? ('pending' as const) : ('running' as const),
		elapsedMs: isWaiting ? Math.max(0, now - notBefore) : now - waitingSince,
		untilStartMs: Math.max(0, notBefore - now),
		percentComplete,
		reportedMs: progressAt === undefined ? undefined : progressAt - waitingSince,
		usualMs: typicalMs(facts.task),
		usualWaitMs: usualWaitMs(lane, now),
	});
	return { 'retry-after': String(retryAfterSeconds(wait, Math.random())) };
}

/** Evaluates `If-None-Match` (RFC 9110 §13.1.2) by weak comparison. */
export function isMatch(header: string | null, etag: string): boolean {
	if (header === null) return false;
	const opaque = etag.replace(/^W\//, '');
	return header.split(',').some((candidate) => {
		const tag = candidate.trim().replace(/^W\//, '');
		return tag === '*' || tag === opaque;
	});
}
