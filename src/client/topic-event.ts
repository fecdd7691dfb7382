/** The events of a topic, checked as far as this client relies on them. */
import { isObject } from '../core/http/json.ts';
import type { TopicEvent as SentEvent } from '../core/topic/event.ts';
import { parseResponseText, shownValue } from './document.ts';
import { ProtocolError } from './errors.ts';

/**
 * An event of a topic. `seq` increases by 1 from event to event, and is the same for all readers.
 *
 * @typeParam Data the type that the publisher promises. The server does not check it.
 */
export type TopicEvent<Data = unknown> = Omit<SentEvent, 'data'> & {
	/** `undefined` when the event has bytes (then `dataBase64` and `mediaType` are there) or no data at all. */
	readonly data?: Data;
};

/** The events after `data.after` are gone: the topic deleted them before the reader came. The reader continues with `data.first`. */
export interface TopicGap {
	readonly seq: number;
	readonly type: 'gap';
	readonly at: string;
	readonly data: { readonly after: number; readonly first: number };
}

/** An event, or the news that events are gone. {@link isGap} tells them apart. */
export type TopicItem<Data = unknown> = TopicEvent<Data> | TopicGap;

/**
 * Whether events are gone. No publisher can send an event of this type.
 *
 * @example
 * for await (const event of topic.events({ after })) {
 *   if (isGap(event)) console.warn(`missed the events ${event.data.after + 1} to ${event.data.first - 1}`);
 *   else handle(event.data);
 * }
 */
export function isGap(event: TopicItem): event is TopicGap {
	return event.type === 'gap';
}

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
		throw new ProtocolError(`Expected a page of events with a lastSeq, got: ${shownValue(value)}`);
	const { lastSeq, hasMore } = value;
	return { events: value.events.map(parseTopicEvent), lastSeq: Number(lastSeq), hasMore: hasMore === true };
}

function parseTopicEvent(value: unknown): TopicItem {
	if (isObject(value) && Number.isSafeInteger(value.seq) && typeof value.type === 'string')
		return value as unknown as TopicItem;
	throw new ProtocolError(`Expected an event with a seq and a type, got: ${shownValue(value)}`);
}
