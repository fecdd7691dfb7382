/**
 * `POST /mcp`: the tasks as tools of a stateless MCP server, revision 2026-07-28, with the extension for tasks. Clients of older
 * revisions get the plain call. Every request stands alone: what must last is a job.
 */
import {
	type CallToolResult,
	CLIENT_CAPABILITIES_META_KEY,
	type ClientCapabilities,
	createMcpHandler,
	type McpRequestContext,
	ProtocolError,
	ProtocolErrorCode,
	Server,
	type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { isObject } from '../../core/http/json.ts';
import { CACHED_MS, MAX_MCP_REQUEST_BYTES } from '../../core/mcp/limits.ts';
import { TASKS_EXTENSION } from '../../core/mcp/task.ts';
import { once } from '../../core/once.ts';
import { refuseForeignOrigin } from '../access/auth.ts';
import { pointerFor } from '../faults.ts';
import { readJson } from '../json-body.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { toProblem } from '../to-problem.ts';
import { type CallKey, callTool, TasksRequired } from './call-tool.ts';
import { SERVER_VERSION } from './server-version.ts';
import { cancelTask, getTask, updateTask } from './task-methods.ts';
import { listedTools } from './tools.ts';
import type { ProgressReport } from './wait.ts';

const SERVER = { name: 'coatcheck', title: 'Coatcheck', version: SERVER_VERSION };

const INSTRUCTIONS =
	'Each tool starts a job that may take minutes. A call that says that its job is still running did not fail: call wait_for_job with the job id, and do not start the job again.';

/** Where clients say which use of a tool a call belongs to. A call that is sent again joins the job of the first one. */
const CALL_KEYS = ['coatcheck/idempotencyKey', 'claudecode/toolUseId'];

const TaskParams = once(() => z.looseObject({ taskId: z.string() }));

export async function serveMcp(context: RequestContext): Promise<Response> {
	const { request } = context;
	refuseForeignOrigin(context);
	let parsedBody: unknown;
	try {
		parsedBody = await readJson(request, { maxBytes: MAX_MCP_REQUEST_BYTES }, async (value) => value);
	} catch (error) {
		if (error instanceof Problem && error.code === 'InvalidRequest') return parseErrorResponse(error);
		throw error;
	}
	const create = (served: McpRequestContext) => createServer({ context, parsedBody }, served);
	return createMcpHandler(create).fetch(request, { parsedBody });
}

/** A body that is no JSON, or that can't be kept exactly, such as an integer with too many digits. */
function parseErrorResponse({ message, errors }: Problem): Response {
	const error = defined({ code: ProtocolErrorCode.ParseError, message, data: errors });
	return Response.json({ jsonrpc: '2.0', id: null, error }, { status: 400 });
}

interface Arrived {
	readonly context: RequestContext;
	readonly parsedBody: unknown;
}

function createServer({ context, parsedBody }: Arrived, { era }: McpRequestContext): Server {
	const server = new Server(SERVER, {
		capabilities: era === 'modern' ? { tools: {}, extensions: { [TASKS_EXTENSION]: {} } } : { tools: {} },
		instructions: INSTRUCTIONS,
		cacheHints: {
			'server/discover': { ttlMs: CACHED_MS, cacheScope: 'public' },
			'tools/list': { ttlMs: CACHED_MS, cacheScope: 'private' },
		},
	});
	server.setRequestHandler('tools/list', () => ({ tools: listedTools(context) as never }));
	server.setRequestHandler('tools/call', async ({ params }, served) => {
		const { name } = params;
		const answer = await callTool({
			context,
			name,
			arguments: sentArguments(parsedBody) ?? params.arguments ?? {},
			signal: served.mcpReq.signal,
			onProgress: progressReporter(served),
			takesTasks: era === 'modern' && declaresTasks(served),
			key: callKey(served),
		}).catch((error: unknown) => {
			throw error instanceof TasksRequired ? tasksRequired() : error;
		});
		if (!answer) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`);
		if ('resultType' in answer) return answer as never;
		// Older revisions know only objects as structured content.
		return server.projectCallToolResult(answer as CallToolResult, undefined);
	});
	if (era === 'modern') addTaskMethods(server, context);
	return server;
}

/** The arguments as they were sent: the SDK's schema leaves `__proto__` out, and the caller would not learn that. */
function sentArguments(body: unknown): Readonly<Record<string, unknown>> | undefined {
	const params = isObject(body) ? body.params : undefined;
	const given = isObject(params) ? params.arguments : undefined;
	return isObject(given) ? given : undefined;
}

function addTaskMethods(server: Server, context: RequestContext): void {
	const methods = { 'tasks/get': getTask, 'tasks/update': updateTask, 'tasks/cancel': cancelTask };
	for (const [method, handle] of Object.entries(methods))
		server.setRequestHandler(method, { params: TaskParams() }, async ({ taskId }, served) => {
			requireTasks(served);
			const done = handle(context, taskId).catch((error: unknown) => {
				throw taskError(toProblem(error, context.request, context.principal));
			});
			return ((await done) ?? {}) as never;
		});
}

function declaresTasks({ mcpReq: { envelope } }: ServerContext): boolean {
	const declared = envelope as Readonly<Record<string, ClientCapabilities | undefined>> | undefined;
	return declared?.[CLIENT_CAPABILITIES_META_KEY]?.extensions?.[TASKS_EXTENSION] !== undefined;
}

function requireTasks(served: ServerContext): void {
	if (!declaresTasks(served)) throw tasksRequired();
}

function tasksRequired(): ProtocolError {
	const data = { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } };
	return new ProtocolError(
		ProtocolErrorCode.MissingRequiredClientCapability,
		`Expected the client capability ${TASKS_EXTENSION}`,
		data,
	);
}

/** A foreign task, an unknown one and a deleted one are no task of the caller's. */
function taskError({ code, message }: Problem): ProtocolError {
	if (code === 'JobExpired' || code === 'JobPurged')
		return new ProtocolError(ProtocolErrorCode.InvalidParams, 'Task has expired');
	if (code === 'JobNotFound') return new ProtocolError(ProtocolErrorCode.InvalidParams, 'Task not found');
	return new ProtocolError(ProtocolErrorCode.InternalError, message, { code });
}

function progressReporter({ mcpReq }: ServerContext): ((report: ProgressReport) => void) | undefined {
	const progressToken = mcpReq._meta?.progressToken;
	if (progressToken === undefined) return undefined;
	return (report) => {
		const params = { progressToken, total: 100, ...report };
		// A client that has left needs no progress.
		mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
	};
}

function callKey({ mcpReq: { _meta } }: ServerContext): CallKey | undefined {
	const meta = _meta as Readonly<Record<string, unknown>> | undefined;
	for (const name of CALL_KEYS) {
		const text = meta?.[name];
		if (typeof text === 'string' && text !== '') return { text, pointer: pointerFor(['_meta', name]) };
	}
	return undefined;
}
