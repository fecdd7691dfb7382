/** An event of a subscription, and how its delivery ended. */
import type { TopicEvent } from '../core/topic/event.ts';
import type { ConsumerClaim, DeliveryWork } from '../core/topic/topic-api.ts';

/** The events that a consumer has. */
export type DeliveryPage = Extract<DeliveryWork, { type: 'events' }>;

export interface SubscribedEvent {
	readonly event: TopicEvent;
	/** The id of the topic's object. */
	readonly topicId: string;
	readonly claim: ConsumerClaim;
	readonly work: DeliveryPage;
}

/** How a try to deliver one event ended. */
export type Delivered =
	| { readonly type: 'delivered' }
	/** A later try would fail, too. */
	| { readonly type: 'given up'; readonly reason: string }
	| { readonly type: 'failed'; readonly code?: number; readonly reason?: string; readonly retryAfterMs?: number };
