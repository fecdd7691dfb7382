/** Checks a topic's events as far as this client relies on them. */
import { isObject } from '../../core/http/json.ts';
import { parseResponseText, unexpected } from '../document.ts';
import { type TransportMessage, toMessage } from '../events/transport.ts';
import type { TopicItem } from '../topic-event.ts';

/** A page of a topic's events. */
export interface TopicPage {
	readonly events: readonly TopicItem[];
	/** The cursor of the next page. */
	readonly lastSeq: number;
	readonly hasMore: boolean;
}

/** Reads one event, an array of them, or the place of a reader that gets no event. @throws {ProtocolError} */
export function parseTopicFrame(text: string): readonly TransportMessage<TopicItem>[] {
	const value = parseResponseText(text);
	if (isObject(value) && Number.isSafeInteger(value.lastSeq)) return [{ type: 'place', after: Number(value.lastSeq) }];
	return (Array.isArray(value) ? value : [value]).map((one) => toMessage(parseTopicEvent(one)));
}

/** @throws {ProtocolError} when the value is not a page of events. */
export function parseTopicPage(value: unknown): TopicPage {
	if (!isObject(value) || !Array.isArray(value.events) || !Number.isSafeInteger(value.lastSeq))
		throw unexpected('a page of events with a lastSeq', value);
	const { lastSeq, hasMore } = value;
	return { events: value.events.map(parseTopicEvent), lastSeq: Number(lastSeq), hasMore: hasMore === true };
}

function parseTopicEvent(value: unknown): TopicItem {
	if (isObject(value) && Number.isSafeInteger(value.seq) && typeof value.type === 'string')
		return value as unknown as TopicItem;
	throw unexpected('an event with a seq and a type', value);
}
