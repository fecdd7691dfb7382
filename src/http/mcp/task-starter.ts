/** The tool of a task: its arguments become a job. */
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import type { StatusDocument } from '../../core/job/document.ts';
import { NOW_LANE } from '../../core/job/limits.ts';
import { once } from '../../core/once.ts';
import type { RegisteredTask } from '../../work/registry.ts';
import { inBody } from '../faults.ts';
import type { Fault } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { invalidRequest } from '../submit/options.ts';
import { submitBody, submitEnvelope } from '../submit/submit.ts';
import { INVALID_ARGUMENTS, isKeyFault, keyHeader, readArguments, withFaultsAt } from './arguments.ts';
import { type File, FileArgument, readFile } from './file-argument.ts';
import { ownRequest } from './own-request.ts';
import { argumentsSchema, takesPlainInput } from './task-arguments.ts';
import { type JobStarter, type ToolSubmission, toolName } from './tool.ts';

const WrappedArguments = once(() =>
	z.strictObject({
		input: z.unknown().optional(),
		file: FileArgument().optional(),
		parameters: z.record(z.string(), z.unknown()).default({}),
	}),
);

type Parameters = Readonly<Record<string, unknown>>;

export function taskStarter(task: RegisteredTask): JobStarter {
	const { description, mcp, lane, timeoutSeconds } = task;
	const name = toolName(task.name);
	return {
		name,
		tool: () => ({ name, description, inputSchema: argumentsSchema(task) }),
		needsTasks: mcp === 'task-required',
		wrapsInput: !takesPlainInput(task),
		endsWithinSeconds: lane === NOW_LANE ? timeoutSeconds : undefined,
		submit: (context, submission) => submitTask(context, { task, ...submission }),
	};
}

interface TaskSubmission extends ToolSubmission {
	readonly task: RegisteredTask;
}

async function submitTask(context: RequestContext, submission: TaskSubmission): Promise<StatusDocument> {
	const { task, arguments: all } = submission;
	if (takesPlainInput(task)) return withFaultsAt(inInput, () => submitJson(context, submission, { input: all }));
	const { input, file, parameters } = readArguments(WrappedArguments(), all);
	if (file && input === undefined && task.binary) return submitFile(context, submission, { file, parameters });
	if (!file && input !== undefined && task.json) return submitJson(context, submission, { input, parameters });
	const wanted = [task.json && '"input"', task.binary && '"file"'].filter(Boolean).join(' or ');
	const given = [file && '/file', input !== undefined && '/input'].filter((place) => typeof place === 'string');
	const faults = (given.length > 0 ? given : ['']).map((pointer) => ({ pointer, message: `expected ${wanted}` }));
	throw invalidRequest(INVALID_ARGUMENTS, faults);
}

/** The arguments are the input of the envelope. */
function inInput(fault: Fault): Fault {
	return 'pointer' in fault ? { ...fault, pointer: fault.pointer.replace(/^\/input(?=\/|$)/, '') } : fault;
}

/** The file is the body of the request, and the parameters are its query. */
function inFile(fault: Fault, { mediaType }: File): Fault {
	const { message } = fault;
	if ('parameter' in fault) return inBody('/parameters')([fault.parameter], message);
	if ('pointer' in fault) return { pointer: '/file', message: `${fault.pointer}: ${message}` };
	if (isKeyFault(fault)) return fault;
	return { pointer: mediaType === undefined ? '/file/url' : '/file/mediaType', message };
}

async function submitJson(
	context: RequestContext,
	{ task, idempotencyKey }: TaskSubmission,
	envelope: { readonly input: unknown; readonly parameters?: Parameters },
): Promise<StatusDocument> {
	const headers = { 'content-type': 'application/json', ...keyHeader(idempotencyKey) };
	const body = JSON.stringify({ task: task.name, ...envelope });
	const own = ownRequest(context, { method: 'POST', path: '/v1/jobs', scope: 'submit', headers, body });
	return (await submitEnvelope(own)).json<StatusDocument>();
}

async function submitFile(
	context: RequestContext,
	{ task, idempotencyKey, signal }: TaskSubmission,
	{ file, parameters }: { readonly file: File; readonly parameters: Parameters },
): Promise<StatusDocument> {
	const { mediaType, body, contentLength } = await readFile(context, file, signal);
	const headers = defined({ 'content-type': mediaType, 'content-length': contentLength, ...keyHeader(idempotencyKey) });
	const query = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
	const path = `/v1/tasks/${task.name}/jobs?${query}`;
	const params = { task: task.name };
	const own = ownRequest(context, { method: 'POST', path, params, scope: 'submit', headers, body });
	return withFaultsAt(
		(fault) => inFile(fault, file),
		async () => (await submitBody(own)).json<StatusDocument>(),
	);
}
