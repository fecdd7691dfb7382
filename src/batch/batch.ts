/**
 * Jobs that were submitted together, and how many of them are in which status. A batch is a list and nothing more: its jobs know
 * nothing of it, and what they are is asked of them. So the list needs no telling, and can't be told wrong.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { RETRY_AFTER_SECONDS } from '../job/limits.ts';
import { STATUSES, type Status } from '../job/record.ts';
import { LOOK_AGAIN_MS } from './limits.ts';

/** What a job can be found to be; `gone` is one that isn't there (any more): purged, expired, or never accepted. */
export type Found = Status | 'gone';

/** How many jobs of a batch are what. */
export type Counts = Readonly<Record<Found, number>>;

/** A persisted contract: only add optional fields. */
export interface BatchRecord {
	readonly version: 1;
	readonly tenant: string;
	/** What an Idempotency-Key stands for; left out where there was none. */
	readonly fingerprint?: string;
	/** Milliseconds since the epoch, like all times here. */
	readonly createdAt: number;
	/** Nobody can ask for it later: all of its jobs are gone by then. */
	readonly keptUntil: number;
	/** The jobs' ids, in the order of the submission. */
	readonly ids: readonly string[];
	/** Where in `ids` the jobs are that nobody needs to ask again: nothing changes a job that succeeded, or is gone. */
	readonly succeeded: readonly number[];
	readonly gone: readonly number[];
}

/** What became of some jobs, by their place. */
export type Findings = readonly (readonly [index: number, found: Found])[];

/** The jobs that have to be asked to know how the batch is. */
export function unsettled({ ids, succeeded, gone }: BatchRecord): number[] {
	const settled = new Set([...succeeded, ...gone]);
	return [...ids.keys()].filter((index) => !settled.has(index));
}

/** The batch with what is certain of these findings; the same one when nothing is new. */
export function withFindings(batch: BatchRecord, findings: Findings): BatchRecord {
	const open = new Set(unsettled(batch));
	const places = (wanted: Found) =>
		findings.filter(([index, found]) => found === wanted && open.has(index)).map(([index]) => index);
	const succeeded = places('succeeded');
	const gone = places('gone');
	if (succeeded.length + gone.length === 0) return batch;
	return { ...batch, succeeded: [...batch.succeeded, ...succeeded], gone: [...batch.gone, ...gone] };
}

/** How many are what, after all that weren't settled were asked. */
export function countsOf({ succeeded, gone }: Pick<BatchRecord, 'succeeded' | 'gone'>, findings: Findings): Counts {
	const counts = { ...Object.fromEntries(STATUSES.map((status) => [status, 0])), gone: 0 } as Record<Found, number>;
	const settled = new Set([...succeeded, ...gone]);
	// Whoever asked at the same time may have settled some meanwhile.
	for (const [index, found] of findings) if (!settled.has(index)) counts[found]++;
	counts.succeeded += succeeded.length;
	counts.gone += gone.length;
	return counts;
}

export function unfinishedOf({ pending, running }: Counts): number {
	return pending + running;
}

/** How long counts are good for when so many jobs have to be asked to make them anew: asking costs a call each. */
export function goodForMs(toAsk: number): number {
	return Math.min(LOOK_AGAIN_MS.max, Math.max(LOOK_AGAIN_MS.min, toAsk * LOOK_AGAIN_MS.perJob));
}

/**
 * Whole seconds until it is worth asking again, 1–60: when all are likely to have ended, going by those that have.
 *
 * @param random a number in [0, 1).
 */
export function retryAfterSeconds(counts: Counts, elapsedMs: number, random: number): number {
	const unfinished = unfinishedOf(counts);
	const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
	const ended = all - unfinished;
	const remainingMs = ended === 0 ? elapsedMs : (elapsedMs * unfinished) / ended;
	const seconds = Math.ceil((Math.max(remainingMs, goodForMs(unfinished)) * (1 + JITTER_SHARE * random)) / 1_000);
	return Math.min(RETRY_AFTER_SECONDS.max, Math.max(RETRY_AFTER_SECONDS.min, seconds));
}

/** Clients that were told the same time would come back together: each gets up to this share more. */
const JITTER_SHARE = 0.2;
