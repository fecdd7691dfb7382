/** `GET /v1/jobs/{id}/events`: a stream of events if `Accept` prefers it, else a page. */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import { statusDocument } from '../../core/job/document.ts';
import { jobLinks } from '../../core/job/links.ts';
import { preferredType } from '../accept.ts';
import { readerOf } from '../access/auth.ts';
import { createLinkBase, PRIVATE } from '../job-response.ts';
import { Problem, problemResponse, shown } from '../problem.ts';
import { missing, type RequestContext, readJobId, requestFacts } from '../request-context.ts';
import { readCursor, readStreamCursor } from './cursor.ts';
import { openFeed } from './feed.ts';
import { eventStream } from './sse.ts';

const STREAM = 'text/event-stream';

/** `no-transform`: compressing proxies would delay events. `no-store`: links in events carry tokens. */
export const STREAM_HEADERS = {
	'cache-control': 'private, no-store, no-cache, no-transform',
	// Clients with the old default charset for text would decode Latin-1.
	'content-type': `${STREAM}; charset=utf-8`,
	'x-accel-buffering': 'no',
} as const;

export async function jobEvents(context: RequestContext): Promise<Response> {
	return streamOrPage(context, { streamed, page });
}

/** The ways to read events over plain HTTP. */
interface EventForms {
	readonly streamed: (context: RequestContext) => Promise<Response>;
	readonly page: (context: RequestContext) => Promise<Response>;
}

/** The form that `Accept` prefers. */
export async function streamOrPage(context: RequestContext, forms: EventForms): Promise<Response> {
	const accept = context.request.headers.get('accept');
	const type = preferredType(accept, [JSON_TYPE, STREAM], STREAM);
	const respond = type === STREAM ? forms.streamed : forms.page;
	const response = type === undefined ? notAcceptable(context, accept ?? '') : await respond(context);
	response.headers.append('vary', 'Accept');
	return response;
}

function notAcceptable(context: RequestContext, accept: string): Response {
	const message = `expected ${STREAM} or ${JSON_TYPE}, got: ${shown(accept)}`;
	const problem = new Problem('NotAcceptable', `Accept: ${message}`, { errors: [{ header: 'Accept', message }] });
	return problemResponse(problem, requestFacts(context));
}

/** Server-sent events (WHATWG HTML §9.2). A reader with the last event gets 204, which stops an `EventSource` for good. */
async function streamed(context: RequestContext): Promise<Response> {
	const { request, url } = context;
	const feed = await openFeed(context, readStreamCursor(request, url));
	if (!feed) return new Response(null, { status: 204, headers: PRIVATE });
	return new Response(eventStream(feed), { headers: STREAM_HEADERS });
}

/** One page of JSON. A job's history is bounded and fits one page. */
async function page(context: RequestContext): Promise<Response> {
	const { jobs, principal, url } = context;
	const after = readCursor(url) ?? 0;
	const id = readJobId(context);
	const found = await jobs.call(id, (job) => job.readEvents(readerOf(principal), { after }));
	if ('found' in found) throw missing(found, principal);
	const base = await createLinkBase(context, found.view);
	const links = jobLinks(id, base);
	const events = found.events.map((event) => ({ ...event, job: statusDocument(event.job, links, base) }));
	const headers = { ...PRIVATE, 'x-correlation-id': context.correlation.adopt(found.view.facts.correlationId) };
	return Response.json({ events, lastSeq: found.view.facts.seq }, { headers });
}
