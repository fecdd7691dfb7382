/** Work that can't be queued now is refused before it is accepted, never after: a client that was told 202 can rely on it. */
import { MS_PER_SECOND } from '../job/limits.ts';
import { fullForMs } from '../queue/pressure.ts';
import type { Exchange } from './exchange.ts';
import { Problem } from './problem.ts';

type Capacity = Pick<Exchange, 'lanes' | 'config'>;

/** Those who were turned away together come back spread over this time, in seconds. */
const SPREAD_SECONDS = 5;

/** @throws {Problem} `Overloaded`, with a `Retry-After`, when the lane takes no more jobs. */
export function refuseWhenFull(capacity: Capacity, lane: string): void {
	const waitMs = fullMs(capacity, lane);
	if (waitMs === 0) return;
	const retryAfterSeconds = Math.ceil(waitMs / MS_PER_SECOND + Math.random() * SPREAD_SECONDS);
	throw new Problem('Overloaded', 'More is waiting than can be queued: nothing was accepted, try again later', {
		headers: { 'retry-after': String(retryAfterSeconds) },
	});
}

export function isFull(capacity: Capacity, lane: string): boolean {
	return fullMs(capacity, lane) > 0;
}

function fullMs({ lanes, config }: Capacity, lane: string): number {
	return fullForMs(lanes, lane, config.maxBacklog, Date.now());
}
