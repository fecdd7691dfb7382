/** How long to wait before asking again. Pure: no clock, no timer, no chance of its own. */

import { type CoatcheckError, ProblemError, TransportError } from './errors.ts';
import { JITTER_SHARE, MAX_RETRY_AFTER_MS, MAX_TIMER_MS, MAX_TRIES, MS_PER_SECOND, WAIT_MS } from './limits.ts';

/** What the next wait is made from. */
export interface WaitFacts {
	/** How often in a row nothing has changed. Whatever the server says, this makes the waits grow. */
	readonly quiet: number;
	/** The least the server asks for, in milliseconds. Default: 0. */
	readonly retryAfterMs?: number | undefined;
	/** A number in [0, 1). */
	readonly random: number;
}

/** In milliseconds; never less than `WAIT_MS.first`. */
export function nextWaitMs({ quiet, retryAfterMs = 0, random }: WaitFacts): number {
	const grownMs = Math.min(WAIT_MS.max, WAIT_MS.first * 2 ** quiet);
	return Math.min(MAX_TIMER_MS, Math.max(grownMs, retryAfterMs) * (1 + JITTER_SHARE * random));
}

/**
 * Whether, and in how many milliseconds, a request that failed is sent again.
 *
 * @param tries how often it was sent, from 1.
 * @returns `undefined` when the failure is the caller's to deal with.
 */
export function waitToRepeatMs(error: unknown, tries: number, random: number): number | undefined {
	if (!isPassing(error) || tries >= MAX_TRIES) return undefined;
	const retryAfterMs = retryAfterMsOf(error);
	if (retryAfterMs !== undefined && retryAfterMs > MAX_RETRY_AFTER_MS) return undefined;
	return nextWaitMs({ quiet: tries - 1, retryAfterMs, random });
}

const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Whether the same request may be answered better in a while. */
export function isPassing(error: unknown): error is CoatcheckError {
	return error instanceof TransportError || (error instanceof ProblemError && PASSING.has(error.status));
}

export function retryAfterMsOf(error: unknown): number | undefined {
	const seconds = error instanceof ProblemError ? error.retryAfterSeconds : undefined;
	return seconds === undefined ? undefined : seconds * MS_PER_SECOND;
}

/**
 * `Retry-After` (RFC 9110 §10.2.3) in seconds: a number, or a date.
 *
 * @param now milliseconds since the epoch.
 * @returns `undefined` when there is none, or none that can be understood.
 */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
	if (header === null) return undefined;
	if (/^\s*\d+\s*$/.test(header)) return Number(header);
	// Every form of an HTTP date begins with the day of the week; `Date.parse` takes almost anything.
	const at = /^[A-Z][a-z]+,? /.test(header) ? Date.parse(header) : Number.NaN;
	return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / MS_PER_SECOND));
}
