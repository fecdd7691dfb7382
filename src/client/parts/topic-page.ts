/** Checks a topic's events as far as this client relies on them. */
import { isObject } from '../../core/http/json.ts';
import { parseResponseText, unexpected } from '../document.ts';
import type { TopicItem } from '../topic-event.ts';

/** A page of a topic's events. */
export interface TopicPage {
	readonly events: readonly TopicItem[];
	/** The cursor of the next page. */
	readonly lastSeq: number;
	readonly hasMore: boolean;
}

/** Reads one event, or a frame with an array of them. @throws {ProtocolError} */
export function parseTopicEvents(text: string): readonly TopicItem[] {
	const value = parseResponseText(text);
	return Array.isArray(value) ? value.map(parseTopicEvent) : [parseTopicEvent(value)];
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
