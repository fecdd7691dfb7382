/**
 * `POST /mcp`: the tasks as tools of a stateless MCP server, revision 2026-07-28, with the extension for tasks. Clients of older
 * revisions get the plain call. Every request stands alone: what must last is a job.
 */
import {
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
import { CACHED_MS, MAX_MCP_REQUEST_BYTES } from '../../core/mcp/limits.ts';
import { TASKS_EXTENSION } from '../../core/mcp/task.ts';
import { once } from '../../core/once.ts';
import { refuseForeignOrigin } from '../access/auth.ts';
import { readBytes } from '../body.ts';
import { JSON_ARRIVAL_MS } from '../json-body.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { callTool, TasksRequired } from './call-tool.ts';
import { cancelTask, getTask, updateTask } from './task-methods.ts';
import { listedTools } from './tools.ts';
import type { ProgressReport } from './wait.ts';

const SERVER = { name: 'coatcheck', title: 'Coatcheck', version: '0.1.0' };

const INSTRUCTIONS =
	'Each tool starts a job that may take minutes. A call that says that its job is still running did not fail: call wait_for_job with the job id, and do not start the job again.';

/** Where clients say which use of a tool a call belongs to. A call that is sent again joins the job of the first one. */
const CALL_KEYS = ['coatcheck/idempotencyKey', 'claudecode/toolUseId'];

const TaskParams = once(() => z.looseObject({ taskId: z.string() }));

export async function serveMcp(context: RequestContext): Promise<Response> {
	const { request } = context;
	refuseForeignOrigin(context);
	const bytes = await readBytes(request, MAX_MCP_REQUEST_BYTES, { arrivalMs: JSON_ARRIVAL_MS });
	const { url, method, headers, signal } = request;
	const handler = createMcpHandler((served) => createServer(context, served), {
		maxRequestBodySize: MAX_MCP_REQUEST_BYTES,
	});
	return handler.fetch(new Request(url, { method, headers, signal, body: bytes }));
}

function createServer(context: RequestContext, { era }: McpRequestContext): Server {
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
		const { name, arguments: given = {} } = params;
		const answer = await callTool({
			context,
			name,
			arguments: given,
			signal: served.mcpReq.signal,
			onProgress: progressReporter(served),
			takesTasks: era === 'modern' && declaresTasks(served),
			idempotencyKey: callKey(served),
		}).catch((error: unknown) => {
			throw error instanceof TasksRequired ? tasksRequired() : error;
		});
		if (!answer) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${name}`);
		return answer as never;
	});
	if (era === 'modern') addTaskMethods(server, context);
	return server;
}

function addTaskMethods(server: Server, context: RequestContext): void {
	const methods = { 'tasks/get': getTask, 'tasks/update': updateTask, 'tasks/cancel': cancelTask };
	for (const [method, handle] of Object.entries(methods))
		server.setRequestHandler(method, { params: TaskParams() }, async ({ taskId }, served) => {
			requireTasks(served);
			return ((await handle(context, taskId).catch(refuseTask)) ?? {}) as never;
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
function refuseTask(error: unknown): never {
	if (!(error instanceof Problem)) throw error;
	const { code, message } = error;
	if (code === 'JobExpired' || code === 'JobPurged')
		throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Task has expired');
	if (code === 'JobNotFound') throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Task not found');
	throw new ProtocolError(ProtocolErrorCode.InternalError, message, { code });
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

function callKey({ mcpReq: { _meta } }: ServerContext): string | undefined {
	const meta = _meta as Readonly<Record<string, unknown>> | undefined;
	const keys = CALL_KEYS.map((name) => meta?.[name]);
	return keys.find((key) => typeof key === 'string' && key !== '') as string | undefined;
}
