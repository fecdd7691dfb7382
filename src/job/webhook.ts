/**
 * Webhook deliveries, as part of the job they tell of: which events are on their way to the receiver, when each is tried
 * again, and when one is given up. Pure.
 */
import {
	MAX_DELIVERIES,
	MAX_PENDING_DELIVERIES,
	MAX_QUEUE_DELAY_MS,
	MAX_WEBHOOK_TRIES,
	MAX_WEBHOOK_WAKES,
	WEBHOOK_JITTER_SHARE,
	WEBHOOK_RETRY_MS,
	WEBHOOK_WATCHDOG_MS,
} from './limits.ts';
import type { Delivery, EventType, HistoryEntry, JobRecord, Webhook } from './record.ts';

/** What a submission gets that names a webhook and no events. */
export const DEFAULT_WEBHOOK_EVENTS: readonly EventType[] = ['succeeded', 'failed', 'canceled'];

/** How a try went: what the receiver answered, or that it didn't. */
export interface Try {
	readonly code?: number;
	/** What the receiver asked for, in milliseconds. */
	readonly retryAfterMs?: number;
	/** The number of the try, from 1: a report that is repeated counts once. Left out by versions up to 0.1.0. */
	readonly attempt?: number;
}

const GONE = 410;

/**
 * Puts a job's newest event on its way, if the receiver wants it. A delivery that must make room, or whose event the history
 * no longer has, is given up.
 */
export function withDelivery(webhook: Webhook, history: readonly HistoryEntry[]): Webhook {
	const [oldest, newest] = [history[0], history.at(-1)];
	if (!oldest || !newest || webhook.isDisabled) return webhook;
	const { seq, type, at } = newest;
	const added: Delivery[] = webhook.events.includes(type)
		? [{ seq, attempt: 0, status: 'pending', nextAttemptAt: at }]
		: [];
	return { ...webhook, deliveries: withoutSurplus([...webhook.deliveries, ...added], oldest.seq) };
}

function withoutSurplus(deliveries: readonly Delivery[], oldestSeq: number): readonly Delivery[] {
	const pending = deliveries.filter(({ status }) => status === 'pending');
	const surplus = new Set(pending.slice(0, Math.max(0, pending.length - MAX_PENDING_DELIVERIES)));
	const kept = deliveries.map((delivery) => {
		const isLost = delivery.status === 'pending' && delivery.seq < oldestSeq;
		return isLost || surplus.has(delivery) ? givenUp(delivery) : delivery;
	});
	if (kept.length <= MAX_DELIVERIES) return kept;
	const dropped = kept.find(({ status }) => status === 'delivered') ?? kept[0];
	return kept.filter((delivery) => delivery !== dropped);
}

function givenUp({ nextAttemptAt: _, ...delivery }: Delivery): Delivery {
	return { ...delivery, status: 'given-up' };
}

/**
 * The id of the message that tells of an event: the same in every try, and different for a later job of the same key, whose
 * id and event numbers may be those of a job that is gone.
 */
export function messageId(id: string, { webhook, createdAt }: JobRecord, seq: number): string {
	return webhook?.idsNameBirth ? `${id}:${createdAt}:${seq}` : `${id}:${seq}`;
}

/** The deliveries that are still to be made. */
export function pendingDeliveries({ webhook }: JobRecord): Delivery[] {
	return webhook?.deliveries.filter(({ status }) => status === 'pending') ?? [];
}

/** When the first pending delivery counts as having lost its message; `undefined` when none is pending. */
export function deliveryCheckAt(job: JobRecord): number | undefined {
	const checks = pendingDeliveries(job).map(checkAt);
	return checks.length > 0 ? Math.min(...checks) : undefined;
}

/** The deliveries whose message must have been lost. */
export function lateDeliveries(job: JobRecord, now: number): number[] {
	return pendingDeliveries(job)
		.filter((delivery) => checkAt(delivery) <= now)
		.map(({ seq }) => seq);
}

function checkAt({ nextAttemptAt = 0, wakes = 0 }: Delivery): number {
	return nextAttemptAt + Math.min(WEBHOOK_WATCHDOG_MS.max, WEBHOOK_WATCHDOG_MS.first * 2 ** wakes);
}

/** What a delivery's next try came to. */
export interface TryReport {
	readonly seq: number;
	readonly made: Try;
	/** In [0, 1). Default: 0. */
	readonly random?: number;
}

/** The outcome of a delivery's next try. The same object when the delivery is settled already. */
export function tried(job: JobRecord, report: TryReport, now: number): JobRecord {
	const {
		seq,
		made: { code, retryAfterMs = 0, attempt: reported },
		random = 0,
	} = report;
	const { webhook } = job;
	const delivery = webhook?.deliveries.find((candidate) => candidate.seq === seq && candidate.status === 'pending');
	if (!webhook || !delivery) return job;
	const attempt = delivery.attempt + 1;
	if (reported !== undefined && reported < attempt) return job;
	const made = { seq, attempt, at: now, ...(code !== undefined && { code }) };
	if (code === GONE) return { ...job, webhook: disabled(webhook, { ...made, status: 'disabled' }) };
	if (code !== undefined && code >= 200 && code < 300) return settled(job, webhook, { ...made, status: 'delivered' });
	if (attempt >= MAX_WEBHOOK_TRIES) return settled(job, webhook, { ...made, status: 'given-up' });
	const waitMs = WEBHOOK_RETRY_MS[attempt - 1] ?? WEBHOOK_RETRY_MS.at(-1) ?? 0;
	const leastMs = Math.max(waitMs, Math.min(retryAfterMs, MAX_QUEUE_DELAY_MS));
	const nextAttemptAt = now + Math.floor(leastMs * (1 + WEBHOOK_JITTER_SHARE * random));
	return settled(job, webhook, { ...made, status: 'pending', nextAttemptAt });
}

/** The watchdog sends the messages of these deliveries again, or gives up one whose message is missing time and again. */
export function sentAgain(job: JobRecord, seqs: readonly number[], now: number): JobRecord {
	if (!job.webhook || seqs.length === 0) return job;
	const deliveries = job.webhook.deliveries.map((delivery): Delivery => {
		if (!seqs.includes(delivery.seq)) return delivery;
		const { wakes = 0 } = delivery;
		if (wakes >= MAX_WEBHOOK_WAKES) return givenUp(delivery);
		return { ...delivery, nextAttemptAt: now, wakes: wakes + 1 };
	});
	return { ...job, webhook: { ...job.webhook, deliveries } };
}

function settled(job: JobRecord, webhook: Webhook, delivery: Delivery): JobRecord {
	const deliveries = webhook.deliveries.map((other) => (other.seq === delivery.seq ? delivery : other));
	return { ...job, webhook: { ...webhook, deliveries } };
}

function disabled(webhook: Webhook, last: Delivery): Webhook {
	const deliveries = webhook.deliveries.map((other): Delivery => {
		if (other.seq === last.seq) return last;
		const { nextAttemptAt: _, ...kept } = other;
		return other.status === 'pending' ? { ...kept, status: 'disabled' } : other;
	});
	return { ...webhook, isDisabled: true, deliveries };
}
