/** The official clients of the Model Context Protocol, unmodified, and what becomes of a call whose client disappears. */
import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../server.ts';
import { connectClient, openTaskSession, VERSION, WHO } from './task-session.ts';

let server: Server;
beforeAll(async () => {
	server = await startServer();
	return () => server.stop();
});

describe('the SDK 2.x', () => {
	it('lists the tools and calls one', async () => {
		const client = await connectClient(server.origin);
		const { tools } = await client.listTools();
		expect(tools.map(({ name }) => name)).toContain('sleep');
		const result = await client.callTool({ name: 'sleep', arguments: { seconds: 1 } });
		expect(result.structuredContent).toMatchObject({ sleptSeconds: 1 });
		await client.close();
	});

	it('is told the progress of a call', async () => {
		const client = await connectClient(server.origin);
		const progress: number[] = [];
		const call = { name: 'sleep', arguments: { seconds: 4, steps: 4 } };
		await client.callTool(call, { onprogress: (report) => void progress.push(report.progress) });
		expect(progress.length).toBeGreaterThan(1);
		await client.close();
	});
});

describe('the client of the extension for tasks', () => {
	it('waits for a task, and gets its result', async () => {
		const { session, close } = await openTaskSession(server.origin);
		const execution = await session.callTool('sleep', { seconds: 6 });
		expect(execution.kind).toBe('task');
		const { outcome } = await execution.settle();
		expect(resultFromTaskOutcome(outcome)).toMatchObject({ structuredContent: { sleptSeconds: 6 } });
		await close();
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
		await expect.poll(jobs, { timeout: 60_000 }).toMatchObject([{ status: 'canceled' }]);
	});
});
