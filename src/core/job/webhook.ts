/** The webhook deliveries of a job: which events are pending, when each is tried again, and when one is given up. Pure. */
import { defined } from '../defined.ts';
import { doubledMs } from '../http/doubling-wait.ts';
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

/** The events of a webhook whose submission names none. */
export const DEFAULT_WEBHOOK_EVENTS: readonly EventType[] = ['succeeded', 'failed', 'canceled'];

/** The outcome of a try: the receiver's status, or none if it didn't respond. */
export interface Try {
	readonly code?: number;
	/** The receiver's `Retry-After`, in milliseconds. */
	readonly retryAfterMs?: number;
	/** The number of the try, from 1, so that a repeated report counts once. Versions up to 0.1.0 leave it out. */
	readonly attempt?: number;
}

const GONE = 410;

/**
 * Adds a delivery of the job's newest event, if the receiver subscribed to it. A delivery is given up when it exceeds the
 * limit of pending ones, or when history no longer has its event.
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
 * The id of an event's message. It is the same in every try. It differs for a later job of the same key, whose id and
 * event numbers may repeat those of an erased job.
 */
export function messageId(id: string, { webhook, createdAt }: JobRecord, seq: number): string {
	return webhook?.idsNameBirth ? `${id}:${createdAt}:${seq}` : `${id}:${seq}`;
}

/** The pending deliveries. */
export function pendingDeliveries({ webhook }: JobRecord): Delivery[] {
	return webhook?.deliveries.filter(({ status }) => status === 'pending') ?? [];
}

/** When the first pending delivery counts as lost; `undefined` when none is pending. */
export function deliveryCheckAt(job: JobRecord): number | undefined {
	const checks = pendingDeliveries(job).map(checkAt);
	return checks.length > 0 ? Math.min(...checks) : undefined;
}

/** The deliveries whose message counts as lost. */
export function lateDeliveries(job: JobRecord, now: number): number[] {
	return pendingDeliveries(job)
		.filter((delivery) => checkAt(delivery) <= now)
		.map(({ seq }) => seq);
}

function checkAt({ nextAttemptAt = 0, wakes = 0 }: Delivery): number {
	return nextAttemptAt + doubledMs(WEBHOOK_WATCHDOG_MS, wakes);
}

/** A report on a delivery's next try. */
export interface TryReport {
	readonly seq: number;
	readonly made: Try;
	/** In [0, 1). Default: 0. */
	readonly random?: number;
}

/** Records the outcome of a delivery's next try. Returns the same object if the delivery is already settled. */
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
	const made = defined({ seq, attempt, at: now, code });
	if (code === GONE) return { ...job, webhook: disabled(webhook, { ...made, status: 'disabled' }) };
	if (code !== undefined && code >= 200 && code < 300)
		return withSettledDelivery(job, webhook, { ...made, status: 'delivered' });
	if (attempt >= MAX_WEBHOOK_TRIES) return withSettledDelivery(job, webhook, { ...made, status: 'given-up' });
	const nextAttemptAt = webhookRetryAt({ attempt, retryAfterMs, random }, now);
	return withSettledDelivery(job, webhook, { ...made, status: 'pending', nextAttemptAt });
}

/** A failed try. */
interface FailedWebhookTry {
	/** Its number, from 1. */
	readonly attempt: number;
	readonly retryAfterMs: number;
	/** In [0, 1). */
	readonly random: number;
}

/** When a webhook's receiver is called again. */
export function webhookRetryAt({ attempt, retryAfterMs, random }: FailedWebhookTry, now: number): number {
	const waitMs = WEBHOOK_RETRY_MS[attempt - 1] ?? WEBHOOK_RETRY_MS.at(-1) ?? 0;
	const leastMs = Math.max(waitMs, Math.min(retryAfterMs, MAX_QUEUE_DELAY_MS));
	return now + Math.floor(leastMs * (1 + WEBHOOK_JITTER_SHARE * random));
}

/**
 * The watchdog sends the messages of these deliveries again. It gives up a delivery whose message was lost too many
 * times.
 */
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

/**
 * Why an event can't be sent again. `no-webhook`: the job has no receiver. `no-event`: the receiver doesn't get this event, or
 * history no longer has it. `busy`: too many deliveries are pending.
 */
export type SendAgainRefusal = 'no-webhook' | 'no-event' | 'busy';

/**
 * An operator asks to send an event again: it gets another try, even if it had all of them, or if the receiver had answered 410.
 * Returns the same job if a try is due already.
 */
export function askedAgain(job: JobRecord, seq: number, now: number): JobRecord | SendAgainRefusal {
	const { webhook, history } = job;
	// The receiver of a reply topic is the service itself.
	if (!webhook || webhook.replyTopic !== undefined) return 'no-webhook';
	const event = history.find((entry) => entry.seq === seq);
	if (!event || !webhook.events.includes(event.type)) return 'no-event';
	const before = webhook.deliveries.find((delivery) => delivery.seq === seq);
	const isPending = before?.status === 'pending';
	if (isPending && (before.nextAttemptAt ?? now) <= now) return job;
	if (!isPending && pendingDeliveries(job).length >= MAX_PENDING_DELIVERIES) return 'busy';
	const again: Delivery = { ...(before ?? { seq, attempt: 0 }), status: 'pending', nextAttemptAt: now };
	const others = webhook.deliveries.filter((delivery) => delivery !== before);
	const deliveries = [...others, again].sort((a, b) => a.seq - b.seq);
	const { isDisabled: _, ...enabled } = webhook;
	return { ...job, webhook: { ...enabled, deliveries: withoutSurplus(deliveries, history[0]?.seq ?? 0) } };
}

function withSettledDelivery(job: JobRecord, webhook: Webhook, delivery: Delivery): JobRecord {
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
