/**
 * An honest `Retry-After`: when is a client's next question likely to have a better answer?
 *
 * Pure: what is known about the queue and about such tasks comes in as numbers.
 */
import { MS_PER_SECOND, RETRY_AFTER_SECONDS } from './limits.ts';

/** What the estimate is made from. All times in milliseconds. */
export interface WaitFacts {
	readonly status: 'pending' | 'running';
	/** Since the attempt started; while pending, since the job could start, 0 before. */
	readonly elapsedMs: number;
	/** Until the job may start, 0 when it may. */
	readonly untilStartMs?: number;
	readonly percentComplete?: number;
	/** How far into the attempt `percentComplete` was reported: it may be old by now. Default: just now. */
	readonly reportedMs?: number;
	/** How long such a task usually takes. */
	readonly usualMs: number;
	/** How long such jobs wait at the moment, from when they may start to when they do. */
	readonly usualWaitMs?: number;
}

/** Below this percentage a report says too little to go by. */
const MIN_TELLING_PERCENT = 5;

/** Clients that were told the same time would come back together: each gets up to this share more. */
const JITTER_SHARE = 0.2;

/**
 * Whole seconds until it is worth asking again, 1–60.
 *
 * @param random a number in [0, 1).
 */
export function retryAfterSeconds(facts: WaitFacts, random: number): number {
	return secondsAfter(facts.status === 'running' ? remainingOf(facts) : waitOf(facts), random);
}

/** So many milliseconds as a `Retry-After`: whole seconds, 1–60, and spread. */
export function secondsAfter(remainingMs: number, random: number): number {
	const seconds = Math.round((remainingMs * (1 + JITTER_SHARE * random)) / MS_PER_SECOND);
	return Math.min(RETRY_AFTER_SECONDS.max, Math.max(RETRY_AFTER_SECONDS.min, seconds));
}

function waitOf({ untilStartMs = 0, elapsedMs, usualWaitMs = 0, usualMs }: WaitFacts): number {
	return untilStartMs + restOf(usualWaitMs, elapsedMs) + usualMs;
}

function remainingOf({ percentComplete, elapsedMs, reportedMs = elapsedMs, usualMs }: WaitFacts): number {
	if (percentComplete !== undefined && percentComplete >= MIN_TELLING_PERCENT) {
		return Math.max(0, (reportedMs * 100) / percentComplete - elapsedMs);
	}
	return restOf(usualMs, elapsedMs);
}

/** Past its usual time, a job tends to need about as long again: asking twice as late each time costs little. */
function restOf(usualMs: number, elapsedMs: number): number {
	return elapsedMs < usualMs ? usualMs - elapsedMs : elapsedMs;
}
