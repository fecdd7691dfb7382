/**
 * The RPC interface of a topic's object. During each deploy, calls cross versions for some seconds: only add optional fields,
 * and optional parameters at the end. Callers may repeat each call.
 */
import type { Allowance, AllowanceRequest } from './allowance.ts';
import type { EventFilter, NewEvent } from './event.ts';
import type { Retention } from './retention.ts';

/** Whose topic it is, and what the deployment's settings say of it. */
export interface TopicSettings {
	readonly tenant: string;
	readonly topic: string;
	readonly retention: Retention;
}

/** An event that a client publishes. */
export interface Publication {
	/** Random. A call that is repeated has the same one. */
	readonly id: string;
	/** The call may have been made before. */
	readonly isRepeat?: true;
	readonly event: NewEvent;
	readonly settings: TopicSettings;
	/** Events of one key and one digest are one event, as long as the topic keeps it. */
	readonly idempotency?: { readonly key: string; readonly digest: string };
	/** The share of the tenant's quota that the topic has from now on. Left out by a caller that doesn't know it. */
	readonly allowance?: Allowance;
	/** The tenant has no quotas for topics. */
	readonly isUnlimited?: true;
}

export type Published =
	| { readonly published: true; readonly seq: number; readonly isReplay: boolean }
	| { readonly published: false; readonly reason: 'key-reused' }
	/** The topic needs this share of the tenant's quota first. */
	| { readonly published: false; readonly reason: 'no-allowance'; readonly request: AllowanceRequest };

export interface PageRequest {
	/** The number of the last event that the reader has. */
	readonly after: number;
	readonly limit: number;
	readonly filter: EventFilter;
}

export interface EventPage {
	/** The events' JSON. */
	readonly events: readonly string[];
	/** The reader continues after this number. Events up to it that are not in the page do not match the filter. */
	readonly lastSeq: number;
	/** There may be more events now. */
	readonly hasMore: boolean;
}

export interface TopicObjectApi {
	/** Returns when the event is durable. */
	publish(publication: Publication): Promise<Published>;
	readEvents(request: PageRequest): Promise<EventPage>;
	/** The number of the last event; 0 if there was none. */
	lastSeq(): Promise<number>;
}
