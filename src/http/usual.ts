/** How long each task usually takes: learnt from the jobs that this isolate saw finish, for `Retry-After` only. */
import { MS_PER_SECOND } from '../job/limits.ts';

/** What a task is thought to take before one was seen, in milliseconds. */
const FIRST_GUESS_MS = 1 * MS_PER_SECOND;
/** The weight of the newest job in the average. */
const NEWEST_SHARE = 0.2;

const usual = new Map<string, number>();

export function usualMs(task: string): number {
	return usual.get(task) ?? FIRST_GUESS_MS;
}

export function learn(task: string, tookMs: number): void {
	const before = usual.get(task);
	usual.set(task, before === undefined ? tookMs : before + (tookMs - before) * NEWEST_SHARE);
}
