/** The tasks of the A2A server: `GET /a2a/tasks`, `GET /a2a/tasks/{id}`, and `{id}:cancel` and `{id}:subscribe`. */
import { PAGE_TASKS } from '../../core/a2a/limits.ts';
import { a2aTask, jobStatusFor } from '../../core/a2a/task.ts';
import { defined } from '../../core/defined.ts';
import type { JobFacts } from '../../core/job/document.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import { cancelJob } from '../commands.ts';
import { countListedJobs, listJobs } from '../list/list.ts';
import { jobRequest, ownRequest } from '../mcp/own-request.ts';
import { hasEnded } from '../mcp/wait.ts';
import { Problem, shown } from '../problem.ts';
import { readJob } from '../read/reading.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';
import { A2aError, a2aJson, answerA2a } from './answer.ts';
import { streamTask } from './stream.ts';
import { wholeTask } from './whole-task.ts';

const SUBSCRIBE = ':subscribe';
const CANCEL = ':cancel';

export function getA2aTask(context: RequestContext): Promise<Response> {
	return answerA2a(context, async () => {
		const { taskId = '' } = context.params;
		if (taskId.endsWith(SUBSCRIBE)) return subscribe(context, taskId.slice(0, -SUBSCRIBE.length));
		const request = jobRequest(context, taskId);
		return a2aJson(await wholeTask(request, await readJob(request, true)));
	});
}

export function changeA2aTask(context: RequestContext): Promise<Response> {
	return answerA2a(context, async () => {
		const { taskId = '' } = context.params;
		if (taskId.endsWith(CANCEL)) return cancel(context, taskId.slice(0, -CANCEL.length));
		// The prose of the protocol says POST, its definition says GET.
		if (taskId.endsWith(SUBSCRIBE)) return subscribe(context, taskId.slice(0, -SUBSCRIBE.length));
		throw new Problem('NotFound', `Expected :cancel or :subscribe after the id of a task, got: ${shown(taskId)}`);
	});
}

async function subscribe(context: RequestContext, id: string): Promise<Response> {
	const job = await readJob(jobRequest(context, id), true);
	if (hasEnded(job)) throw new A2aError('UNSUPPORTED_OPERATION', `The task has ended: ${job.view.facts.status}`);
	return streamTask(context, job);
}

async function cancel(context: RequestContext, id: string): Promise<Response> {
	const path = `/v1/jobs/${encodeURIComponent(id)}/cancel`;
	await cancelJob(ownRequest(context, { method: 'POST', path, params: { id }, scope: 'cancel' }));
	const job: FoundJob = await readJob(jobRequest(context, id), true);
	const { status } = job.view.facts;
	if (status === 'succeeded' || status === 'failed')
		throw new A2aError('TASK_NOT_CANCELABLE', `The task has ended: ${status}`);
	return a2aJson(await wholeTask(context, job));
}

/** The newest first. Artifacts are read one by one. */
export function listA2aTasks(context: RequestContext): Promise<Response> {
	return answerA2a(context, async () => {
		const { filter, pageSize, cursor } = readQuery(context.url.searchParams);
		if (!filter) return a2aJson({ tasks: [], nextPageToken: '', pageSize, totalSize: 0 });
		const page = new URLSearchParams(defined({ ...filter, limit: String(pageSize), cursor }));
		const counted = new URLSearchParams(filter);
		const [listed, counts] = await Promise.all([
			listJobs(ownRequest(context, { method: 'GET', path: `/v1/jobs?${page}`, scope: 'read' })),
			countListedJobs(ownRequest(context, { method: 'GET', path: `/v1/jobs/counts?${counted}`, scope: 'read' })),
		]);
		const { jobs, nextCursor = '' } = await listed.json<{ jobs: JobFacts[]; nextCursor?: string }>();
		const { total } = await counts.json<{ total: number }>();
		const tasks = jobs.map((facts) => a2aTask(facts));
		return a2aJson({ tasks, nextPageToken: nextCursor, pageSize, totalSize: total });
	});
}

interface TaskQuery {
	/** Left out if no job has the wanted state. */
	readonly filter?: Record<string, string>;
	readonly pageSize: number;
	readonly cursor: string | undefined;
}

/** @throws {Problem} `InvalidRequest` */
function readQuery(query: URLSearchParams): TaskQuery {
	const given = (name: string) => query.get(name) || undefined;
	const { min, max, default: usual } = PAGE_TASKS;
	const pageSize = Number(given('pageSize') ?? usual);
	if (!Number.isInteger(pageSize) || pageSize < min || pageSize > max)
		throw wrongParameter('pageSize', `expected a whole number from ${min} to ${max}`);
	if (given('includeArtifacts') === 'true')
		throw wrongParameter('includeArtifacts', 'expected false: get the task for its artifacts');
	if (given('statusTimestampAfter') !== undefined)
		throw wrongParameter('statusTimestampAfter', 'expected none: tasks are listed by the time of their creation');
	const [state, contextId, cursor] = [given('status'), given('contextId'), given('pageToken')];
	const status = state === undefined ? undefined : jobStatusFor(state);
	if (state !== undefined && status === undefined) return { pageSize, cursor };
	return { filter: defined({ status, correlationId: contextId }), pageSize, cursor };
}

function wrongParameter(parameter: string, message: string): Problem {
	return invalidRequest('The query is not valid', [{ parameter, message }]);
}
