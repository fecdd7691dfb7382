/** The official clients of the Model Context Protocol, unmodified, and what becomes of a call whose client disappears. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
	createTaskSessionFromClient,
	type RawClientDispatch,
	resultFromTaskOutcome,
} from '@modelcontextprotocol/ext-tasks/client';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../server.ts';

const VERSION = '2026-07-28';
const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const WHO = { name: 'interop', version: '1' };

let server: Server;
beforeAll(async () => {
	server = await startServer();
	return () => server.stop();
});

async function connect(capabilities = {}): Promise<Client> {
	const client = new Client(WHO, { capabilities, versionNegotiation: { mode: 'auto' } } as never);
	await client.connect(new StreamableHTTPClientTransport(new URL(`${server.origin}/mcp`)));
	return client;
}

/** What the extension's client asks of its host: a request as it stands. */
const dispatch: RawClientDispatch = async (request, options) => {
	const { method, params } = request as { method: string; params: { name?: string; taskId?: string } };
	const response = await fetch(`${server.origin}/mcp`, {
		method: 'POST',
		signal: options?.signal ?? null,
		headers: {
			'content-type': 'application/json',
			accept: 'application/json, text/event-stream',
			'mcp-protocol-version': VERSION,
			'mcp-method': method,
			...((params.name ?? params.taskId) ? { 'mcp-name': params.name ?? params.taskId ?? '' } : {}),
		},
		body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...(request as object) }),
	});
	const { result, error } = (await response.json()) as never;
	return error ? { kind: 'error', error } : { kind: 'result', result };
};

describe('the SDK 2.x', () => {
	it('lists the tools and calls one', async () => {
		const client = await connect();
		const { tools } = await client.listTools();
		expect(tools.map(({ name }) => name)).toContain('sleep');
		const result = await client.callTool({ name: 'sleep', arguments: { seconds: 1 } });
		expect(result.structuredContent).toMatchObject({ sleptSeconds: 1 });
		await client.close();
	});

	it('is told the progress of a call', async () => {
		const client = await connect();
		const progress: number[] = [];
		const call = { name: 'sleep', arguments: { seconds: 4, steps: 4 } };
		await client.callTool(call, { onprogress: (report) => void progress.push(report.progress) });
		expect(progress.length).toBeGreaterThan(1);
		await client.close();
	});
});

describe('the client of the extension for tasks', () => {
	it('waits for a task, and gets its result', async () => {
		const client = await connect(TASKS);
		const framing = { protocolVersion: VERSION, clientInfo: WHO, clientCapabilities: TASKS };
		const session = createTaskSessionFromClient(client, {
			endpointId: 'e',
			rawDispatch: dispatch,
			v2RequestFraming: framing,
		});
		const execution = await session.callTool('sleep', { seconds: 6 });
		expect(execution.kind).toBe('task');
		const { outcome } = await execution.settle();
		expect(resultFromTaskOutcome(outcome)).toMatchObject({ structuredContent: { sleptSeconds: 6 } });
		await session.close();
		await client.close();
	});
});

describe('a held call', () => {
	it('whose client leaves is canceled', async () => {
		const leave = new AbortController();
		const _meta = {
			'io.modelcontextprotocol/protocolVersion': VERSION,
			'io.modelcontextprotocol/clientInfo': WHO,
			'io.modelcontextprotocol/clientCapabilities': {},
			progressToken: 1,
		};
		const tag = crypto.randomUUID();
		const params = { name: 'sleep', arguments: { seconds: 60, steps: 60 }, _meta };
		const response = await fetch(`${server.origin}/mcp`, {
			method: 'POST',
			signal: leave.signal,
			headers: {
				'content-type': 'application/json',
				accept: 'application/json, text/event-stream',
				'mcp-protocol-version': VERSION,
				'mcp-method': 'tools/call',
				'mcp-name': 'sleep',
				'x-correlation-id': tag,
			},
			body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
		});
		const reader = response.body?.getReader();
		await reader?.read();
		leave.abort();
		const jobs = async () => {
			const listed = await fetch(`${server.origin}/v1/jobs?correlationId=${tag}`);
			return ((await listed.json()) as { jobs: { status: string }[] }).jobs;
		};
		await expect.poll(jobs, { timeout: 20_000 }).toMatchObject([{ status: 'canceled' }]);
	});
});
