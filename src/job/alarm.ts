/** When a job has to be looked at although nobody asks. The one place that decides it. */
import { nextLook } from './backoff.ts';
import { keptUntil } from './expiry.ts';
import { TOMBSTONE_MS } from './limits.ts';
import { type JobRecord, type PendingState, startBy } from './record.ts';
import { deliveryCheckAt } from './webhook.ts';

/** The next moment at which this job changes, or must be looked after, by itself. */
export function nextAlarmAt(job: JobRecord, now: number): number {
	const { state } = job;
	const deliveryAt = deliveryCheckAt(job) ?? Number.POSITIVE_INFINITY;
	switch (state.name) {
		case 'pending':
			return Math.min(lookAt(state, now), startBy(job) ?? Number.POSITIVE_INFINITY, deliveryAt);
		case 'running':
			return Math.min(state.leaseEndsAt, state.waiting?.startBy ?? Number.POSITIVE_INFINITY, deliveryAt);
		case 'tombstone':
			return state.goneAt;
		default:
			// Retention waits for deliveries. Reads answer 410 from its end on; the row goes with the tombstone's time, which
			// saves a second alarm.
			return Number.isFinite(deliveryAt) ? deliveryAt : keptUntil(job, state) + TOMBSTONE_MS;
	}
}

/** A record that was read from storage shows the first look of its schedule: the alarm has made it. */
function lookAt(state: PendingState, now: number): number {
	const isMade = state.sentAt !== undefined && !state.isLastTry;
	return isMade ? nextLook(state, now).checkAt : state.checkAt;
}
