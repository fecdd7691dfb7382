/** Rejects a job before acceptance when its queue is full. A job that was accepted with 202 is never rejected later. */
import { MS_PER_SECOND } from '../../core/job/limits.ts';
import { fullForMs } from '../../queue/pressure.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';

type Capacity = Pick<RequestContext, 'lanes' | 'config'>;

/** Jitter of `Retry-After`, in seconds: it spreads the retries of clients that were rejected together. */
const SPREAD_SECONDS = 5;

/** @throws {Problem} `Overloaded`, with a `Retry-After`, when the lane is full. */
export function refuseWhenFull(capacity: Capacity, lane: string): void {
	const waitMs = fullMs(capacity, lane);
	if (waitMs === 0) return;
	const retryAfterSeconds = Math.ceil(waitMs / MS_PER_SECOND + Math.random() * SPREAD_SECONDS);
	throw new Problem('Overloaded', 'The queue is full: nothing was accepted, try again after Retry-After', {
		headers: { 'retry-after': String(retryAfterSeconds) },
	});
}

export function isFull(capacity: Capacity, lane: string): boolean {
	return fullMs(capacity, lane) > 0;
}

function fullMs({ lanes, config }: Capacity, lane: string): number {
	return fullForMs({ lanes, lane, maxBacklog: config.maxBacklog }, Date.now());
}
