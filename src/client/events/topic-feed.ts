/** The events of one topic. They never end. */
import type { Http } from '../http.ts';
import { afterCursor } from '../job-urls.ts';
import { TOPIC_PAGE_EVENTS } from '../limits.ts';
import { parseTopicFrame, parseTopicPage } from '../parts/topic-page.ts';
import type { TopicItem } from '../topic-event.ts';
import type { Feed, Position, TransportMessage } from './transport.ts';

/** @param url of the topic's events, with the reader's filter. */
export function topicFeed(http: Http, url: string): Feed<TopicItem> {
	const socketUrl = new URL(url.replace(/^http/, 'ws'));
	// A reader that is far behind gets arrays of events many times as fast.
	socketUrl.searchParams.set('frames', 'batch');
	socketUrl.searchParams.set('place', 'true');
	return {
		socketUrl: socketUrl.href,
		streamUrl: url,
		parse: parseTopicFrame,
		isLast: () => false,
		loadPolling: async () => (position, signal) => byPages({ http, url }, position, signal),
	};
}

async function* byPages(
	{ http, url }: { readonly http: Http; readonly url: string },
	{ after }: Position,
	signal: AbortSignal,
): AsyncGenerator<TransportMessage<TopicItem>, void> {
	const pageUrl = new URL(afterCursor(url, after));
	pageUrl.searchParams.set('limit', String(TOPIC_PAGE_EVENTS));
	const { events, lastSeq, hasMore } = parseTopicPage(
		await http.json(await http.once({ url: pageUrl.href, signal }), signal),
	);
	for (const event of events) yield { type: 'event', event };
	yield { type: 'again', after: lastSeq, isHeld: hasMore };
}
