/**
 * How an action counts, and what it makes of a job's answer.
 *
 * A portion's jobs are written before it works on them. If its consumer is lost, the next one works on the same jobs again. Each
 * command names the epoch that the job had in the list, and a job recognises a retry of the same action that it has obeyed: so
 * no job runs twice, and each is counted once.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import type { ListedJob } from '../job/news.ts';
import type { Change } from '../job/object-api.ts';
import type { Progress, Walk } from '../job/record.ts';
import { isSystemTask } from '../job/system-task.ts';
import type { ListPage } from '../list/list-api.ts';
import type { ActionName } from './request.ts';

/** Why an action could not change a job. Public: clients see these words, and more may be added. */
export type RefusalReason =
	/** Retry and purge are for jobs that have ended. */
	| 'unfinished'
	/** The job has ended, so it can't be canceled. */
	| 'finished'
	/** The job succeeded, so it can't be retried. */
	| 'succeeded'
	/** The job has changed since the action was made. */
	| 'changed'
	/** The job's data is deleted. */
	| 'gone'
	/** The job's object could not be called, many times. */
	| 'unreachable';

/** What became of a job. `again`: ask later. */
export type Verdict = 'done' | 'again' | RefusalReason;

export const START_OF_WALK: Walk = { page: [], done: 0, refused: {} };

/** Returns why the action can't change a job with this listing; `undefined` if it must be asked. */
export function refusalOfListed(action: ActionName, { status }: Pick<ListedJob, 'status'>): RefusalReason | undefined {
	const isOver = status === 'succeeded' || status === 'failed' || status === 'canceled';
	if (action === 'cancel') return isOver ? 'finished' : undefined;
	if (!isOver) return 'unfinished';
	return action === 'retry' && status === 'succeeded' ? 'succeeded' : undefined;
}

/** Judges a job's answer to an action's command. */
export function verdictOnChange(action: ActionName, change: Change): Verdict {
	if (change.found === 'nothing') return 'gone';
	if (change.found === 'tombstone') return action === 'purge' && change.reason === 'purged' ? 'done' : 'gone';
	switch (change.refusal) {
		case undefined:
			return 'done';
		case 'settled':
			return action === 'cancel' ? verdictOnSettled(change.view.facts) : 'done';
		case 'unfinished':
		case 'succeeded':
			return change.refusal;
		case 'late':
			return 'again';
		default:
			return 'changed';
	}
}

/** A job that is canceled, or is being canceled, may have been canceled by the same portion, before its consumer was lost. */
function verdictOnSettled({ status, phase }: { readonly status: string; readonly phase: string }): Verdict {
	return status === 'canceled' || phase === 'canceling' ? 'done' : 'finished';
}

/** Adds what became of the jobs of a portion. The jobs that must be asked again are the new page. */
export function withVerdicts(walk: Walk, verdicts: Iterable<Verdict>, page: Walk['page']): Walk {
	let { done } = walk;
	const refused: Record<string, number> = { ...walk.refused };
	for (const verdict of verdicts) {
		if (verdict === 'again') continue;
		if (verdict === 'done') done++;
		else refused[verdict] = (refused[verdict] ?? 0) + 1;
	}
	return { ...walk, page, done, refused };
}

/** Adds a page of the list. The service's own jobs are none of the tenant's. */
export function withListed(walk: Walk, action: ActionName, { entries, nextCursor }: ListPage): Walk {
	const { cursor: _, ...kept } = walk;
	const jobs = entries.filter(({ job }) => !isSystemTask(job.task));
	const refusals = jobs.flatMap(({ job }) => refusalOfListed(action, job) ?? []);
	const added = jobs.flatMap(({ job, epoch }) =>
		refusalOfListed(action, job) === undefined ? [[job.id, epoch] as const] : [],
	);
	const next = withVerdicts(kept, refusals, [...walk.page, ...added]);
	return nextCursor === undefined ? { ...next, isLast: true } : { ...next, cursor: nextCursor };
}

/** The end of a walk: jobs that matched, and were not in the list any more when the action came to them, have changed. */
export function endOfWalk(walk: Walk, matched: number): Walk {
	const missed = matched - walk.done - refusedCount(walk);
	return missed > 0 ? { ...walk, refused: { ...walk.refused, changed: (walk.refused.changed ?? 0) + missed } } : walk;
}

export function refusedCount({ refused }: Pick<Walk, 'refused'>): number {
	return Object.values(refused).reduce((sum, count) => sum + count, 0);
}

/** The part of an action's progress that its document shows. */
export interface ActionCounts {
	/** At least as many as are done and refused: the list may have been late when the action was made. */
	readonly matched: number;
	readonly done: number;
	readonly refused: number;
	/** The refused jobs by reason. Left out when there are none. */
	readonly refusals?: Readonly<Record<string, number>>;
}

export function countsOfWalk({ done, refused }: Pick<Walk, 'done' | 'refused'>, matchedBefore: number): ActionCounts {
	const count = refusedCount({ refused });
	const matched = Math.max(matchedBefore, done + count);
	return count === 0 ? { matched, done, refused: 0 } : { matched, done, refused: count, refusals: refused };
}

/** @param isOver the walk has ended. Before that, the progress is below 100 %. */
export function walkProgress(walk: Walk, matchedBefore: number, isOver: boolean): Progress {
	const data = countsOfWalk(walk, matchedBefore);
	const { matched, done, refused } = data;
	const percentComplete = isOver ? 100 : Math.min(99, Math.floor((100 * (done + refused)) / Math.max(1, matched)));
	return { percentComplete, message: `${done} of ${matched} jobs done, ${refused} refused`, data };
}
