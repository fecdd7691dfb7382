/** The bytes that arrive for a job's object, and what is erased of them. The record refers to an upload once it is complete. */
import { nextAlarmAt } from '../core/job/alarm.ts';
import { UPLOAD_LEASE_MS } from '../core/job/limits.ts';
import { uploadsOf } from '../core/job/quota-usage.ts';
import type { JobRecord, StoredInput } from '../core/job/record.ts';
import type { JobStore } from './store.ts';

export class Uploads {
	readonly #store: JobStore;
	/** Uploads without a fence, and the time of their last chunk. Losing an entry costs a repeated upload. */
	readonly #lastChunkAt = new Map<string, number>();

	constructor(store: JobStore) {
		this.#store = store;
	}

	/**
	 * A chunk of an input arrives. Sets the alarm that erases an upload without a submission, but not while it is still
	 * arriving.
	 */
	keep(upload: string, job: JobRecord | undefined, now: number): void {
		this.#lastChunkAt.set(upload, now);
		if (job) this.#store.setAlarmBy(Math.min(nextAlarmAt(job, now), now + UPLOAD_LEASE_MS));
		else this.#store.keepAlarmWithin(now + UPLOAD_LEASE_MS / 2, now + UPLOAD_LEASE_MS);
	}

	/** The uploads of the job are complete: from here on, its record determines how long they are kept. */
	release(job: JobRecord): void {
		for (const upload of uploadsOf(job)) this.#lastChunkAt.delete(upload);
	}

	/** Whether an upload is arriving. A job may expire while the input of the next job of its key arrives. */
	areArriving(now: number): boolean {
		return [...this.#lastChunkAt.values()].some((at) => isOnItsWay(at, now));
	}

	/** Whether an input can be read. Checks the first chunk only: an upload is erased as a whole. */
	has(input: StoredInput | undefined): boolean {
		return !input || !('upload' in input) || this.#store.readChunk({ upload: input.upload, index: 0 }) !== undefined;
	}

	/** Erases chunks that no record refers to. @returns whether some are left because their upload may still be arriving. */
	sweep(job: JobRecord, now: number): boolean {
		for (const [upload, at] of this.#lastChunkAt) if (!isOnItsWay(at, now)) this.#lastChunkAt.delete(upload);
		const named = uploadsOf(job);
		// The record refers to a running attempt's result only once it is complete. When the job ends, all other chunks are
		// erased.
		if (job.state.name !== 'running') this.#store.deleteChunksExcept([...named, ...this.#lastChunkAt.keys()]);
		return this.#store.hasChunksExcept(named);
	}

	/** Erases an upload, unless the job refers to it. */
	discard({ upload, chunks }: { upload: string; chunks: number }, job: JobRecord | undefined): void {
		if (job && uploadsOf(job).includes(upload)) return;
		this.#lastChunkAt.delete(upload);
		for (let index = 0; index < chunks; index++) this.#store.deleteChunk({ upload, index });
	}
}

/** Whether more chunks of an upload may arrive. A clock that was set back extends no upload beyond its lease. */
function isOnItsWay(lastChunkAt: number, now: number): boolean {
	return Math.abs(now - lastChunkAt) < UPLOAD_LEASE_MS;
}
