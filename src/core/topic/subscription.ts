/**
 * A subscription: its cursor in the topic, and its failures. It is served by one queue consumer at a time, which gets a lease, takes
 * the next events, and reports how far it came. Each function returns the record after one step.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { defined } from '../defined.ts';
import { doubledMs } from '../http/doubling-wait.ts';
import { MAX_WEBHOOK_TRIES, MAX_WEBHOOK_WAKES, WEBHOOK_WATCHDOG_MS } from '../job/limits.ts';
import type { WebhookFormat } from '../job/record.ts';
import { webhookRetryAt } from '../job/webhook.ts';
import { MAX_GIVEN_UP_SHOWN, SUBSCRIPTION_LEASE_MS } from './limits.ts';

/** The events go to a receiver. */
export interface WebhookTarget {
	readonly type: 'webhook';
	readonly url: string;
	readonly format: WebhookFormat;
	/** Of the source in CloudEvents. */
	readonly origin: string;
}

/** Each event becomes a job. */
export interface TaskTarget {
	readonly type: 'task';
	readonly task: string;
	/** A template of the input. Left out: the event's data is the input. */
	readonly input?: unknown;
	/** A template of the parameters. */
	readonly parameters?: Readonly<Record<string, unknown>>;
	/** The topic that gets the end of each job. */
	readonly replyTopic?: string;
	/** Of the jobs' links. */
	readonly origin: string;
}

export type Target = WebhookTarget | TaskTarget;

/** An event that was not delivered, and never will be. */
export interface GivenUpEvent {
	readonly seq: number;
	/** In milliseconds since the epoch. */
	readonly at: number;
	/** The receiver's status, if it answered. */
	readonly code?: number;
	/** The code of the error, for a task. */
	readonly reason?: string;
}

/** The last failed try of the next event. */
export interface FailedTry {
	readonly seq: number;
	/** Number of tries of this event. */
	readonly attempt: number;
	readonly at: number;
	readonly code?: number;
	readonly reason?: string;
	readonly nextAttemptAt: number;
}

/** Persisted: only add optional fields. Times are milliseconds since the epoch. */
export interface SubscriptionRecord {
	readonly version: 1;
	readonly name: string;
	readonly createdAt: number;
	readonly target: Target;
	readonly types?: readonly string[];
	/** The number of the last event that is done with. */
	readonly cursor: number;
	/** Number of delivered events. */
	readonly delivered: number;
	/** Number of events that the topic deleted before they were delivered. */
	readonly missed: number;
	/** Number of events that were given up, and the last of them. */
	readonly givenUp: number;
	readonly lastGivenUp: readonly GivenUpEvent[];
	readonly failed?: FailedTry;
	/** The receiver answered 410 Gone, and gets no more events. */
	readonly isDisabled?: true;
	/** The consumer that serves the subscription. Until then, no other one does. */
	readonly lease?: { readonly consumer: string; readonly until: number };
	/** When the watchdog looks again, after it has sent `wakes` messages in vain. */
	readonly checkAt?: number;
	readonly wakes?: number;
}

export interface SubscriptionTerms {
	readonly name: string;
	readonly target: Target;
	readonly types?: readonly string[];
}

/** @param cursor where a new subscription begins. */
export function newSubscription(
	{ name, target, types }: SubscriptionTerms,
	cursor: number,
	now: number,
): SubscriptionRecord {
	const counts = { cursor, delivered: 0, missed: 0, givenUp: 0, lastGivenUp: [] };
	return defined({ version: 1, name, createdAt: now, target, types, ...counts });
}

/** The same subscription with other terms. It keeps its cursor, and its receiver gets another chance at once. */
export function changedSubscription(
	before: SubscriptionRecord,
	{ target, types }: SubscriptionTerms,
): SubscriptionRecord {
	const { failed: _failed, isDisabled: _disabled, types: _types, checkAt: _at, wakes: _wakes, ...kept } = before;
	return defined({ ...kept, target, types });
}

