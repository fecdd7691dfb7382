/**
 * The alarm of a job's object. It announces what the time has changed, sends lost messages again, and erases what has
 * expired.
 */
import { isLookDue, nextAlarmAt, withoutBatch } from '../core/job/alarm.ts';
import { ALARM_GIVE_UP_MS, ALARM_LAST_TRIES, UPLOAD_LEASE_MS } from '../core/job/limits.ts';
import { awaitedMessage } from '../core/job/message.ts';
import { jobNews } from '../core/job/news.ts';
import { lostAt } from '../core/job/presence.ts';
import { type JobRecord, laneOf } from '../core/job/record.ts';
import { mustTell, tellAt } from '../core/job/telling.ts';
import type { Transition } from '../core/job/transition.ts';
import { lateDeliveries } from '../core/job/webhook.ts';
import type { Lanes } from '../queue/lanes.ts';
import { sendJob } from '../queue/send.ts';
import type { Lists } from '../rpc/lists.ts';
import type { Deliveries } from './deliveries.ts';
import type { JobKeeper } from './job-keeper.ts';
import type { JobStore } from './store.ts';
import type { Uploads } from './uploads.ts';

interface WatchdogParts {
	/** The job's id. */
	readonly id: string;
	readonly lanes: Lanes;
	readonly lists: Lists;
	readonly store: JobStore;
	readonly keeper: JobKeeper;
	readonly deliveries: Deliveries;
	readonly uploads: Uploads;
}

export class Watchdog {
	readonly #parts: WatchdogParts;

	constructor(parts: WatchdogParts) {
		this.#parts = parts;
	}

	async wake(retryCount: number): Promise<void> {
		const { store, keeper, deliveries } = this.#parts;
		const now = Date.now();
		store.alarmFired();
		if (retryCount >= ALARM_LAST_TRIES) return store.setAlarm(now + ALARM_GIVE_UP_MS);
		const job = keeper.current(now);
		if (job === undefined) return this.#eraseUnlessUploading(now);
		// The object may be evicted before the attempt counts as lost, and must not begin to wait again.
		if (lostAt(job) !== undefined) keeper.save(now);
		const isMessageDue = isLookDue(job, now);
		const late = lateDeliveries(job, now);
		const woken = isMessageDue ? keeper.apply({ type: 'wake' }, now) : undefined;
		const redelivered = late.length > 0 ? keeper.apply({ type: 'redeliver', seqs: late }, now) : undefined;
		const telling = mustTell(job, now) ? keeper.apply({ type: 'telling' }, now) : undefined;
		// Set before the messages are sent, so that the object checks again even if sending fails.
		store.setAlarmBy(this.#sweptAlarmAt((telling ?? redelivered ?? woken)?.job ?? job, now));
		await Promise.all([
			this.#sendAgain(woken),
			redelivered && deliveries.sendAgain(redelivered.job, late),
			telling && this.#tellList(telling.job, now),
		]);
	}

	/** The list may not know of the job. */
	async #tellList(job: JobRecord, now: number): Promise<void> {
		const { id, keeper, lists, store } = this.#parts;
		const news = jobNews(id, job, now);
		if (!(await lists.tell(job.tenant, [news]))) return;
		const answeredAt = Date.now();
		const told = keeper.apply({ type: 'told', news }, answeredAt);
		// Instead of the alarm for another try.
		if (told && told.refusal === undefined && Number.isFinite(tellAt(job)))
			store.setAlarm(this.#sweptAlarmAt(told.job, answeredAt));
	}

	/** Erases what is left of broken uploads. Returns when the alarm must fire, for the job or for uploads that may still arrive. */
	#sweptAlarmAt(job: JobRecord, now: number): number {
		const nextAt = nextAlarmAt(job, now);
		return this.#parts.uploads.sweep(job, now) ? Math.min(nextAt, now + UPLOAD_LEASE_MS) : nextAt;
	}

	/** The job's batch erases its jobs, and will not come again. */
	async eraseIfExpired(): Promise<void> {
		const { store, keeper } = this.#parts;
		const now = Date.now();
		const job = keeper.current(now);
		if (job) return store.setAlarmBy(nextAlarmAt(withoutBatch(job), now));
		if (keeper.hasRecord) await this.#eraseUnlessUploading(now);
	}

	async #eraseUnlessUploading(now: number): Promise<void> {
		const { store, keeper, uploads } = this.#parts;
		if (keeper.hasRecord && uploads.areArriving(now)) return store.setAlarm(now + UPLOAD_LEASE_MS);
		return keeper.forget();
	}

	async #sendAgain(woken: Transition | undefined): Promise<void> {
		if (!woken?.effects.some(({ type }) => type === 'enqueue')) return;
		const { id, lanes } = this.#parts;
		const message = awaitedMessage(id, woken.job);
		if (message) await sendJob(lanes, laneOf(woken.job), { message });
	}
}
