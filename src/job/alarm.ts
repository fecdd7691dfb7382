/** When a job has to be looked at although nobody asks. The one place that decides it. */
import { nextLook } from './backoff.ts';
import { keptUntil } from './expiry.ts';
import { TOMBSTONE_MS } from './limits.ts';
import { type FollowState, type JobRecord, type PendingState, startBy } from './record.ts';
import { deliveryCheckAt } from './webhook.ts';

/** The next moment at which this job changes, or must be looked after, by itself. */
export function nextAlarmAt(job: JobRecord, now: number): number {
	const { state } = job;
	const deliveryAt = deliveryCheckAt(job) ?? Number.POSITIVE_INFINITY;
	switch (state.name) {
		case 'pending':
			return Math.min(lookAt(state, now), startBy(job) ?? Number.POSITIVE_INFINITY, deliveryAt);
		case 'running':
			return Math.min(
				state.leaseEndsAt,
				state.waiting?.startBy ?? Number.POSITIVE_INFINITY,
				questionLookAt(state.waiting?.following, now),
				deliveryAt,
			);
		case 'tombstone':
			return state.goneAt;
		default:
			// Retention waits for deliveries. Reads answer 410 from its end on; the row goes with the tombstone's time, which
			// saves a second alarm.
			return Number.isFinite(deliveryAt) ? deliveryAt : keptUntil(job, state) + TOMBSTONE_MS;
	}
}

/** Whether the watchdog is to look after the message that the job waits for. */
export function isLookDue({ state }: JobRecord, now: number): boolean {
	if (state.name === 'pending') return now >= state.checkAt;
	const following = state.name === 'running' ? state.waiting?.following : undefined;
	return following !== undefined && now >= following.checkAt;
}

/** When the schedule is over, the operation's own time ends it. */
function questionLookAt(following: FollowState | undefined, now: number): number {
	const checkAt = following && nextLook(following, now).checkAt;
	return checkAt !== undefined && checkAt > now ? checkAt : Number.POSITIVE_INFINITY;
}

/** A record that was read from storage shows the first look of its schedule: the alarm has made it. */
function lookAt(state: PendingState, now: number): number {
	const isMade = state.sentAt !== undefined && !state.isLastTry;
	return isMade ? nextLook(state, now).checkAt : state.checkAt;
}
