/** The tools about jobs. They answer with the job's status document, which also says what to do next. */
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import { PAGE_ITEMS } from '../../core/list/limits.ts';
import { WireFilter } from '../../core/list/wire-filter.ts';
import { jsonResult, type ToolResult, textResult } from '../../core/mcp/content.ts';
import { HELD_CALL_SECONDS } from '../../core/mcp/limits.ts';
import { once } from '../../core/once.ts';
import type { Scope } from '../access/auth.ts';
import { cancelJob, retryJob } from '../commands.ts';
import { inBody } from '../faults.ts';
import { statusDocumentFor } from '../job-response.ts';
import { listJobs } from '../list/list.ts';
import type { Fault } from '../problem.ts';
import { readJob } from '../read/reading.ts';
import type { RequestContext } from '../request-context.ts';
import { readArguments, withFaultsAt } from './arguments.ts';
import { jobRequest, ownRequest } from './own-request.ts';
import { toolResult } from './result.ts';
import type { Tool } from './tool.ts';
import { awaitJob, hasEnded, type ProgressReport } from './wait.ts';

export interface JobToolCall {
	readonly context: RequestContext;
	readonly arguments: Readonly<Record<string, unknown>>;
	readonly signal: AbortSignal;
	readonly onProgress: ((report: ProgressReport) => void) | undefined;
}

export interface JobTool extends Omit<Tool, 'inputSchema'> {
	/** Its arguments. Built when it is needed. */
	readonly takes: () => z.ZodType;
	readonly scope: Scope;
	readonly call: (call: JobToolCall) => Promise<ToolResult>;
}

const JobArguments = once(() =>
	z.strictObject({ jobId: z.string('expected the id of a job').describe('The id of the job') }),
);

const ListArguments = once(() =>
	WireFilter().extend({
		limit: z.int().min(PAGE_ITEMS.min).max(PAGE_ITEMS.max).optional(),
		cursor: z.string().describe('The nextCursor of an earlier page').optional(),
	}),
);

const READ_ONLY = { readOnlyHint: true } as const;

export const JOB_TOOLS: readonly JobTool[] = [
	{
		scope: 'read',
		name: 'wait_for_job',
		description: `Waits up to ${HELD_CALL_SECONDS} seconds for a job that another tool started, and returns its result. Call it again while it says that the job is still running.`,
		takes: JobArguments,
		annotations: READ_ONLY,
		call: waitForIt,
	},
	{
		scope: 'read',
		name: 'get_job',
		description: 'Shows the status of a job now.',
		takes: JobArguments,
		annotations: READ_ONLY,
		call: async ({ context, arguments: given }) => {
			const request = jobRequest(context, jobId(given));
			return statusResult(request, await readJob(request, false));
		},
	},
	{
		scope: 'read',
		name: 'list_jobs',
		description: 'Lists jobs, the newest first, by status, task, tag, correlation id, error code or time.',
		takes: ListArguments,
		annotations: READ_ONLY,
		call: async ({ context, arguments: given }) => {
			readArguments(ListArguments(), given);
			const path = `/v1/jobs?${listQuery(given)}`;
			const own = ownRequest(context, { method: 'GET', path, scope: 'read' });
			return answered(await withFaultsAt(inArguments, () => listJobs(own)));
		},
	},
	{
		scope: 'submit',
		name: 'retry_job',
		description: 'Runs a failed or canceled job again.',
		takes: JobArguments,
		annotations: { idempotentHint: false },
		call: async ({ context, arguments: given }) =>
			answered(await retryJob(command(context, given, ['retry', 'submit']))),
	},
	{
		scope: 'cancel',
		name: 'cancel_job',
		description: 'Cancels a job. One that has ended stays as it is.',
		takes: JobArguments,
		annotations: { destructiveHint: true, idempotentHint: true },
		call: async ({ context, arguments: given }) =>
			answered(await cancelJob(command(context, given, ['cancel', 'cancel']))),
	},
];

/** @param given valid arguments of the list. A list of tags becomes a parameter for each. */
function listQuery(given: JobToolCall['arguments']): URLSearchParams {
	const parameters = Object.entries(given).flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
	return new URLSearchParams(parameters);
}

function inArguments(fault: Fault): Fault {
	return 'parameter' in fault ? inBody()([fault.parameter], fault.message) : fault;
}

async function waitForIt({ context, arguments: given, signal, onProgress }: JobToolCall): Promise<ToolResult> {
	const job = await awaitJob(context, jobId(given), { seconds: HELD_CALL_SECONDS, signal, onProgress });
	return hasEnded(job) ? toolResult(context, job) : stillRunning(job);
}

/** Not an error: agents would give up the job, or start it again. */
export function stillRunning({ view: { facts } }: FoundJob): ToolResult {
	const { id, status, percentComplete } = facts;
	const percent = percentComplete === undefined ? '' : `, ${Math.floor(percentComplete)} % done`;
	const text = `The job is still ${status}${percent}. ${howToFollow(id)}`;
	return { ...textResult(text), structuredContent: defined({ jobId: id, status, percentComplete }) };
}

/** Not an error either, for the same reason. */
export function acceptedUnread(id: string): ToolResult {
	const text = `The job was accepted, but can't be read now. ${howToFollow(id)}`;
	return { ...textResult(text), structuredContent: { jobId: id } };
}

function howToFollow(id: string): string {
	return `Call the tool wait_for_job with {"jobId": "${id}"} to get its result. Don't start it again.`;
}

function statusResult(context: RequestContext, { view }: FoundJob): ToolResult {
	return jsonResult(JSON.stringify(statusDocumentFor(context, view)));
}

async function answered(response: Response): Promise<ToolResult> {
	return jsonResult(await response.text());
}

function command(
	context: RequestContext,
	given: JobToolCall['arguments'],
	[verb, scope]: readonly [verb: string, scope: Scope],
): RequestContext {
	const id = jobId(given);
	const path = `/v1/jobs/${encodeURIComponent(id)}/${verb}`;
	return ownRequest(context, { method: 'POST', path, params: { id }, scope });
}

/** @throws {Problem} `InvalidRequest` */
function jobId(given: JobToolCall['arguments']): string {
	return readArguments(JobArguments(), given).jobId;
}
