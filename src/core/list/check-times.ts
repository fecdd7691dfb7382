/** When an unfinished job without news is asked: after 30 seconds, then at intervals that double. */
import { doubledMs } from '../http/doubling-wait.ts';
import { UNHEARD_MS } from './limits.ts';

/**
 * The first time after `after` at which a job is asked.
 *
 * @param heardAt the time of the job's last change, in milliseconds since the epoch.
 */
export function nextCheckAt(heardAt: number, after: number): number {
	let at = heardAt;
	let doublings = 0;
	for (let waitMs = 0; at <= after || doublings === 0; doublings++) {
		if (waitMs === UNHEARD_MS.max) return at + waitMs * (Math.floor((after - at) / waitMs) + 1);
		waitMs = doubledMs(UNHEARD_MS, doublings);
		at += waitMs;
	}
	return at;
}
