/**
 * Makes sure that the list of a tenant's jobs hears of every job, although a row or a call for each job would cost too much.
 *
 * The Worker that accepts a job tells the list, and only then sends the job's message, which says so. An attempt passes that on. From
 * then on the list asks about an unfinished job that it hears nothing of, so later news may be lost. A job that does not know that
 * it is listed tells the list itself: its alarm does, first after the time that its watchdog waits, too.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { readableUntil } from './expiry.ts';
import { TELL_MS } from './limits.ts';
import { isFinal, type JobRecord } from './record.ts';

/** The list may not know of the job, of its new run, or that its data was erased. */
export function markUntold(job: JobRecord, now: number): JobRecord {
	return job.isListable ? { ...job, toTell: { since: now, at: now + TELL_MS.first } } : job;
}

/**
 * A delivery of its webhook has made a finished job stay longer. The list must hear of that: it would drop the job too early, and take
 * later news of it for a new job's.
 */
export function withRetentionUntold(before: JobRecord, job: JobRecord, now: number): JobRecord {
	const isKeptLonger = job !== before && isFinal(job.state) && readableUntil(job) > readableUntil(before);
	return isKeptLonger ? markUntold(job, now) : job;
}

/** The list knows of the job, or need not know of it any more. */
export function markTold(job: JobRecord): JobRecord {
	if (!job.toTell) return job;
	const { toTell: _, ...told } = job;
	return told;
}

/** Whether the job's alarm tells the list. Every alarm of a job that may be unknown does. */
export function mustTell({ toTell }: JobRecord, now: number): boolean {
	return toTell !== undefined && now >= (toTell.at ?? toTell.since);
}

/**
 * The alarm is about to tell the list. If that fails, it tries again: at its next check while the job is unfinished, else at intervals
 * that double.
 */
export function markTelling(job: JobRecord, now: number): JobRecord {
	const { toTell, state } = job;
	if (!toTell) return job;
	const { since } = toTell;
	if (!isFinal(state) && state.name !== 'tombstone') return { ...job, toTell: { since } };
	const waitMs = Math.min(TELL_MS.max, Math.max(TELL_MS.first, now - since));
	return { ...job, toTell: { since, at: now + waitMs } };
}

/** When the job's alarm must tell the list; infinity when it need not, or when any alarm will do. */
export function tellAt({ toTell }: JobRecord): number {
	return toTell?.at ?? Number.POSITIVE_INFINITY;
}
