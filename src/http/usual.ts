/** How long each task usually takes: learnt from the jobs that this isolate saw finish, for `Retry-After` only. */
import { MS_PER_SECOND } from '../job/limits.ts';

/** What a task is thought to take before one was seen, in milliseconds. */
const FIRST_GUESS_MS = 1 * MS_PER_SECOND;
/** The weight of the newest job in the average. */
const NEWEST_SHARE = 0.2;

const usual = new Map<string, number>();
/** Runs that were learnt from, so that a job counts once, however often it is asked for. */
const learnt = new Set<string>();
const MAX_LEARNT = 1_000;

export function usualMs(task: string): number {
	return usual.get(task) ?? FIRST_GUESS_MS;
}

/** A job that is over. */
export interface FinishedJob {
	readonly id: string;
	readonly task: string;
	/** RFC 3339. */
	readonly startedAt: string;
	readonly finishedAt: string;
}

/** Learns from one run of a job, once. */
export function learn({ id, task, startedAt, finishedAt }: FinishedJob): void {
	const run = `${id} ${finishedAt}`;
	if (learnt.has(run)) return;
	const [oldest] = learnt;
	if (oldest !== undefined && learnt.size >= MAX_LEARNT) learnt.delete(oldest);
	learnt.add(run);
	const tookMs = Date.parse(finishedAt) - Date.parse(startedAt);
	const before = usual.get(task);
	usual.set(task, before === undefined ? tookMs : before + (tookMs - before) * NEWEST_SHARE);
}
