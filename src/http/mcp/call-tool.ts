/** `tools/call`: a job of a task or an upstream, or a tool about jobs. */
import type { Change } from '../../core/job/object-api.ts';
import { errorResult, type ToolResult } from '../../core/mcp/content.ts';
import { HELD_CALL_SECONDS, REPEATED_WITHIN_MS } from '../../core/mcp/limits.ts';
import type { McpTask } from '../../core/mcp/task.ts';
import { logError } from '../../log.ts';
import { readerOf, requireScope } from '../access/auth.ts';
import { type Fault, faultPlace, type Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { toProblem } from '../to-problem.ts';
import { isKeyFault } from './arguments.ts';
import { acceptedUnread, JOB_TOOLS, type JobToolCall, stillRunning } from './job-tools.ts';
import { toolResult } from './result.ts';
import { taskForJob } from './task-methods.ts';
import type { JobStarter } from './tool.ts';
import { findJobStarter } from './tools.ts';
import { awaitJob, hasEnded, unlessUnreachable } from './wait.ts';

export interface ToolCall extends JobToolCall {
	readonly name: string;
	/** Whether the client declared the extension for tasks. */
	readonly takesTasks: boolean;
	readonly key: CallKey | undefined;
}

/** Says which use of a tool a call belongs to. */
export interface CallKey {
	readonly text: string;
	/** Where it is: a JSON Pointer into the parameters of the call. */
	readonly pointer: string;
}

export type ToolAnswer = ToolResult | (McpTask & { readonly resultType: 'task' });

/** A task that only clients with tasks may call was called by another one. */
export class TasksRequired extends Error {}

/** @returns `undefined` for an unknown tool. @throws {TasksRequired} */
export async function callTool(call: ToolCall): Promise<ToolAnswer | undefined> {
	const { name, context } = call;
	const jobTool = JOB_TOOLS.find((tool) => tool.name === name);
	const starter = jobTool ? undefined : findJobStarter(context, name);
	if (!jobTool && !starter) return undefined;
	if (starter?.needsTasks && !call.takesTasks) throw new TasksRequired();
	try {
		return await (starter ? startJob(call, starter) : jobTool?.call(call));
	} catch (error) {
		return problemResult(toProblem(error, context.request, context.principal), call.key);
	}
}

async function startJob(call: ToolCall, starter: JobStarter): Promise<ToolAnswer> {
	const { context, arguments: given, key, signal, takesTasks, onProgress } = call;
	// The answer is the job's, so both rights are needed before there is one.
	requireScope(context.principal, 'read');
	const { id } = await starter.submit(context, { arguments: given, idempotencyKey: key?.text, signal });
	const answered = new AbortController();
	// Registered before the wait, because the runtime may end an invocation whose client has left.
	const onClosed = () => context.waitUntil(cancelClosed(context, id, key !== undefined));
	if (signal.aborted) onClosed();
	else signal.addEventListener('abort', onClosed, { signal: answered.signal });
	const seconds = takesTasks ? waitSeconds(context, starter) : HELD_CALL_SECONDS;
	const patience = { seconds, signal, onProgress: takesTasks ? undefined : onProgress };
	const answer = await unlessUnreachable(id, async (): Promise<ToolAnswer> => {
		const job = await awaitJob(context, id, patience).finally(() => answered.abort());
		if (hasEnded(job)) return toolResult(context, job);
		return takesTasks ? { resultType: 'task', ...taskForJob(job) } : stillRunning(job);
	});
	return answer ?? acceptedUnread(id);
}

function waitSeconds({ config: { mcpWaitSeconds } }: RequestContext, starter: JobStarter): number {
	const { needsTasks, endsWithinSeconds = 0 } = starter;
	return needsTasks ? 0 : Math.max(endsWithinSeconds, mcpWaitSeconds);
}

/**
 * The client has closed the call, which cancels it. A call with a key may be sent again, because its connection broke: then the new call
 * follows the job, and it goes on. Never rejects.
 */
async function cancelClosed({ jobs, principal }: RequestContext, id: string, isRepeatable: boolean): Promise<void> {
	if (isRepeatable) await scheduler.wait(REPEATED_WITHIN_MS);
	try {
		await jobs.call<Change>(id, (job) => job.cancelJob(readerOf(principal), { unlessFollowed: isRepeatable }));
	} catch (error) {
		// The client has left: only the log can tell. The job goes on to its end.
		logError('job of a closed call not canceled', { job: id, error });
	}
}

/** An error that the model can act on: its arguments were wrong, or it must wait. */
function problemResult(problem: Problem, key: CallKey | undefined): ToolResult {
	const { code, message, errors, headers } = problem;
	const faults = errors?.map((fault) => faultText(fault, key)) ?? [];
	const retryAfter = headers['retry-after'];
	const wait = retryAfter === undefined ? [] : [`Try again after ${retryAfter} seconds`];
	return errorResult([`${code}: ${message}`, ...faults, ...wait].join('\n'));
}

/** Where the fault is in the arguments, and what was expected. Nothing is before what is wrong with all of them. */
function faultText(fault: Fault, key: CallKey | undefined): string {
	const place = key && isKeyFault(fault) ? key.pointer : faultPlace(fault);
	return place === '' ? fault.message : `${place}: ${fault.message}`;
}
