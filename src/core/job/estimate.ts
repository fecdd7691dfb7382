/**
 * Estimates `Retry-After`: when is a client's next poll likely to find a change?
 *
 * Pure: the caller passes in the numbers known about the queue and the task.
 */
import { MS_PER_SECOND, RETRY_AFTER_SECONDS } from './limits.ts';

/** The input of the estimate. All times in milliseconds. */
export interface RetryAfterFacts {
	readonly status: 'pending' | 'running';
	/** Time since the attempt started; while pending, time since the job could start, 0 before that. */
	readonly elapsedMs: number;
	/** Time until the job may start; 0 when it may start now. */
	readonly untilStartMs?: number;
	readonly percentComplete?: number;
	/** Time from the start of the attempt to the report of `percentComplete`, which may be old. Default: `elapsedMs`. */
	readonly reportedMs?: number;
	/** Typical duration of this task. */
	readonly usualMs: number;
	/** Current typical wait in the queue, from the time when a job may start to its start. */
	readonly usualWaitMs?: number;
}

/** A lower percentage is too small to extrapolate from. */
const MIN_TELLING_PERCENT = 5;

/** Maximum share added to each estimate, so that clients with the same estimate don't poll together. */
const JITTER_SHARE = 0.2;

/**
 * Whole seconds until the client should poll again, 1–60.
 *
 * @param random a number in [0, 1).
 */
export function retryAfterSeconds(facts: RetryAfterFacts, random: number): number {
	return secondsAfter(
		facts.status === 'running' ? remainingMsWhenRunning(facts) : remainingMsWhenPending(facts),
		random,
	);
}

/** Converts milliseconds to a `Retry-After`: whole seconds, 1–60, with jitter. */
export function secondsAfter(remainingMs: number, random: number): number {
	const seconds = Math.round((remainingMs * (1 + JITTER_SHARE * random)) / MS_PER_SECOND);
	return Math.min(RETRY_AFTER_SECONDS.max, Math.max(RETRY_AFTER_SECONDS.min, seconds));
}

function remainingMsWhenPending({ untilStartMs = 0, elapsedMs, usualWaitMs = 0, usualMs }: RetryAfterFacts): number {
	return untilStartMs + restMs(usualWaitMs, elapsedMs) + usualMs;
}

function remainingMsWhenRunning({
	percentComplete,
	elapsedMs,
	reportedMs = elapsedMs,
	usualMs,
}: RetryAfterFacts): number {
	if (percentComplete !== undefined && percentComplete >= MIN_TELLING_PERCENT) {
		return Math.max(0, (reportedMs * 100) / percentComplete - elapsedMs);
	}
	return restMs(usualMs, elapsedMs);
}

/** A job past its typical duration tends to need about as long again: doubling the interval each time costs little. */
function restMs(usualMs: number, elapsedMs: number): number {
	return elapsedMs < usualMs ? usualMs - elapsedMs : elapsedMs;
}
