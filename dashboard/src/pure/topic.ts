export interface TopicEvent {
	readonly seq: number;
	readonly type: string;
	readonly at: string;
	readonly correlationId?: string;
	readonly data?: unknown;
	/** Of an event of bytes, in place of `data`. */
	readonly dataBase64?: string;
	readonly mediaType?: string;
}

export interface Subscription {
	readonly name: string;
	readonly status: string;
	readonly task?: string;
	readonly webhook?: { readonly url: string };
	readonly cursor: number;
	readonly lag: number;
	readonly delivered: number;
	readonly missed: number;
	readonly givenUp: { readonly count: number };
	readonly failure?: { readonly reason?: string; readonly code?: number; readonly nextAttemptAt?: string };
}

/** The newest events that a page shows. */
export const MAX_SHOWN_EVENTS = 200;

/** The events with more of them, the newest first. */
export function withTopicEvents(before: readonly TopicEvent[], more: readonly TopicEvent[]): readonly TopicEvent[] {
	return [...more.toReversed(), ...before].slice(0, MAX_SHOWN_EVENTS);
}
