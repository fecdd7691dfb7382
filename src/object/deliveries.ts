/**
 * The deliveries of a job's webhook: the messages that ask for them, and those in progress. All of it is in memory: losing
 * it costs a duplicate call with the same id.
 */
import { defined } from '../core/defined.ts';
import { type BareEvent, eventAt, progressEvent } from '../core/job/document.ts';
import { readableUntil } from '../core/job/expiry.ts';
import { MS_PER_SECOND, WEBHOOK_TIMEOUT_MS } from '../core/job/limits.ts';
import type { DueDelivery } from '../core/job/object-api.ts';
import type { JobRecord } from '../core/job/record.ts';
import { messageId, pendingDeliveries } from '../core/job/webhook.ts';
import type { Lanes } from '../queue/lanes.ts';
import { sendDelivery } from '../queue/send.ts';

/** Maximum duration of a delivery try, report included. */
const TRY_MS = WEBHOOK_TIMEOUT_MS + 5 * MS_PER_SECOND;

export class Deliveries {
	readonly #id: string;
	readonly #lanes: Lanes;
	/** Deliveries in progress, and when each expires. */
	readonly #inProgress = new Map<number, number>();
	/** The newest progress that was delivered. */
	#toldProgressSeq = 0;

	/** @param id the job's id. */
	constructor(id: string, lanes: Lanes) {
		this.#id = id;
		this.#lanes = lanes;
	}

	/** Returns the delivery of an event, and marks it as in progress if it is due now; `undefined` when none is due. */
	start(job: JobRecord, seq: number, now: number): DueDelivery | undefined {
		if (!job.webhook || job.state.name === 'tombstone') return undefined;
		const delivery = pendingDeliveries(job).find((candidate) => candidate.seq === seq);
		if (!delivery) {
			const event = this.#untoldProgress(job, now);
			return event && { ...this.#facts(job, event), waitMs: 0, isTracked: false };
		}
		const event = eventAt({ id: this.#id, job, now }, seq);
		// Two messages for one delivery: the second does nothing.
		if (!event || (this.#inProgress.get(seq) ?? 0) > now) return undefined;
		const waitMs = Math.max(0, (delivery.nextAttemptAt ?? now) - now);
		if (waitMs === 0) this.#inProgress.set(seq, now + TRY_MS);
		return { ...this.#facts(job, event), attempt: delivery.attempt + 1, waitMs, isTracked: true };
	}

	/** A try has an outcome. */
	end(seq: number): void {
		this.#inProgress.delete(seq);
	}

	/** Forgets the job, because it has expired: another job of its key may follow. */
	forget(): void {
		this.#toldProgressSeq = 0;
	}

	/**
	 * Sends the messages of deliveries after the event `after`. The platform sends them only once the writes before them are
	 * durable.
	 */
	sendNew(job: JobRecord, after: number): void {
		if (!job.webhook) return;
		const isProgress = isNewestProgress(job) && job.webhook.events.includes('progress');
		const deliveries = pendingDeliveries(job).map(({ seq }) => seq);
		for (const seq of isProgress ? [job.seq] : deliveries.filter((seq) => seq > after)) void this.#send(seq);
	}

	/** Sends the messages of these deliveries again, as far as they are still pending. */
	async sendAgain(job: JobRecord, seqs: readonly number[]): Promise<void> {
		const still = pendingDeliveries(job).filter(({ seq }) => seqs.includes(seq));
		await Promise.all(still.map(({ seq }) => this.#send(seq)));
	}

	#send(seq: number): Promise<void> {
		return sendDelivery(this.#lanes, { v: 1, id: this.#id, seq });
	}

	#facts(job: JobRecord, event: BareEvent): Omit<DueDelivery, 'waitMs' | 'isTracked'> {
		const { url, format, origin, replyTopic, replyHops } = job.webhook as NonNullable<JobRecord['webhook']>;
		const { tenant, options } = job;
		return defined({
			webhook: defined({ url, format, origin, replyTopic, replyHops }),
			tenant,
			readableUntil: readableUntil(job),
			event,
			messageId: messageId(this.#id, job, event.seq),
			traceparent: options.traceparent,
		});
	}

	/**
	 * Returns the newest progress, unless it was delivered. A late message delivers it too, since otherwise none might be
	 * delivered.
	 */
	#untoldProgress(job: JobRecord, now: number): BareEvent | undefined {
		const isProgress = job.state.name === 'running' && isNewestProgress(job);
		if (!isProgress || !job.webhook?.events.includes('progress') || job.seq <= this.#toldProgressSeq) return undefined;
		this.#toldProgressSeq = job.seq;
		return progressEvent(this.#id, job, now);
	}
}

/** Whether the job's newest event is progress, which history doesn't list. */
function isNewestProgress({ seq, history }: JobRecord): boolean {
	return seq > (history.at(-1)?.seq ?? 0);
}
