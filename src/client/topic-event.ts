/** The events of a topic. */
import type { TopicEvent as SentEvent } from '../core/topic/event.ts';

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