export function isLeased({ lease }: SubscriptionRecord, now: number): boolean {
	return lease !== undefined && lease.until > now;
}

/** Time until the next event may be tried, in milliseconds. */
export function waitBeforeTry({ failed }: SubscriptionRecord, now: number): number {
	return Math.max(0, (failed?.nextAttemptAt ?? now) - now);
}

export function withLease(before: SubscriptionRecord, consumer: string, now: number): SubscriptionRecord {
	const { checkAt: _at, wakes: _wakes, ...record } = before;
	return { ...record, lease: { consumer, until: now + SUBSCRIPTION_LEASE_MS } };
}

export function withoutLease({ lease: _, ...record }: SubscriptionRecord): SubscriptionRecord {
	return record;
}

/** A consumer's report: how far it came, and the try at which it stopped. */
export interface DeliveryReport {
	/** The number of the last event that is done with. */
	readonly upTo: number;
	readonly delivered: number;
	/** Number of events that were gone. */
	readonly missed: number;
	/** Events that no further try can help. */
	readonly givenUp: readonly Omit<GivenUpEvent, 'at'>[];
	readonly failure?: {
		readonly seq: number;
		/** The number of the try, so that a repeated report counts once. */
		readonly attempt: number;
		readonly code?: number;
		readonly reason?: string;
		/** The receiver's `Retry-After`, in milliseconds. */
		readonly retryAfterMs?: number;
	};
}

const GONE = 410;

/** @param random in [0, 1). */
export function reportedDelivery(
	before: SubscriptionRecord,
	report: DeliveryReport,
	{ now, random }: { readonly now: number; readonly random: number },
): SubscriptionRecord {
	const record = report.upTo > before.cursor ? advanced(before, report, now) : before;
	const { failure } = report;
	if (!failure || failure.attempt !== (record.failed?.attempt ?? 0) + 1 || failure.seq <= record.cursor) return record;
	const { seq, attempt, code, reason, retryAfterMs = 0 } = failure;
	if (code === GONE) return { ...record, isDisabled: true };
	if (attempt >= MAX_WEBHOOK_TRIES) {
		const givenUp = [defined({ seq, code, reason })];
		return advanced(record, { upTo: seq, delivered: 0, missed: 0, givenUp }, now);
	}
	const nextAttemptAt = webhookRetryAt({ attempt, retryAfterMs, random }, now);
	return { ...record, failed: defined({ seq, attempt, at: now, code, reason, nextAttemptAt }) };
}

function advanced(before: SubscriptionRecord, report: DeliveryReport, now: number): SubscriptionRecord {
	const { failed: _, ...record } = before;
	const { upTo, delivered, missed, givenUp } = report;
	const added = givenUp.map((event) => ({ ...event, at: now }));
	return {
		...record,
		cursor: upTo,
		delivered: record.delivered + delivered,
		missed: record.missed + missed,
		givenUp: record.givenUp + added.length,
		lastGivenUp: [...record.lastGivenUp, ...added].slice(-MAX_GIVEN_UP_SHOWN),
	};
}

/** When the subscription's message counts as lost; infinity while it needs none. @param last the number of the topic's last event. */
export function messageCheckAt(record: SubscriptionRecord, last: number): number {
	if (record.isDisabled || record.cursor >= last || (record.wakes ?? 0) > MAX_WEBHOOK_WAKES)
		return Number.POSITIVE_INFINITY;
	if (record.lease) return record.lease.until;
	return record.checkAt ?? (record.failed?.nextAttemptAt ?? 0) + WEBHOOK_WATCHDOG_MS.first;
}

/** The watchdog sends the message again. */
export function withMessageSentAgain(before: SubscriptionRecord, now: number): SubscriptionRecord {
	const wakes = (before.wakes ?? 0) + 1;
	return { ...withoutLease(before), wakes, checkAt: now + doubledMs(WEBHOOK_WATCHDOG_MS, wakes) };
}
