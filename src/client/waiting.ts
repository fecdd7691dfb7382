/** Calculates the wait before the next request. Pure: it has no clock, no timer and no randomness. */

import { doubledMs } from '../core/http/doubling-wait.ts';
import { type CoatcheckError, ProblemError, TransportError } from './errors.ts';
import { JITTER_SHARE, MAX_RETRY_AFTER_MS, MAX_TRIES, MS_PER_SECOND, SPREAD_MS, WAIT_MS } from './limits.ts';

/** The facts that determine the next wait. */
export interface PollWaitFacts {
	/** Number of consecutive waits after which nothing had changed. The waits grow with it, whatever the server asks for. */
	readonly quiet: number;
	/** The shortest wait that the server asks for, in milliseconds. Default: 0. */
	readonly retryAfterMs?: number | undefined;
	/** A number in [0, 1). */
	readonly random: number;
	/** Default: `WAIT_MS`. */
	readonly waitMs?: WaitBounds | undefined;
	/** A connection was lost, perhaps together with those of many other clients: the wait gets more jitter. Default: false. */
	readonly isLost?: boolean | undefined;
}

/** The bounds of the waits, in milliseconds. */
export interface WaitBounds {
	/** The shortest wait, whatever the server asks for. */
	readonly first: number;
	/** Upper bound of the doubling; a server may ask for more. */
	readonly max: number;
}

/** Limits for retrying a failed request. */
export interface RepeatLimits {
	/** Maximum number of tries. Default: `MAX_TRIES`. */
	readonly maxTries?: number | undefined;
	/** The longest `Retry-After` to accept. A longer one ends the retries. Default: `MAX_RETRY_AFTER_MS`. */
	readonly maxRetryAfterMs?: number | undefined;
	/** Default: `WAIT_MS`. */
	readonly waitMs?: WaitBounds | undefined;
}

/** The wait in milliseconds, never less than the first wait. */
export function nextWaitMs({
	quiet,
	retryAfterMs = 0,
	random,
	waitMs = WAIT_MS,
	isLost = false,
}: PollWaitFacts): number {
	const grownMs = Math.max(waitMs.first, doubledMs(waitMs, quiet));
	const leastMs = Math.max(grownMs, retryAfterMs);
	const spreadMs = Math.max(JITTER_SHARE * leastMs, isLost ? SPREAD_MS : Math.min(grownMs, SPREAD_MS));
	return leastMs + spreadMs * random;
}

export interface TryFacts {
	/** Number of tries so far, from 1. */
	readonly tries: number;
	/** A number in [0, 1). */
	readonly random: number;
}

/**
 * The time until a failed request is sent again, in milliseconds.
 *
 * @returns `undefined` when the request is not retried, and the caller gets the failure.
 */
export function waitToRepeatMs(
	error: unknown,
	{ tries, random }: TryFacts,
	{ maxTries = MAX_TRIES, maxRetryAfterMs = MAX_RETRY_AFTER_MS, waitMs }: RepeatLimits = {},
): number | undefined {
	if (!isTransient(error) || tries >= maxTries) return undefined;
	const retryAfterMs = readRetryAfterMs(error);
	if (retryAfterMs !== undefined && retryAfterMs > maxRetryAfterMs) return undefined;
	return nextWaitMs({ quiet: tries - 1, retryAfterMs, random, waitMs });
}

/** 511: the network requires a login first. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 511]);

/** Whether the failure is transient, so that the same request may succeed later. */
export function isTransient(error: unknown): error is CoatcheckError {
	return error instanceof TransportError || (error instanceof ProblemError && PASSING.has(error.status));
}

/** The refusals that say that the server did nothing: such a request may be sent again, whatever its method. */
const REFUSALS: ReadonlySet<number> = new Set([429, 503]);

export function isRefusal(error: unknown): boolean {
	return error instanceof ProblemError && REFUSALS.has(error.status);
}

/** The rate limit counts a client's requests on all transports, so another transport would be refused too. */
const RATE_LIMITED = 429;

export function isRateLimited(error: unknown): boolean {
	return error instanceof ProblemError && error.status === RATE_LIMITED;
}

export function readRetryAfterMs(error: unknown): number | undefined {
	const seconds = error instanceof ProblemError ? error.retryAfterSeconds : undefined;
	return seconds === undefined ? undefined : seconds * MS_PER_SECOND;
}
