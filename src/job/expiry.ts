/** How long anybody may still want to ask about a job. */
import {
	BACKOFF_MS,
	LEASE_GRACE_MS,
	MAX_LOST_ATTEMPTS,
	MAX_WAKES,
	MS_PER_HOUR,
	MS_PER_SECOND,
	WATCHDOG_MS,
} from './limits.ts';
import { type FinalState, isFinal, type JobRecord } from './record.ts';
import { pendingDeliveries } from './webhook.ts';

/** The longest a job without a start deadline can be pending before its watchdog gives it up. */
const LONGEST_WAIT_MS = MAX_WAKES * WATCHDOG_MS.max;

/**
 * Until when a finished job's data is kept: as long as was asked, and no shorter than until its webhook's receiver was told,
 * which ends too: tries are counted.
 */
export function keptUntil(job: JobRecord, { expiresAt }: FinalState): number {
	const tries = pendingDeliveries(job).map(({ nextAttemptAt = 0 }) => nextAttemptAt + KEPT_AFTER_TRY_MS);
	return Math.max(expiresAt, ...tries);
}

/** Whoever is told of a job has this long to fetch its result at least. */
const KEPT_AFTER_TRY_MS = 1 * MS_PER_HOUR;

/**
 * The moment from which the job's data is gone for certain, in milliseconds since the epoch: known once it is over,
 * before that the latest it can be. A link given out for the job needs to work until then and no longer.
 */
export function readableUntil(job: JobRecord): number {
	const { state, options } = job;
	if (isFinal(state)) return keptUntil(job, state);
	if (state.name === 'tombstone') return state.goneAt;
	const { startWithinSeconds, delaySeconds, timeoutSeconds, maxAttempts, retainSeconds } = options;
	const untilStartedMs =
		startWithinSeconds === undefined
			? delaySeconds * MS_PER_SECOND + LONGEST_WAIT_MS
			: startWithinSeconds * MS_PER_SECOND;
	const attemptMs = timeoutSeconds * MS_PER_SECOND + LEASE_GRACE_MS + BACKOFF_MS.max;
	return job.epochAt + untilStartedMs + (maxAttempts + MAX_LOST_ATTEMPTS) * attemptMs + retainSeconds * MS_PER_SECOND;
}
