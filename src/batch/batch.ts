/**
 * Jobs that were submitted together, and how many of them are in which status. A batch is a list and nothing more: its jobs know
 * nothing of it, and what they are is asked of them. So the list needs no telling, and can't be told wrong.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { secondsAfter } from '../job/estimate.ts';
import { STATUSES, type Status } from '../job/record.ts';
import { LOOK_AGAIN_MS } from './limits.ts';

/** What a job can be found to be; `gone` is one that isn't there any more: purged, or expired. */
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
	/** Nobody can ask for it later. */
	readonly keptUntil: number;
	/** The jobs' ids, in the order in which they were accepted. */
	readonly ids: readonly string[];
	/** Where in `ids` the jobs are that nobody needs to ask again: nothing changes a job that succeeded, or is gone. */
	readonly succeeded: readonly number[];
	readonly gone: readonly number[];
	/** How often jobs were added: what was found out before the last time may not be so any more. */
	readonly round: number;
	readonly counts: Counts;
	readonly countedAt: number;
}

/** What became of some jobs, by their place in `ids`. */
export type Findings = readonly (readonly [index: number, found: Found])[];

/** A job that is in a batch from now on. */
export interface Joining {
	readonly id: string;
	readonly found: Found;
	/** Whether it was accepted just now: then whatever was known of this id was of an earlier job. */
	readonly isNew: boolean;
}

export interface Submitted extends Pick<BatchRecord, 'tenant' | 'fingerprint' | 'keptUntil'> {
	readonly jobs: readonly Joining[];
}

/** The batch after a submission. One of which no job is known from before is another batch, whatever it is called. */
export function withJobs(before: BatchRecord | undefined, { jobs, ...submitted }: Submitted, now: number): BatchRecord {
	const isRepeat = jobs.some(({ isNew }) => !isNew);
	const base = isRepeat && before ? before : { ...EMPTY, createdAt: now };
	const ids = [...new Set([...base.ids, ...jobs.map(({ id }) => id)])];
	const places = new Map(ids.map((id, index) => [id, index]));
	const renewed = new Set(jobs.filter(({ isNew }) => isNew).map(({ id }) => places.get(id)));
	const known = {
		succeeded: base.succeeded.filter((index) => !renewed.has(index)),
		gone: base.gone.filter((index) => !renewed.has(index)),
	};
	const findings = jobs.map(({ id, found }) => [places.get(id) ?? 0, found] as const);
	return {
		version: 1,
		...submitted,
		createdAt: base.createdAt,
		keptUntil: Math.max(base.keptUntil, submitted.keptUntil),
		ids,
		...known,
		round: (before?.round ?? 0) + 1,
		counts: countsOf(known, findings),
		// What was not sent again has to be asked.
		countedAt: places.size === jobs.length ? now : 0,
	};
}

const EMPTY = { keptUntil: 0, ids: [], succeeded: [], gone: [] } as const;

/** The jobs that have to be asked to know how the batch is. */
export function unsettled({ ids, succeeded, gone }: BatchRecord): number[] {
	const settled = new Set([...succeeded, ...gone]);
	return [...ids.keys()].filter((index) => !settled.has(index));
}

/** The batch after its jobs were asked. What was found in an earlier round, or before what is known by now, says nothing. */
export function withFindings(batch: BatchRecord, findings: Findings, countedAt: number, round: number): BatchRecord {
	if (round !== batch.round || countedAt < batch.countedAt) return batch;
	const open = new Set(unsettled(batch));
	const places = (wanted: Found) =>
		findings.filter(([index, found]) => found === wanted && open.has(index)).map(([index]) => index);
	return {
		...batch,
		succeeded: [...batch.succeeded, ...places('succeeded')],
		gone: [...batch.gone, ...places('gone')],
		counts: countsOf(batch, findings),
		countedAt,
	};
}

/** Whether a batch says something that will be so for ever and the other doesn't: worth a row. */
export function isMoreSettled(batch: BatchRecord, before: BatchRecord): boolean {
	return batch.succeeded.length + batch.gone.length > before.succeeded.length + before.gone.length;
}

/** How many are what, after all that weren't settled were asked. */
export function countsOf({ succeeded, gone }: Pick<BatchRecord, 'succeeded' | 'gone'>, findings: Findings): Counts {
	const counts = { ...Object.fromEntries(STATUSES.map((status) => [status, 0])), gone: 0 } as Record<Found, number>;
	const settled = new Set([...succeeded, ...gone]);
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
	return secondsAfter(Math.max(remainingMs, goodForMs(unfinished)), random);
}
