/** How long anybody may still want to ask about a job. */
import {
	KEPT_AFTER_TRY_MS,
	LEASE_GRACE_MS,
	MAX_LOST_ATTEMPTS,
	MAX_RESENDS,
	MAX_RETRY_AFTER_MS,
	MS_PER_SECOND,
	TOMBSTONE_MS,
	WAIT_SECONDS,
	WATCHDOG_MS,
} from './limits.ts';
import { type FinalState, isFinal, type JobRecord } from './record.ts';

/** The longest a message can wait in the queue before the watchdog gives its job up. */
const LONGEST_WAIT_MS = MAX_RESENDS * WATCHDOG_MS.max;

/**
 * Until when a finished job's data is kept: as long as was asked, and when its webhook's receiver could only be told after
 * that, so long that it can still fetch the result. That ends too: tries are counted.
 */
export function keptUntil({ webhook }: JobRecord, { expiresAt }: FinalState): number {
	const tries = webhook?.deliveries.map(({ status, at = 0, nextAttemptAt = 0 }) => {
		if (status === 'pending') return nextAttemptAt + KEPT_AFTER_TRY_MS;
		return status === 'delivered' && at >= expiresAt ? at + KEPT_AFTER_TRY_MS : 0;
	});
	return Math.max(expiresAt, ...(tries ?? []));
}

/**
 * The moment from which nothing is left of the job, not even word that it is gone, in milliseconds since the epoch: known
 * once it is over, before that the latest it can be. A link given out for the job needs to work until then and no longer.
 */
export function readableUntil(job: JobRecord): number {
	const { state, options } = job;
	if (isFinal(state)) return keptUntil(job, state) + TOMBSTONE_MS;
	if (state.name === 'tombstone') return state.goneAt;
	const { delaySeconds, timeoutSeconds, maxAttempts, retainSeconds } = options;
	const workSeconds = Math.max(timeoutSeconds, WAIT_SECONDS.max);
	const attemptMs = workSeconds * MS_PER_SECOND + LEASE_GRACE_MS + MAX_RETRY_AFTER_MS;
	const attemptsMs = (maxAttempts + MAX_LOST_ATTEMPTS) * attemptMs;
	const waitMs = delaySeconds * MS_PER_SECOND + LONGEST_WAIT_MS;
	return job.epochAt + waitMs + attemptsMs + retainSeconds * MS_PER_SECOND + TOMBSTONE_MS;
}
