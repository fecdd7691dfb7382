/**
 * Jobs that were submitted together, and their number in each status. A batch is only a list: its jobs are independent of it,
 * and their statuses are read from them. So no notification of the batch can be lost or wrong.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { secondsAfter } from '../job/estimate.ts';
import { STATUSES, type Status } from '../job/record.ts';
import { LOOK_AGAIN_MS } from './limits.ts';

/** The status of a batch's job; `gone` if it no longer exists, because it was purged or has expired. */
export type JobStatus = Status | 'gone';

/** The number of a batch's jobs in each status. */
export type Counts = Readonly<Record<JobStatus, number>>;

/** A persisted contract: only add optional fields. */
export interface BatchRecord {
	readonly version: 1;
	readonly tenant: string;
	/** Fingerprint of the request, for the Idempotency-Key; absent without a key. */
	readonly fingerprint?: string;
	/** Like all times here, in milliseconds since the epoch. */
	readonly createdAt: number;
	/** The time at which the batch expires. */
	readonly keptUntil: number;
	/** The jobs' ids, in the order in which they were accepted. */
	readonly ids: readonly string[];
	/** Indexes in `ids` of jobs that need no further read: succeeded and gone jobs never change. */
	readonly succeeded: readonly number[];
	readonly gone: readonly number[];
	/** Number of submissions to this batch: statuses from an earlier round may be outdated. */
	readonly round: number;
	readonly counts: Counts;
	readonly countedAt: number;
}

/** Statuses of jobs, by their index in `ids`. */
export type StatusUpdates = readonly (readonly [index: number, found: JobStatus])[];

/** The statuses of a batch's unsettled jobs. */
export interface StatusReport extends Pick<BatchRecord, 'countedAt' | 'round'> {
	readonly findings: StatusUpdates;
}

/** A job that is added to a batch. */
export interface Joining {
	readonly id: string;
	readonly found: JobStatus;
	/** Whether it was accepted just now: then earlier statuses of this id belong to a previous job. */
	readonly isNew: boolean;
	/** The call that accepts it failed, so it may have been accepted before. Earlier versions leave it out. */
	readonly isLost?: true;
}

export interface Submitted extends Pick<BatchRecord, 'tenant' | 'fingerprint' | 'keptUntil'> {
	readonly jobs: readonly Joining[];
}

/** The batch after a submission. If all its jobs are certainly new, it replaces a previous batch with the same id. */
export function withJobs(before: BatchRecord | undefined, { jobs, ...submitted }: Submitted, now: number): BatchRecord {
	const isRepeat = jobs.some(({ isNew, isLost }) => !isNew || isLost);
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
		counts: countStatuses(known, findings),
		// Jobs that this submission did not repeat have to be read.
		countedAt: places.size === jobs.length ? now : 0,
	};
}

const EMPTY = { keptUntil: 0, ids: [], succeeded: [], gone: [] } as const;

/** Indexes of the jobs that must be read to count the batch. */
export function unsettled({ ids, succeeded, gone }: BatchRecord): number[] {
	const settled = new Set([...succeeded, ...gone]);
	return [...ids.keys()].filter((index) => !settled.has(index));
}

/** The batch after its jobs were read. Statuses of an earlier round, or older than the known ones, are ignored. */
export function withFindings(batch: BatchRecord, { findings, countedAt, round }: StatusReport): BatchRecord {
	if (round !== batch.round || countedAt < batch.countedAt) return batch;
	const open = new Set(unsettled(batch));
	const places = (wanted: JobStatus) =>
		findings.filter(([index, found]) => found === wanted && open.has(index)).map(([index]) => index);
	return {
		...batch,
		succeeded: [...batch.succeeded, ...places('succeeded')],
		gone: [...batch.gone, ...places('gone')],
		counts: countStatuses(batch, findings),
		countedAt,
	};
}

/** Whether a batch has more final statuses than before: only then it is written to storage. */
export function isMoreSettled(batch: BatchRecord, before: BatchRecord): boolean {
	return batch.succeeded.length + batch.gone.length > before.succeeded.length + before.gone.length;
}

/** The counts, after all unsettled jobs were read. */
export function countStatuses(
	{ succeeded, gone }: Pick<BatchRecord, 'succeeded' | 'gone'>,
	findings: StatusUpdates,
): Counts {
	const counts = { ...Object.fromEntries(STATUSES.map((status) => [status, 0])), gone: 0 } as Record<JobStatus, number>;
	const settled = new Set([...succeeded, ...gone]);
	for (const [index, found] of findings) if (!settled.has(index)) counts[found]++;
	counts.succeeded += succeeded.length;
	counts.gone += gone.length;
	return counts;
}

export function countUnfinished({ pending, running }: Counts): number {
	return pending + running;
}

/** How long counts stay current. It grows with the number of jobs to read, because each costs a call. */
export function goodForMs(toAsk: number): number {
	return Math.min(LOOK_AGAIN_MS.max, Math.max(LOOK_AGAIN_MS.min, toAsk * LOOK_AGAIN_MS.perJob));
}

/**
 * `Retry-After` in whole seconds, 1–60: the estimated time until all jobs are finished, extrapolated from the finished ones.
 *
 * @param random a number in [0, 1).
 */
export function batchRetryAfterSeconds(counts: Counts, elapsedMs: number, random: number): number {
	const unfinished = countUnfinished(counts);
	const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
	const ended = all - unfinished;
	const remainingMs = ended === 0 ? elapsedMs : (elapsedMs * unfinished) / ended;
	return secondsAfter(Math.max(remainingMs, goodForMs(unfinished)), random);
}
