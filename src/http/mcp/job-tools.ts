/** The tools about jobs. They answer with the job's status document, which also says what to do next. */
import * as z from 'zod';
import type { FoundJob } from '../../core/job/object-api.ts';
import { jsonResult, type ToolResult } from '../../core/mcp/content.ts';
import { HELD_CALL_SECONDS } from '../../core/mcp/limits.ts';
import { once } from '../../core/once.ts';
import type { Scope } from '../access/auth.ts';
import { cancelJob, retryJob } from '../commands.ts';
import { inBody, zodFaults } from '../faults.ts';
import { statusDocumentFor } from '../job-response.ts';
import { listJobs } from '../list/list.ts';
import { readJob } from '../read/reading.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';
import { jobRequest, ownRequest } from './own-request.ts';
import { toolResult } from './result.ts';
import type { ObjectSchema, Tool } from './tools.ts';
import { awaitJob, hasEnded, type ProgressReport } from './wait.ts';

export interface JobToolCall {
	readonly context: RequestContext;
	readonly arguments: Readonly<Record<string, unknown>>;
	readonly signal: AbortSignal;
	readonly onProgress: ((report: ProgressReport) => void) | undefined;
}

interface JobTool {
	readonly tool: Tool;
	readonly scope: Scope;
	readonly call: (call: JobToolCall) => Promise<ToolResult>;
}

const JobArguments = once(() => z.strictObject({ jobId: z.string('expected the id of a job') }));

const JOB_ID: ObjectSchema = {
	type: 'object',
	properties: { jobId: { type: 'string', description: 'The id of the job' } },
	required: ['jobId'],
	additionalProperties: false,
};

const FILTER: ObjectSchema = {
	type: 'object',
	properties: {
		status: { enum: ['pending', 'running', 'succeeded', 'failed', 'canceled'] },
		task: { type: 'string' },
		tag: { type: 'string' },
		correlationId: { type: 'string' },
		errorCode: { type: 'string' },
		createdAfter: { type: 'string', format: 'date-time' },
		createdBefore: { type: 'string', format: 'date-time' },
		limit: { type: 'integer', minimum: 1, maximum: 100 },
		cursor: { type: 'string', description: 'The nextCursor of an earlier page' },
	},
	additionalProperties: false,
};

const READ_ONLY = { readOnlyHint: true } as const;

export const JOB_TOOLS: readonly JobTool[] = [
	{
		scope: 'read',
		tool: {
			name: 'wait_for_job',
			description: `Waits up to ${HELD_CALL_SECONDS} seconds for a job that another tool started, and returns its result. Call it again while it says that the job is still running.`,
			inputSchema: JOB_ID,
			annotations: READ_ONLY,
		},
		call: waitForIt,
	},
	{
		scope: 'read',
		tool: {
			name: 'get_job',
			description: 'Shows the status of a job now.',
			inputSchema: JOB_ID,
			annotations: READ_ONLY,
		},
		call: async ({ context, arguments: given }) => {
			const request = jobRequest(context, jobId(given));
			return statusResult(request, await readJob(request, false));
		},
	},
	{
		scope: 'read',
		tool: {
			name: 'list_jobs',
			description: 'Lists jobs, the newest first, by status, task, tag, correlation id, error code or time.',
			inputSchema: FILTER,
			annotations: READ_ONLY,
		},
		call: async ({ context, arguments: given }) => {
			const query = new URLSearchParams(Object.entries(given).map(([name, value]) => [name, String(value)]));
			return answered(await listJobs(ownRequest(context, { method: 'GET', path: `/v1/jobs?${query}`, scope: 'read' })));
		},
	},
	{
		scope: 'submit',
		tool: {
			name: 'retry_job',
			description: 'Runs a failed or canceled job again.',
			inputSchema: JOB_ID,
			annotations: { idempotentHint: false },
		},
		call: async ({ context, arguments: given }) =>
			answered(await retryJob(command(context, given, ['retry', 'submit']))),
	},
	{
		scope: 'cancel',
		tool: {
			name: 'cancel_job',
			description: 'Cancels a job. One that has ended stays as it is.',
			inputSchema: JOB_ID,
			annotations: { destructiveHint: true, idempotentHint: true },
		},
		call: async ({ context, arguments: given }) =>
			answered(await cancelJob(command(context, given, ['cancel', 'cancel']))),
	},
];

async function waitForIt({ context, arguments: given, signal, onProgress }: JobToolCall): Promise<ToolResult> {
	const job = await awaitJob(context, jobId(given), { seconds: HELD_CALL_SECONDS, signal, onProgress });
	return hasEnded(job) ? toolResult(context, job) : stillRunning(job);
}

/** Not an error: agents would give up the job, or start it again. */
export function stillRunning({ view: { facts } }: FoundJob): ToolResult {
	const { id, status, percentComplete } = facts;
	const percent = percentComplete === undefined ? '' : `, ${Math.floor(percentComplete)} % done`;
	const text = `The job is still ${status}${percent}. Call the tool wait_for_job with {"jobId": "${id}"} to get its result. Don't start it again.`;
	const structuredContent = { jobId: id, status, ...(percentComplete === undefined ? {} : { percentComplete }) };
	return { content: [{ type: 'text', text }], structuredContent };
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
	const parsed = JobArguments().safeParse(given);
	if (parsed.success) return parsed.data.jobId;
	throw invalidRequest('The arguments of the tool are not valid', zodFaults(parsed.error, inBody()));
}
