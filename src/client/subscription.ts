/** The subscriptions of a topic: their requests and their documents. */
import { isObject } from '../core/http/json.ts';
import { unexpected } from './document.ts';

interface SharedOptions {
	/** Only events of these types. Default: all. */
	readonly types?: readonly string[];
	/** Where a new subscription begins: with the first event that is kept, or with the next one. Default: `now`. */
	readonly from?: 'start' | 'now';
}

/** Sends the events to a URL. */
export interface WebhookSubscriptionOptions extends SharedOptions {
	readonly webhook: {
		readonly url: string;
		/** Default: `standard`. */
		readonly format?: 'standard' | 'cloudevents';
	};
	readonly task?: never;
}

/** Makes a job of each event. */
export interface TaskSubscriptionOptions<Task extends string = string> extends SharedOptions {
	readonly task: Task;
	/** A template of the job's input: a text that begins with `$.` is a path into the event. Default: the event's data. */
	readonly input?: unknown;
	/** A template of the task's parameters. Default: none. */
	readonly parameters?: Readonly<Record<string, unknown>>;
	/** The topic that gets the end of each job. Default: none. */
	readonly replyTopic?: string;
	readonly webhook?: never;
}

export type SubscriptionOptions<Task extends string = string> =
	| WebhookSubscriptionOptions
	| TaskSubscriptionOptions<Task>;

/** An event that was not delivered, and never will be. Times are RFC 3339. */
export interface GivenUpEvent {
	readonly seq: number;
	readonly at: string;
	/** The receiver's status, if it answered. */
	readonly code?: number;
	/** The code of the error, for a task. */
	readonly reason?: string;
}

/** The last failed try of the next event. */
export interface FailedDelivery extends GivenUpEvent {
	/** Number of tries of this event. */
	readonly attempt: number;
	readonly nextAttemptAt: string;
}

/** A subscription at one moment. It has either a `webhook` or a `task`. */
export interface SubscriptionDocument {
	readonly name: string;
	readonly topic: string;
	/** The URL is without its query, which often holds a secret. */
	readonly webhook?: { readonly url: string; readonly format: 'standard' | 'cloudevents' };
	readonly task?: string;
	readonly input?: unknown;
	readonly parameters?: Readonly<Record<string, unknown>>;
	readonly replyTopic?: string;
	readonly types?: readonly string[];
	readonly createdAt: string;
	/** `disabled`: the receiver answered 410. `subscribe` enables it again. */
	readonly status: 'active' | 'failing' | 'disabled';
	/** The number of the last event that is done with. */
	readonly cursor: number;
	/** Number of events after the cursor. */
	readonly lag: number;
	readonly delivered: number;
	/** Number of events that the topic deleted before they were delivered. */
	readonly missed: number;
	/** There while the status is `failing`. */
	readonly failure?: FailedDelivery;
	/** Number of events that were given up, and the last of them. */
	readonly givenUp: { readonly count: number; readonly events: readonly GivenUpEvent[] };
}

/** @throws {ProtocolError} when the value is not a subscription. */
export function parseSubscription(value: unknown): SubscriptionDocument {
	const isSubscription = isObject(value) && typeof value.name === 'string' && Number.isSafeInteger(value.cursor);
	if (isSubscription && typeof value.status === 'string') return value as unknown as SubscriptionDocument;
	throw unexpected('a subscription with a name, a status and a cursor', value);
}

/** @throws {ProtocolError} when the value is not a list of subscriptions. */
export function parseSubscriptions(value: unknown): readonly SubscriptionDocument[] {
	if (isObject(value) && Array.isArray(value.subscriptions)) return value.subscriptions.map(parseSubscription);
	throw unexpected('a list of subscriptions', value);
}
