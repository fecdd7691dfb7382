/**
 * Decides when a running attempt counts as lost because its link is missing. The link is the attempt's socket to its job.
 * A consumer that dies takes its socket along, which is noticed at once; its lease may last for minutes more.
 *
 * An attempt that waits for an external worker or an upstream has no consumer, and needs no link.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { LINK_CHECK_MS, UNLINKED_MS } from './limits.ts';
import { type Fence, isCurrent, type JobRecord, type RunningState } from './record.ts';

/** A job with a running attempt that has a consumer. */
type Attended = JobRecord & { readonly state: RunningState };

function isAttended(job: JobRecord): job is Attended {
	return job.state.name === 'running' && job.state.waiting === undefined;
}

/** Returns when the attempt counts as lost, in milliseconds since the epoch; `undefined` while its link is open. */
export function lostAt(job: JobRecord): number | undefined {
	if (!isAttended(job) || job.state.unlinkedAt === undefined) return undefined;
	const { unlinkedAt, wasLinked } = job.state;
	if (job.isOnce) return unlinkedAt + UNLINKED_MS.once;
	return unlinkedAt + (wasLinked ? UNLINKED_MS.broken : UNLINKED_MS.unopened);
}

/** Returns when the object must look at its running attempt, even if no call wakes it. */
export function linkCheckAt(job: JobRecord, now: number): number {
	if (!isAttended(job)) return Number.POSITIVE_INFINITY;
	return lostAt(job) ?? now + LINK_CHECK_MS;
}

/** The attempt has opened its link. Returns the same job if that is known. */
export function linked(job: JobRecord): JobRecord {
	if (!isAttended(job)) return job;
	const { unlinkedAt, ...state } = job.state;
	return unlinkedAt === undefined && state.wasLinked ? job : { ...job, state: { ...state, wasLinked: true } };
}

/**
 * The attempt is without a link from `now` on.
 *
 * @param isClosed whether the consumer closed the link by itself, as an attempt of version 0.1.0 does before it reports.
 */
export function unlinked(job: JobRecord, now: number, isClosed = false): JobRecord {
	if (!isAttended(job)) return job;
	const { wasLinked: _, ...closed } = job.state;
	return { ...job, state: { ...(isClosed ? closed : job.state), unlinkedAt: now } };
}

/**
 * Returns a job that was read from storage, with what its object sees of the link.
 *
 * @param live the attempt whose link is open, if there is one.
 */
export function lookForLink(job: JobRecord, live: Fence | undefined, now: number): JobRecord {
	if (live && isCurrent(job, live)) return linked(job);
	const isKnown = job.state.name === 'running' && job.state.unlinkedAt !== undefined;
	return isKnown ? job : unlinked(job, now);
}
