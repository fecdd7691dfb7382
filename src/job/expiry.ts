/** How long anybody may still want to ask about a job. */
import { BACKOFF_MS, LEASE_GRACE_MS, MAX_LOST_ATTEMPTS, MAX_WAKES, MS_PER_SECOND, WATCHDOG_MS } from './limits.ts';
import { isFinal, type JobRecord } from './record.ts';

/** The longest a job without a start deadline can be pending before its watchdog gives it up. */
const LONGEST_WAIT_MS = MAX_WAKES * WATCHDOG_MS.max;

/**
 * The moment from which the job's data is gone for certain, in milliseconds since the epoch: known once it is over,
 * before that the latest it can be. A link given out for the job needs to work until then and no longer.
 */
export function readableUntil(job: JobRecord): number {
	const { state, options } = job;
	if (isFinal(state)) return state.expiresAt;
	if (state.name === 'tombstone') return state.goneAt;
	const { startWithinSeconds, delaySeconds, timeoutSeconds, maxAttempts, retainSeconds } = options;
	const untilStartedMs =
		startWithinSeconds === undefined
			? delaySeconds * MS_PER_SECOND + LONGEST_WAIT_MS
			: startWithinSeconds * MS_PER_SECOND;
	const attemptMs = timeoutSeconds * MS_PER_SECOND + LEASE_GRACE_MS + BACKOFF_MS.max;
	return job.epochAt + untilStartedMs + (maxAttempts + MAX_LOST_ATTEMPTS) * attemptMs + retainSeconds * MS_PER_SECOND;
}
