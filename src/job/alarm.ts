/** When a job has to be looked at although nobody asks. The one place that decides it. */
import { TOMBSTONE_MS } from './limits.ts';
import { type JobRecord, startBy } from './record.ts';

/** The next moment at which this job changes, or must be looked after, by itself. */
export function nextAlarmAt(job: JobRecord): number {
	const { state } = job;
	switch (state.name) {
		case 'pending':
			return Math.min(state.checkAt, startBy(job) ?? Number.POSITIVE_INFINITY);
		case 'running':
			return state.leaseEndsAt;
		case 'tombstone':
			return state.goneAt;
		default:
			// Reads answer 410 from `expiresAt` on; the row goes with the tombstone's time, which saves a second alarm.
			return state.expiresAt + TOMBSTONE_MS;
	}
}
