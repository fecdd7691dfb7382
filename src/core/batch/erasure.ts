/**
 * A batch erases the jobs that were submitted in it, all at once. So none of them needs an alarm at the end of its retention,
 * which would cost a row. Jobs that end much earlier or later erase themselves (`../job/alarm.ts`).
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { doubledMs } from '../http/doubling-wait.ts';
import { MS_PER_SECOND, TOMBSTONE_MS } from '../job/limits.ts';
import { ERASE_AGAIN_MS, ERASED_AT_ONCE, ERASES_AFTER_MS, MAX_ERASURE_ALARMS } from './limits.ts';

/** Jobs that rely on their batch to be erased. A persisted contract: only add optional fields. */
export interface Erasure {
	/** In milliseconds since the epoch. */
	readonly at: number;
	/** The jobs' ids. Some may have no job, or one that is not expired: nothing happens to them. */
	readonly ids: readonly string[];
	/** Number of alarms that were spent on these jobs. Left out: none. */
	readonly alarms?: number;
}

/**
 * When a batch erases its jobs, in milliseconds since the epoch.
 *
 * @param longestSeconds the longest time from submission to the end of retention, for a job that takes no time.
 */
export function batchErasureAt(now: number, longestSeconds: number): number {
	return now + longestSeconds * MS_PER_SECOND + TOMBSTONE_MS + ERASES_AFTER_MS;
}

/** A repeated submission adds jobs, and can only postpone the erasure: the jobs before it rely on the earlier time. */
export function mergeErasures(before: Erasure | undefined, added: Erasure): Erasure {
	if (!before) return added;
	return { at: Math.max(before.at, added.at), ids: [...new Set([...before.ids, ...added.ids])] };
}

/** The erasure, while its next jobs are being erased: if the object ends meanwhile, it tries again. */
export function postponeErasure(erasure: Erasure, now: number): Erasure {
	const { alarms = 0 } = erasure;
	return { ...erasure, at: now + doubledMs(ERASE_AGAIN_MS, alarms), alarms: alarms + 1 };
}

/** The jobs that the next alarm erases. */
export function nextErased({ ids }: Erasure): readonly string[] {
	return ids.slice(0, ERASED_AT_ONCE);
}

/**
 * The erasure after an alarm; `undefined` when no job is left to erase.
 *
 * @param failed the jobs that could not be reached: they are tried again later, after the rest.
 */
export function erasureAfter(
	erasure: Erasure,
	{
		tried,
		failed,
		now,
	}: { readonly tried: readonly string[]; readonly failed: readonly string[]; readonly now: number },
): Erasure | undefined {
	// The batch was submitted again during the calls: its ids may have new jobs.
	if (erasure.alarms === undefined) return erasure;
	const triedIds = new Set(tried);
	const rest = erasure.ids.filter((id) => !triedIds.has(id));
	const ids = [...rest, ...failed];
	return ids.length === 0 ? undefined : { ...erasure, ids, at: rest.length > 0 ? now : erasure.at };
}

/** Whether so many alarms were spent that the jobs that are left can't be reached at all. */
export function isErasureHopeless({ alarms = 0 }: Erasure): boolean {
	return alarms >= MAX_ERASURE_ALARMS;
}
