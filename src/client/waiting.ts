/** How long to wait before asking again. Pure: no clock, no timer, no chance of its own. */

import { type CoatcheckError, ProblemError, TransportError } from './errors.ts';
import {
	JITTER_SHARE,
	MAX_RETRY_AFTER_MS,
	MAX_TIMER_MS,
	MAX_TRIES,
	MS_PER_SECOND,
	SPREAD_MS,
	WAIT_MS,
} from './limits.ts';

/** What the next wait is made from. */
export interface WaitFacts {
	/** How often in a row nothing has changed. Whatever the server says, this makes the waits grow. */
	readonly quiet: number;
	/** The least the server asks for, in milliseconds. Default: 0. */
	readonly retryAfterMs?: number | undefined;
	/** A number in [0, 1). */
	readonly random: number;
	/** Default: `WAIT_MS`. */
	readonly waitMs?: WaitBounds | undefined;
	/** A connection was lost, perhaps those of many clients at once: the wait is spread more. Default: false. */
	readonly isLost?: boolean | undefined;
}

/** How waits grow, in milliseconds. */
export interface WaitBounds {
	/** No wait is shorter, whatever the server says. */
	readonly first: number;
	/** Doubling ends here; a server may ask for more. */
	readonly max: number;
}

/** How long a request that fails is sent again. */
export interface RepeatLimits {
	/** How often it is sent in all. Default: `MAX_TRIES`. */
	readonly maxTries?: number | undefined;
	/** Who is told to wait longer gives up. Default: `MAX_RETRY_AFTER_MS`. */
	readonly maxRetryAfterMs?: number | undefined;
	/** Default: `WAIT_MS`. */
	readonly waitMs?: WaitBounds | undefined;
}

/** In milliseconds; never less than the first wait. */
export function nextWaitMs({ quiet, retryAfterMs = 0, random, waitMs = WAIT_MS, isLost = false }: WaitFacts): number {
	const grownMs = Math.max(waitMs.first, Math.min(waitMs.max, waitMs.first * 2 ** quiet));
	const leastMs = Math.max(grownMs, retryAfterMs);
	const spreadMs = Math.max(JITTER_SHARE * leastMs, isLost ? SPREAD_MS : Math.min(grownMs, SPREAD_MS));
	return Math.min(MAX_TIMER_MS, leastMs + spreadMs * random);
}

/**
 * Whether, and in how many milliseconds, a request that failed is sent again.
 *
 * @param tries how often it was sent, from 1.
 * @returns `undefined` when the failure is the caller's to deal with.
 */
export function waitToRepeatMs(
	error: unknown,
	tries: number,
	random: number,
	{ maxTries = MAX_TRIES, maxRetryAfterMs = MAX_RETRY_AFTER_MS, waitMs }: RepeatLimits = {},
): number | undefined {
	if (!isPassing(error) || tries >= maxTries) return undefined;
	const retryAfterMs = retryAfterMsOf(error);
	if (retryAfterMs !== undefined && retryAfterMs > maxRetryAfterMs) return undefined;
	return nextWaitMs({ quiet: tries - 1, retryAfterMs, random, waitMs });
}

/** 511: a network wants a login before it lets anything through. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 511]);

/** Whether the same request may be answered better in a while. */
export function isPassing(error: unknown): error is CoatcheckError {
	return error instanceof TransportError || (error instanceof ProblemError && PASSING.has(error.status));
}

/** The refusals that say that nothing was done: a request that got one may be sent again, whatever its method. */
const REFUSALS: ReadonlySet<number> = new Set([429, 503]);

export function isRefusal(error: unknown): boolean {
	return error instanceof ProblemError && REFUSALS.has(error.status);
}

/** The refusal that counts a client's requests, however they are made: another transport is told the same. */
const RATE_LIMITED = 429;

export function isRateLimited(error: unknown): boolean {
	return error instanceof ProblemError && error.status === RATE_LIMITED;
}

export function retryAfterMsOf(error: unknown): number | undefined {
	const seconds = error instanceof ProblemError ? error.retryAfterSeconds : undefined;
	return seconds === undefined ? undefined : seconds * MS_PER_SECOND;
}
