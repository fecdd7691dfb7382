/** When a job's data and links expire. */
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

/** The longest time that a message can wait in the queue before the watchdog fails its job. */
const LONGEST_WAIT_MS = MAX_RESENDS * WATCHDOG_MS.max;

/**
 * When a finished job's data expires. Retention is extended until the webhook's receiver has had time to fetch the result
 * after its last notification. The extension is bounded, because the number of tries is.
 */
export function keptUntil({ webhook }: JobRecord, { expiresAt }: FinalState): number {
	const tries = webhook?.deliveries.map(({ status, at = 0, nextAttemptAt = 0 }) => {
		if (status === 'pending') return nextAttemptAt + KEPT_AFTER_TRY_MS;
		return status === 'delivered' && at >= expiresAt ? at + KEPT_AFTER_TRY_MS : 0;
	});
	return Math.max(expiresAt, ...(tries ?? []));
}

/**
 * When the last trace of the job, its tombstone, expires, in milliseconds since the epoch. Before the job finishes, this
 * is an upper bound. Links issued for the job are valid until then and no longer.
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
