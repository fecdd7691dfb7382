import type { TopicEvent } from '../../../src/client/index.ts';

/** An event with its text: to parse it rounds large numbers. */
export type ShownEvent = TopicEvent & { readonly text: string };

export function readEvent(text: string): ShownEvent {
	return { ...(JSON.parse(text) as TopicEvent), text };
}

/** What an event's text says from its data on; empty for an event without data. */
export function dataText({ text }: Pick<ShownEvent, 'text'>): string {
	const at = text.indexOf('"data":');
	return at < 0 ? '' : text.slice(at + '"data":'.length, -1);
}

/** The newest events that a page shows. */
export const MAX_SHOWN_EVENTS = 200;

/** The events with more of them, the newest first. */
export function withTopicEvents(before: readonly ShownEvent[], more: readonly ShownEvent[]): readonly ShownEvent[] {
	return [...more.toReversed(), ...before].slice(0, MAX_SHOWN_EVENTS);
}
