/** `tasks/get`, `tasks/update` and `tasks/cancel`. */
import type { FoundJob } from '../../core/job/object-api.ts';
import type { ToolResult } from '../../core/mcp/content.ts';
import { type McpTask, mcpTask } from '../../core/mcp/task.ts';
import { cancelJob } from '../commands.ts';
import { jobRetryAfter } from '../job-response.ts';
import { readJob } from '../read/reading.ts';
import type { RequestContext } from '../request-context.ts';
import { jobRequest, ownRequest } from './own-request.ts';
import { toolResult } from './result.ts';

const INTERNAL_ERROR = -32_603;

export interface DetailedTask extends McpTask {
	readonly resultType: 'complete';
	/** Of a completed task. */
	readonly result?: ToolResult & { readonly resultType: 'complete' };
	/** Of a failed task. */
	readonly error?: { readonly code: number; readonly message: string; readonly data: { readonly code: string } };
}

export function taskForJob({ view }: FoundJob): McpTask {
	const seconds = jobRetryAfter(view)['retry-after'];
	const retryAfterSeconds = seconds === undefined ? undefined : Number(seconds);
	return mcpTask(view, { now: Date.now(), retryAfterSeconds });
}

/** @throws {Problem} for a job that does not exist, or no longer exists. */
export async function getTask(context: RequestContext, id: string): Promise<DetailedTask> {
	const request = jobRequest(context, id);
	const job = await readJob(request, true);
	const task = { resultType: 'complete', ...taskForJob(job) } as const;
	const { error } = job.view.facts;
	if (task.status === 'completed')
		return { ...task, result: { resultType: 'complete', ...(await toolResult(request, job)) } };
	if (task.status === 'failed' && error)
		return { ...task, error: { code: INTERNAL_ERROR, message: error.message, data: { code: error.code } } };
	return task;
}

/** Jobs ask for no input, so there is nothing to update. @throws {Problem} as above. */
export async function updateTask(context: RequestContext, id: string): Promise<void> {
	await readJob(jobRequest(context, id), false);
}

/** A job that has ended stays as it is. @throws {Problem} as above. */
export async function cancelTask(context: RequestContext, id: string): Promise<void> {
	const path = `/v1/jobs/${encodeURIComponent(id)}/cancel`;
	await cancelJob(ownRequest(context, { method: 'POST', path, params: { id }, scope: 'cancel' }));
}
