/**
 * The RPC interface of a topic's object. During each deploy, calls cross versions for some seconds: only add optional fields,
 * and optional parameters at the end. Callers may repeat each call.
 */
import type { Allowance, AllowanceRequest } from './allowance.ts';
import type { EventFilter, NewEvent } from './event.ts';
import type { Retention } from './retention.ts';
import type { DeliveryReport, SubscriptionRecord, SubscriptionTerms, Target } from './subscription.ts';

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

/** A subscription to create or to change. */
export interface SubscriptionRequest extends SubscriptionTerms {
	/** Where a new one begins. */
	readonly from: 'start' | 'now';
	readonly settings: TopicSettings;
	readonly allowance?: Allowance;
	readonly isUnlimited?: true;
}

/** A subscription with its place in the topic. */
export interface SubscriptionView {
	readonly record: SubscriptionRecord;
	/** The number of the topic's last event. */
	readonly lastSeq: number;
}

export type SubscriptionChange =
	| { readonly done: true; readonly isNew: boolean; readonly view: SubscriptionView }
	| { readonly done: false; readonly reason: 'too-many' }
	| { readonly done: false; readonly reason: 'no-allowance'; readonly request: AllowanceRequest };

/** A consumer's claim to serve a subscription. */
export interface ConsumerClaim {
	readonly name: string;
	readonly createdAt: number;
	/** Random: the same in all calls of one consumer. */
	readonly consumer: string;
}

/** What a consumer does next. */
export type DeliveryWork =
	| {
			readonly type: 'events';
			/** The events' JSON. */
			readonly events: readonly string[];
			/** The number up to which nothing is left to do after these events. */
			readonly upTo: number;
			/** The number of the first event's next try, from 1. */
			readonly attempt: number;
			/** Number of the topic's subscriptions that make jobs. Left out by an earlier version. */
			readonly taskSubscriptions?: number;
			readonly target: Target;
			readonly settings: TopicSettings;
	  }
	| { readonly type: 'wait'; readonly retryInMs: number }
	| { readonly type: 'nothing' };

export interface TopicObjectApi {
	/** Returns when the event is durable. */
	publish(publication: Publication): Promise<Published>;
	readEvents(request: PageRequest): Promise<EventPage>;
	/** The number of the last event; 0 before the first one. */
	lastSeq(): Promise<number>;
	/** Creates a subscription, or changes one of the same name. */
	putSubscription(request: SubscriptionRequest): Promise<SubscriptionChange>;
	listSubscriptions(): Promise<readonly SubscriptionView[]>;
	/** @returns whether there was one. */
	deleteSubscription(name: string): Promise<boolean>;
	/** Gives the next events to a consumer, unless another one has them. */
	startDelivery(claim: ConsumerClaim): Promise<DeliveryWork>;
	/** Takes a consumer's report, and gives it the next events if it wants more. */
	reportDelivery(claim: ConsumerClaim, report: DeliveryReport, wantsMore: boolean): Promise<DeliveryWork>;
}
