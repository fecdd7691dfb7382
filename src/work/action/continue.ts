/**
 * Continues a bulk action on behalf of a message: works on the jobs that are written with the action, reads the next ones from the
 * list, and writes both in one step. A consumer can therefore be lost at any moment.
 */
import { CALLS_A_PORTION, FAILED_PORTION_MS, MAX_FAILED_PORTIONS, PAGES_A_PORTION } from '../../core/action/limits.ts';
import { ActionParameters } from '../../core/action/request.ts';
import { countsOfWalk, endOfWalk, walkProgress, withListed } from '../../core/action/walk.ts';
import { doubledMs } from '../../core/http/doubling-wait.ts';
import type { Failure } from '../../core/job/lifecycle.ts';
import { ASKING_MS } from '../../core/job/limits.ts';
import type { Asking, Report } from '../../core/job/object-api.ts';
import type { Walk } from '../../core/job/record.ts';
import { PAGE_ITEMS } from '../../core/list/limits.ts';
import { logError } from '../../log.ts';
import type { AttemptDependencies } from '../attempt.ts';
import { type ActionAtWork, Portion, type PortionResult } from './portion.ts';

/** Number of calls that a retry with quotas takes: the job's usage, the reservation, the retry. */
const CALLS_OF_RESERVED_RETRY = 3;

/** @param due the action, as its job has handed it out for this portion. */
export async function continueAction(
	dependencies: AttemptDependencies,
	id: string,
	due: Extract<Asking, { asking: true }> & { readonly walk: Walk },
): Promise<Report> {
	const { lease, following, walk } = due;
	const { tenant = '', fence } = lease;
	const action: ActionAtWork = {
		dependencies: dependencies.actions,
		id,
		lease,
		tenant,
		createdAt: fence.createdAt ?? 0,
		parameters: ActionParameters.parse(lease.parameters),
		following,
		walk,
		jobs: dependencies.jobs,
		ownJobs: dependencies.jobs.repeatingUntil(Date.now() + ASKING_MS),
	};
	const result = await new Portion(action).run();
	if (result.isStopped) return writePortion(action, { walk: result.walk, failures: 0, waitMs: 0 });
	const listed = await readList(action, result.walk);
	if (listed && isAtEnd(listed)) return completeAction(action, endOfWalk(listed, action.parameters.matched));
	const failures = failedPortions(action, result, listed === undefined);
	if (failures > MAX_FAILED_PORTIONS && !listed) return failAction(action, LIST_UNREACHABLE);
	return writePortion(action, { walk: listed ?? result.walk, failures, waitMs: waitAfter(result, failures) });
}

const LIST_UNREACHABLE: Failure = {
	error: { code: 'ListUnreachable', message: 'The list of jobs could not be read, many times', retryable: false },
	status: 503,
};

function isAtEnd({ page, isLast }: Walk): boolean {
	return page.length === 0 && isLast === true;
}

/**
 * Reads the next jobs when none are left.
 *
 * @returns `undefined` if the list is unreachable.
 */
async function readList(action: ActionAtWork, before: Walk): Promise<Walk | undefined> {
	if (before.page.length > 0) return before;
	const { dependencies, parameters, tenant, createdAt, id } = action;
	const filter = { ...parameters.filter, unchangedSince: createdAt };
	const maxJobs = jobsInPortion(action);
	let walk = before;
	try {
		for (let pages = 0; pages < PAGES_A_PORTION && walk.page.length < maxJobs && !walk.isLast; pages++) {
			const query = { filter, limit: Math.min(PAGE_ITEMS.max, maxJobs - walk.page.length) };
			const from = walk.cursor === undefined ? query : { ...query, cursor: walk.cursor };
			walk = withListed(walk, parameters.action, await dependencies.lists.call(tenant, (list) => list.listJobs(from)));
		}
		return walk;
	} catch (error) {
		logError('list of an action unreachable', { action: id, error });
		return undefined;
	}
}

function jobsInPortion({ dependencies, parameters }: ActionAtWork): number {
	const isReserved = parameters.action === 'retry' && dependencies.quotas !== undefined;
	return Math.floor(CALLS_A_PORTION / (isReserved ? CALLS_OF_RESERVED_RETRY : 1));
}

/** The number of portions in a row that had no effect. */
function failedPortions({ following }: ActionAtWork, result: PortionResult, isListFailed: boolean): number {
	const { calledJobs, failedCalls } = result;
	const isVain = failedCalls === calledJobs && (failedCalls > 0 || isListFailed);
	return isVain ? following.failures + 1 : 0;
}

function waitAfter({ failedCalls, restMs }: PortionResult, failures: number): number {
	if (failures > 0) return doubledMs(FAILED_PORTION_MS, failures - 1);
	return Math.max(restMs, failedCalls > 0 ? FAILED_PORTION_MS.first : 0);
}

interface NextPortion {
	readonly walk: Walk;
	readonly failures: number;
	readonly waitMs: number;
}

/** The report has the message for the next portion. */
function writePortion(action: ActionAtWork, { walk, failures, waitMs }: NextPortion): Promise<Report> {
	const { id, ownJobs, lease, following, parameters } = action;
	const { fence } = lease;
	const { asks, answers } = following;
	const progress = walkProgress(walk, parameters.matched, false);
	const next = { answers: answers + 1, failures, walk };
	return ownJobs.call(id, (job) => job.continuePolling({ fence, asks, following: next, waitMs, progress }));
}

function completeAction({ id, ownJobs, lease, parameters }: ActionAtWork, walk: Walk): Promise<Report> {
	const { fence } = lease;
	const progress = walkProgress(walk, parameters.matched, true);
	const inline = new TextEncoder().encode(JSON.stringify(countsOfWalk(walk, parameters.matched)));
	const body = { inline, mediaType: 'application/json', sizeBytes: inline.byteLength };
	const reply = { status: 200, headers: [], body };
	return ownJobs.call(id, (job) => job.completeAttempt({ fence, reply, progress }));
}

function failAction({ id, ownJobs, lease }: ActionAtWork, failure: Failure): Promise<Report> {
	return ownJobs.call(id, (job) => job.failAttempt({ fence: lease.fence, failure }));
}
