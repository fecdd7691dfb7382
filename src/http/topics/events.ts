/** `GET /v1/topics/{topic}/events`: a WebSocket on request, a stream of events if `Accept` prefers it, else a page. */

import { STREAM_FETCH_EVENTS } from '../../core/topic/limits.ts';
import type { EventPage, PageRequest } from '../../core/topic/topic-api.ts';
import { PRIVATE } from '../job-response.ts';
import { Problem } from '../problem.ts';
import { readCursor, readLastEventId, readStreamCursor } from '../read/cursor.ts';
import { STREAM_HEADERS, streamOrPage } from '../read/events.ts';
import { isUpgrade, upgraded } from '../read/socket.ts';
import type { RequestContext } from '../request-context.ts';
import { BATCH, isFromNow, readEventFilter, readFrames, readLimit, wantsPlace } from './filter.ts';
import { topicStream } from './stream.ts';
import { type RequestedTopic, requestedTopic } from './topic.ts';

export async function topicEvents(context: RequestContext): Promise<Response> {
	const { request, url } = context;
	if (isUpgrade(request)) {
		const after = isFromNow(url) ? undefined : readCursor(url);
		const terms = { after, isBatched: readFrames(url) === BATCH, isPlaced: wantsPlace(url) };
		return upgraded(context, await openReader(requestedTopic(context), url, terms));
	}
	return streamOrPage(context, { streamed: topicStreamed, page: topicPage });
}

/** One page of JSON. `lastSeq` is the cursor of the next one. Without a cursor, the page begins with the first event. */
async function topicPage(context: RequestContext): Promise<Response> {
	const { url } = context;
	const topic = requestedTopic(context);
	const request = { limit: readLimit(url), filter: readEventFilter(url) };
	const page = isFromNow(url)
		? await readPlace(topic)
		: await readTopicPage(topic, { ...request, after: readCursor(url) ?? 0 });
	const more = page.hasMore ? ',"hasMore":true' : '';
	const body = `{"events":[${page.events.join(',')}],"lastSeq":${page.lastSeq}${more}}`;
	return new Response(body, { headers: { ...PRIVATE, 'content-type': 'application/json' } });
}

/** Server-sent events. A reader that is behind gets pages first, and then what comes. */
async function topicStreamed(context: RequestContext): Promise<Response> {
	const { request, url, waitUntil } = context;
	const topic = requestedTopic(context);
	const filter = readEventFilter(url);
	const source = {
		read: (after: number) => readTopicPage(topic, { after, limit: STREAM_FETCH_EVENTS, filter }),
		open: (after: number | undefined) => openReader(topic, url, { after, isPlaced: true }),
	};
	const after = isFromNow(url) ? readLastEventId(request) : readStreamCursor(request, url);
	const { body, done } = await topicStream(source, after);
	waitUntil(done);
	return new Response(body, { headers: STREAM_HEADERS });
}

function readTopicPage({ topics, id }: RequestedTopic, request: PageRequest): Promise<EventPage> {
	return topics.call(id, (topic) => topic.readEvents(request));
}

/** An empty page: its number is the place from which a reader goes on, by any transport. */
async function readPlace({ topics, id }: RequestedTopic): Promise<EventPage> {
	return { events: [], lastSeq: await topics.call(id, (topic) => topic.lastSeq()), hasMore: false };
}

interface ReaderTerms {
	readonly after: number | undefined;
	readonly isBatched?: boolean;
	/** The reader is told its place, too. */
	readonly isPlaced?: boolean;
}

/** @throws {Problem} `Overloaded` at the limit of readers. */
async function openReader(
	{ topics, id }: RequestedTopic,
	url: URL,
	{ after, isBatched = false, isPlaced = false }: ReaderTerms,
): Promise<WebSocket> {
	const { types = [], correlationId } = readEventFilter(url);
	const query = new URLSearchParams(types.map((type) => ['type', type]));
	if (correlationId !== undefined) query.set('correlationId', correlationId);
	if (after !== undefined) query.set('after', String(after));
	if (isBatched) query.set('frames', BATCH);
	if (isPlaced) query.set('place', '');
	const { webSocket } = await topics.connect(id, query);
	if (webSocket) return webSocket;
	throw new Problem('Overloaded', 'The topic has the maximum number of readers: read pages, or connect again later');
}
