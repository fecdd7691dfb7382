/**
 * The backoff between attempts: full jitter, as described in "Exponential Backoff And Jitter" (AWS Architecture Blog,
 * 2015). Jitter over the whole interval keeps a thousand jobs that failed together from being retried together.
 */
import { doubledMs } from '../http/doubling-wait.ts';
import { BACKOFF_MS, MAX_RETRY_AFTER_MS, MAX_WAKES, UNREACHABLE_MS, WATCHDOG_MS } from './limits.ts';

/**
 * The backoff before the next attempt, in milliseconds.
 *
 * @param failedAttempt the attempt that failed, from 1.
 * @param random a number in [0, 1).
 * @param atLeastMs the wait that the task or upstream asked for, up to a cap; it applies when it is longer than the
 * backoff.
 */
export function backoffMs(failedAttempt: number, random: number, atLeastMs = 0): number {
	const ceilingMs = doubledMs({ first: BACKOFF_MS.base, max: BACKOFF_MS.max }, failedAttempt - 1);
	const askedMs = Number.isFinite(atLeastMs) ? Math.min(atLeastMs, MAX_RETRY_AFTER_MS) : 0;
	return Math.max(Math.round(random * ceilingMs), askedMs);
}

/** The watchdog's interval after `wakes` checks of a message, in milliseconds. */
export function watchdogMs(wakes: number): number {
	return doubledMs(WATCHDOG_MS, wakes);
}

/** A position in the watchdog's schedule. */
export interface WatchdogCheck {
	/** In milliseconds since the epoch. */
	readonly checkAt: number;
	readonly wakes: number;
}

/** Returns the schedule's first check after `now`, or its last one. */
export function nextCheck({ checkAt, wakes }: WatchdogCheck, now: number): WatchdogCheck {
	let look = { checkAt, wakes };
	while (look.checkAt <= now && look.wakes < MAX_WAKES) {
		look = { checkAt: look.checkAt + watchdogMs(look.wakes + 1), wakes: look.wakes + 1 };
	}
	return look;
}

/**
 * The delay of a message whose job can't be reached, in milliseconds. The delay grows, so that one message is retried for
 * most of a day. The jitter covers half of the delay, so that messages that failed together don't return together.
 *
 * @param attempts the number of times that the message was delivered, from 1.
 * @param random a number in [0, 1).
 */
export function unreachableMs(attempts: number, random: number): number {
	const ceilingMs = doubledMs(UNREACHABLE_MS, attempts - 1);
	return ceilingMs * (1 - random / 2);
}
