/** Calculates when to poll an upstream's operation again. Pure. */
import { doubledMs } from '../http/doubling-wait.ts';
import type { Following } from '../job/record.ts';
import { POLL_MS, POLL_SHARE } from './limits.ts';

/**
 * The wait before the next poll, in milliseconds. An upstream that names no time, or zero, is not polled in a hot loop.
 *
 * @param elapsedMs since the operation began.
 */
export function pollWaitMs(following: Omit<Following, 'operation'>, elapsedMs: number): number {
	const fairMs = Math.min(POLL_SHARE.max, elapsedMs * POLL_SHARE.share);
	const waitMs = Math.max(POLL_MS.min, fairMs, wantedMs(following));
	return Math.round(Math.min(POLL_MS.longest, waitMs));
}

function wantedMs({ answers, failures, retryAfterMs }: Omit<Following, 'operation'>): number {
	if (failures > 0) return Math.max(grown(failures - 1, POLL_MS.maxAfterFailures), retryAfterMs ?? 0);
	return retryAfterMs ?? grown(answers, POLL_MS.max);
}

function grown(times: number, maxMs: number): number {
	return doubledMs({ first: POLL_MS.first, max: maxMs }, times);
}
