/** The typical duration of each task, for `Retry-After` only. Computed from the jobs that this isolate saw finish. */
import { MS_PER_SECOND } from '../core/job/limits.ts';

/** Assumed duration of a task without finished jobs, in milliseconds. */
const FIRST_GUESS_MS = 1 * MS_PER_SECOND;
/** The weight of the newest job in the average. */
const NEWEST_SHARE = 0.2;

const usual = new Map<string, number>();
/** Recorded runs, so that each job counts once, even if it is read several times. */
const learnt = new Set<string>();
const MAX_LEARNT = 1_000;

export function typicalMs(task: string): number {
	return usual.get(task) ?? FIRST_GUESS_MS;
}

export interface FinishedJob {
	readonly id: string;
	readonly task: string;
	/** RFC 3339. */
	readonly startedAt: string;
	readonly finishedAt: string;
}

/** Records the duration of one run of a job, once. */
export function recordDuration({ id, task, startedAt, finishedAt }: FinishedJob): void {
	const run = `${id} ${finishedAt}`;
	if (learnt.has(run)) return;
	const [oldest] = learnt;
	if (oldest !== undefined && learnt.size >= MAX_LEARNT) learnt.delete(oldest);
	learnt.add(run);
	const tookMs = Date.parse(finishedAt) - Date.parse(startedAt);
	const before = usual.get(task);
	usual.set(task, before === undefined ? tookMs : before + (tookMs - before) * NEWEST_SHARE);
}
