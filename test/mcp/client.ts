/** A client of `POST /mcp` that sends what it is told, for both generations of the protocol. */
import type { ToolResult } from '../../src/core/mcp/content.ts';
import type { McpTask } from '../../src/core/mcp/task.ts';
import { call } from '../flow/client.ts';

export const TASKS = 'io.modelcontextprotocol/tasks';
const VERSION = '2026-07-28';

export interface McpOptions {
	/** Whether the client takes tasks. Default: yes. */
	readonly takesTasks?: boolean;
	readonly meta?: Readonly<Record<string, unknown>>;
	readonly headers?: Readonly<Record<string, string>>;
	/** Default: the open deployment of the tests. */
	readonly send?: (path: string, init: RequestInit) => Promise<Response>;
}

export interface McpAnswer<Result> {
	readonly status: number;
	readonly result?: Result;
	readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
	/** What came before the result. */
	readonly notifications: readonly { readonly method: string; readonly params: Readonly<Record<string, unknown>> }[];
	readonly headers: Headers;
}

export type CallResult = ToolResult & Partial<McpTask> & { readonly resultType: string };

export async function ask<Result = CallResult>(
	method: string,
	params: Readonly<Record<string, unknown>> = {},
	{ takesTasks = true, meta = {}, headers = {}, send = call }: McpOptions = {},
): Promise<McpAnswer<Result>> {
	const envelope = {
		'io.modelcontextprotocol/protocolVersion': VERSION,
		'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
		'io.modelcontextprotocol/clientCapabilities': takesTasks ? { extensions: { [TASKS]: {} } } : {},
	};
	const name = params.name ?? params.taskId;
	const response = await send('/mcp', {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			accept: 'application/json, text/event-stream',
			'mcp-protocol-version': VERSION,
			'mcp-method': method,
			...(typeof name === 'string' && { 'mcp-name': name }),
			...headers,
		},
		body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: { ...envelope, ...meta } } }),
	});
	const messages = await messagesIn(response);
	const last = messages.at(-1) ?? {};
	return { status: response.status, headers: response.headers, notifications: messages.slice(0, -1), ...last } as never;
}

export function callTool(name: string, given: object, options?: McpOptions): Promise<McpAnswer<CallResult>> {
	return ask('tools/call', { name, arguments: given }, options);
}

async function messagesIn(response: Response): Promise<object[]> {
	const text = await response.text();
	if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
		return text === '' ? [] : [JSON.parse(text)];
	return [...text.matchAll(/^data: ?(.+)$/gm)].map(([, data = '']) => JSON.parse(data) as object);
}
