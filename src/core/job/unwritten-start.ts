/**
 * A start costs no row if its attempt ends within a second or so. The object keeps it in memory, and writes the job when
 * the attempt opens its link, or when the job changes in another way.
 *
 * An object that is reset in between finds the job pending. The attempt's own reports then name its start: the delivery
 * that got it, a nonce, and its time. If another attempt has started meanwhile, the later one has the job.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { started } from './lifecycle.ts';
import { LINK_CHECK_MS } from './limits.ts';
import { type Fence, isNamedBy, type JobRecord } from './record.ts';

/** Whether an object that is reset may forget this start at `now` without harm. */
export function mayStayUnwritten(job: JobRecord, delivery: string | undefined, now: number): boolean {
	// Without a nonce, reports of two attempts with one number could not be distinguished.
	if (delivery === undefined || job.mayHaveStarted) return false;
	// A forgotten start would be made again, in spite of the promise, or after the deadline for it.
	if (job.isOnce || job.options.startWithinSeconds !== undefined) return false;
	// A forgotten start is made again when the watchdog looks, so that must be soon.
	if (job.state.name !== 'pending' || job.state.checkAt > now + LINK_CHECK_MS) return false;
	// The delivery of the event must be durable.
	return job.webhook?.events.includes('started') !== true;
}

/** Returns a pending job with the start that a report names, if the object has forgotten that start. */
export function withForgottenStart(job: JobRecord, fence: Fence): JobRecord {
	const { delivery, startedAt } = fence;
	if (job.state.name !== 'pending' || delivery === undefined || startedAt === undefined) return job;
	if (!isNamedBy({ ...job, attempt: job.attempt + 1 }, fence)) return job;
	const { mayHaveStarted: _, ...known } = job;
	return started(known, startedAt, delivery);
}

/**
 * Returns a job that was read from storage. If it is pending, it may have started, and its object has forgotten the start.
 * The clock can't tell: it may have been set back since.
 */
export function markForgetful(job: JobRecord): JobRecord {
	return job.state.name === 'pending' ? { ...job, mayHaveStarted: true } : job;
}
