/** The official client of the extension for tasks, with what it asks of its host: a client, and a way to send a request as it stands. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
	createTaskSessionFromClient,
	type RawClientDispatch,
	type TaskEnabledSession,
} from '@modelcontextprotocol/ext-tasks/client';

export const VERSION = '2026-07-28';
export const WHO = { name: 'interop', version: '1' };
const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };

export interface TaskSession {
	readonly session: TaskEnabledSession;
	close(): Promise<void>;
}

export async function openTaskSession(origin: string): Promise<TaskSession> {
	const client = await connectClient(origin, TASKS);
	const session = createTaskSessionFromClient(client, {
		// The same in every process, so that one can resume what another has begun.
		endpointId: 'coatcheck',
		rawDispatch: dispatchTo(origin),
		v2RequestFraming: { protocolVersion: VERSION, clientInfo: WHO, clientCapabilities: TASKS },
	});
	return {
		session,
		close: async () => {
			await session.close();
			await client.close();
		},
	};
}

export async function connectClient(origin: string, capabilities = {}): Promise<Client> {
	const client = new Client(WHO, { capabilities, versionNegotiation: { mode: 'auto' } } as never);
	await client.connect(new StreamableHTTPClientTransport(new URL(`${origin}/mcp`)));
	return client;
}

function dispatchTo(origin: string): RawClientDispatch {
	return async (request, options) => {
		const { method, params } = request as { method: string; params: { name?: string; taskId?: string } };
		const name = params.name ?? params.taskId;
		const response = await fetch(`${origin}/mcp`, {
			method: 'POST',
			signal: options?.signal ?? null,
			headers: {
				'content-type': 'application/json',
				accept: 'application/json, text/event-stream',
				'mcp-protocol-version': VERSION,
				'mcp-method': method,
				...(name && { 'mcp-name': name }),
			},
			body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...(request as object) }),
		});
		const { result, error } = (await response.json()) as never;
		return error ? { kind: 'error', error } : { kind: 'result', result };
	};
}
