/**
 * Serves a topic's subscription: takes its next events, delivers them in their order, and reports how far it came. The topic's object
 * gives the events to one consumer at a time. A consumer that dies has delivered events that it did not report, and the next consumer
 * delivers them again.
 */
import type { SubscriptionMessage } from '../core/job/message.ts';
import type { Report } from '../core/job/object-api.ts';
import type { TopicEvent } from '../core/topic/event.ts';
import { SUBSCRIPTION_TURN_MS } from '../core/topic/limits.ts';
import { GAP_TYPE } from '../core/topic/names.ts';
import type { DeliveryReport, GivenUpEvent, Target } from '../core/topic/subscription.ts';
import { createJob, type JobDependencies } from './create-job.ts';
import type { Delivered, DeliveryPage, SubscribedEvent } from './delivered.ts';
import { type ReceiverDependencies, sendToReceiver } from './send-to-receiver.ts';

export type SubscriptionDependencies = JobDependencies & ReceiverDependencies;

export async function serveSubscription(
	dependencies: SubscriptionDependencies,
	{ id, subscription: name, createdAt }: SubscriptionMessage,
): Promise<Report> {
	const { topics } = dependencies;
	if (!topics?.isId(id)) return {};
	const claim = { name, createdAt, consumer: crypto.randomUUID() };
	const endsAt = Date.now() + SUBSCRIPTION_TURN_MS;
	const deliverOne = (event: TopicEvent, work: DeliveryPage) =>
		deliverEvent(dependencies, { event, topicId: id, claim, work });
	let work = await topics.call(id, (topic) => topic.startDelivery(claim));
	while (work.type === 'events') {
		const report = await deliverPage(work, deliverOne, endsAt);
		const wantsMore = Date.now() < endsAt;
		work = await topics.call(id, (topic) => topic.reportDelivery(claim, report, wantsMore));
	}
	return work.type === 'wait' ? { retryInMs: work.retryInMs } : {};
}

/** Delivers the events in their order, until one fails or the time is over. */
async function deliverPage(
	work: DeliveryPage,
	deliverOne: (event: TopicEvent, work: DeliveryPage) => Promise<Delivered>,
	endsAt: number,
): Promise<DeliveryReport> {
	const counts = { delivered: 0, missed: 0, givenUp: [] as Omit<GivenUpEvent, 'at'>[] };
	let upTo = 0;
	for (const text of work.events) {
		if (upTo > 0 && Date.now() >= endsAt) return { ...counts, upTo };
		const event = JSON.parse(text) as TopicEvent;
		const { seq } = event;
		const { type, ...outcome } = await deliverOne(event, work);
		if (type === 'failed') {
			const attempt = upTo > 0 ? 1 : work.attempt;
			return { ...counts, upTo, failure: { ...outcome, seq, attempt } };
		}
		if (type === 'given up') counts.givenUp.push({ ...outcome, seq });
		else if (event.type === GAP_TYPE) counts.missed += missedEvents(event);
		else counts.delivered++;
		upTo = seq;
	}
	return { ...counts, upTo: work.upTo };
}

function deliverEvent(dependencies: SubscriptionDependencies, subscribed: SubscribedEvent): Promise<Delivered> {
	const { target } = subscribed.work;
	return isWebhook(target)
		? sendToReceiver(dependencies, subscribed, target)
		: createJob(dependencies, subscribed, target);
}

function isWebhook(target: Target): target is Extract<Target, { type: 'webhook' }> {
	return target.type === 'webhook';
}

function missedEvents({ data }: TopicEvent): number {
	const { after, first } = data as { readonly after: number; readonly first: number };
	return Math.max(0, first - 1 - after);
}
