/** Decides when a job's alarm fires. No other file does. */
import { nextCheck } from './backoff.ts';
import { keptUntil } from './expiry.ts';
import { MAX_UNERASED_MS, TOMBSTONE_MS } from './limits.ts';
import { linkCheckAt } from './presence.ts';
import { type FollowState, type JobRecord, type PendingState, startBy } from './record.ts';
import { tellAt } from './telling.ts';
import { deliveryCheckAt } from './webhook.ts';

/** Returns the next moment at which this job changes, or must be checked, without a request; infinity if there is none. */
export function nextAlarmAt(job: JobRecord, now: number): number {
	return Math.min(nextChangeAt(job, now), tellAt(job));
}

function nextChangeAt(job: JobRecord, now: number): number {
	const { state } = job;
	const deliveryAt = deliveryCheckAt(job) ?? Number.POSITIVE_INFINITY;
	switch (state.name) {
		case 'pending':
			return Math.min(lookAt(state, now), startBy(job) ?? Number.POSITIVE_INFINITY, deliveryAt);
		case 'running':
			return Math.min(
				state.leaseEndsAt,
				linkCheckAt(job, now),
				state.waiting?.startBy ?? Number.POSITIVE_INFINITY,
				questionLookAt(state.waiting?.following, now),
				deliveryAt,
			);
		case 'tombstone':
			return erasureAt({ job, goneAt: state.goneAt, now });
		default:
			// Pending deliveries extend retention. Reads answer 410 once retention ends; the row is erased with the tombstone,
			// which saves a second alarm.
			return Number.isFinite(deliveryAt)
				? deliveryAt
				: erasureAt({ job, goneAt: keptUntil(job, state) + TOMBSTONE_MS, now });
	}
}

interface ErasureTimes {
	readonly job: JobRecord;
	/** When nothing of the job is left to read. Pending deliveries may have moved it from the past to the future, and back. */
	readonly goneAt: number;
	readonly now: number;
}

/** A job whose batch will erase it soon enough needs no alarm for that. */
function erasureAt({ job: { batchErasesAt = 0 }, goneAt, now }: ErasureTimes): number {
	const keptLongerMs = batchErasesAt - goneAt;
	const isInTime = keptLongerMs >= 0 && keptLongerMs <= MAX_UNERASED_MS;
	return isInTime && now < batchErasesAt ? Number.POSITIVE_INFINITY : goneAt;
}

/** The job, when its batch does not erase it after all. */
export function withoutBatch({ batchErasesAt: _, ...job }: JobRecord): JobRecord {
	return job;
}

/** Whether the watchdog must check the message that the job waits for. */
export function isLookDue({ state }: JobRecord, now: number): boolean {
	if (state.name === 'pending') return now >= state.checkAt;
	const following = state.name === 'running' ? state.waiting?.following : undefined;
	return following !== undefined && now >= following.checkAt;
}

/** After the last check of the schedule, the operation's own deadline ends it. */
function questionLookAt(following: FollowState | undefined, now: number): number {
	const checkAt = following && nextCheck(following, now).checkAt;
	return checkAt !== undefined && checkAt > now ? checkAt : Number.POSITIVE_INFINITY;
}

/** A record read from storage shows the first check of its schedule, which the alarm has already made. */
function lookAt(state: PendingState, now: number): number {
	const isMade = state.sentAt !== undefined && !state.isLastTry;
	return isMade ? nextCheck(state, now).checkAt : state.checkAt;
}
