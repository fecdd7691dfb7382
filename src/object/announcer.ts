/**
 * Announces the changes of a job to its watchers and waiters, to its running attempt, to its webhook's queue and to its
 * tenant's object.
 */
import { eventsAfter } from '../core/job/document.ts';
import { nextProgressAt } from '../core/job/lifecycle.ts';
import { jobNews } from '../core/job/news.ts';
import { quotaUsageNews } from '../core/job/quota-usage.ts';
import { isFinal, type JobRecord } from '../core/job/record.ts';
import { liveProgressOf } from '../core/job/recover.ts';
import { quotaAccount } from '../core/job/system-task.ts';
import { foundJob } from '../core/job/view.ts';
import type { Lists } from '../rpc/lists.ts';
import type { Tenants } from '../rpc/tenants.ts';
import type { Deliveries } from './deliveries.ts';
import type { JobSockets } from './sockets.ts';

interface AnnouncerParts {
	/** The job's id. */
	readonly id: string;
	readonly sockets: JobSockets;
	readonly deliveries: Deliveries;
	readonly tenants: Tenants;
	readonly lists: Lists;
}

/** A change to announce. */
export interface Announcement {
	readonly job: JobRecord;
	readonly before?: JobRecord | undefined;
	readonly now: number;
	/** Whether the change is more than memory: it was written, or everything is about to be erased. */
	readonly isLasting: boolean;
	/** Time alone made the change, so no caller tells the list. */
	readonly isByTime: boolean;
}

export class Announcer {
	readonly #parts: AnnouncerParts;
	/** When a Worker will call `tell` to announce pending progress. Losing this costs a duplicate call. */
	#toldBy = 0;

	constructor(parts: AnnouncerParts) {
		this.#parts = parts;
	}

	announce(announcement: Announcement): void {
		const { sockets } = this.#parts;
		const { job } = announcement;
		this.#tellTenant(announcement);
		this.#tellList(announcement);
		if (job.state.name === 'running') sockets.keepLiveProgress(liveProgressOf(job));
		else sockets.closeAttempts();
		if (job.state.name === 'tombstone') this.#closeSockets();
		else this.#tellReaders(announcement);
	}

	/** Announces the end of the object: the job has expired. */
	endAll(): void {
		this.#parts.deliveries.forget();
		this.#closeSockets();
	}

	/** When to announce the job's pending progress, in milliseconds from now; `undefined` when no announcement is needed. */
	tellInMs(job: JobRecord, now: number): number | undefined {
		if (!job.isUntold || now < this.#toldBy || !this.#parts.sockets.hasAudience()) return undefined;
		this.#toldBy = nextProgressAt(job);
		return Math.max(0, this.#toldBy - now);
	}

	#tellTenant({ job, before, now, isLasting }: Announcement): void {
		if (!isLasting) return;
		const account = quotaAccount(job);
		for (const news of quotaUsageNews(job, before, now)) void this.#parts.tenants.tell(account, news);
	}

	/** Not awaited. If it fails, the list asks, or the alarm tells it. The list knows by itself when a job expires. */
	#tellList({ job, before, now, isLasting, isByTime }: Announcement): void {
		if (!isByTime || !isLasting || !job.isListable || job.seq === before?.seq || job.state.name === 'tombstone') return;
		void this.#parts.lists.tell(job.tenant, [jobNews(this.#parts.id, job, now)]);
	}

	#tellReaders({ job, before, now }: Announcement): void {
		const { id, sockets, deliveries } = this.#parts;
		const isOver = isFinal(job.state);
		const reading = () => JSON.stringify(foundJob(id, job, now));
		if (job.seq !== before?.seq) {
			const after = before?.seq ?? 0;
			sockets.answer(isOver, reading);
			sockets.announce(eventsAfter({ id, job, now }, after), isOver);
			deliveries.sendNew(job, after);
		} else if (job.webhook !== before?.webhook) {
			// The document has changed without an event.
			sockets.answer(false, reading);
		}
	}

	#closeSockets(): void {
		this.#parts.sockets.announce([], true);
		this.#parts.sockets.dismiss();
	}
}
