/** Upstreams as tools of the MCP server. */
import { describe, expect, it } from 'vitest';
import { ask as askDeployed, bearer, DEPLOYED, KEYS, type Key } from '../http/deployment.ts';
import { type Received, receiver } from '../webhook/receiver.ts';
import { ask, type CallResult, callTool, type McpAnswer } from './client.ts';

interface Listed {
	readonly tools: readonly { readonly name: string; readonly description: string; readonly inputSchema: object }[];
}

const TOOL = 'upstream_main_ledger';

/** The path of one test only: requests of other tests may still be on their way. */
const newPath = () => `/entries/${crypto.randomUUID()}`;

/** The requests to this path that the upstream gets from now on. */
function receivedAt(path: string, answer: () => Response): () => readonly Received[] {
	const received = receiver('ledger.example', answer);
	return () => received.filter(({ url }) => new URL(url).pathname === `/api${path}`);
}

/** A deployment with upstreams of its own. */
const deployedWith = (upstreams: object, key: Key = KEYS.client) => ({
	send: (path: string, init: RequestInit) =>
		askDeployed({ ...DEPLOYED, UPSTREAMS: JSON.stringify(upstreams) }, path, {
			...init,
			headers: { ...(init.headers as Record<string, string>), ...bearer(key) },
		}),
});

const namesListed = async (options = {}) =>
	(await ask<Listed>('tools/list', {}, options)).result?.tools.map(({ name }) => name) ?? [];

/** The whole result, also of a call that has become a task. */
async function finished({ result }: McpAnswer<CallResult>): Promise<CallResult | undefined> {
	if (result?.taskId === undefined) return result;
	return (await callTool('wait_for_job', { jobId: result.taskId })).result;
}

describe('an upstream', () => {
	it('is a tool only where its settings say so', async () => {
		const { result } = await ask<Listed>('tools/list');
		const upstreams = result?.tools.filter(({ name }) => name.startsWith('upstream_'));
		expect(upstreams).toEqual([
			{
				name: TOOL,
				description: 'The entries of the ledger.',
				inputSchema: expect.objectContaining({
					type: 'object',
					required: ['method', 'path'],
					properties: expect.objectContaining({
						method: expect.objectContaining({ enum: ['GET', 'POST'] }),
						path: expect.objectContaining({ description: 'Percent-encoded. Allowed: /entries, /entries/*' }),
					}),
				}),
			},
		]);
		expect((await callTool('upstream_report', { method: 'GET', path: '/' })).error).toMatchObject({
			message: 'Unknown tool: upstream_report',
		});
	});

	it('of other tenants is no tool', async () => {
		const upstreams = { secret: { baseUrl: 'https://secret.example', mcp: true, tenants: ['globex'] } };
		expect(await namesListed(deployedWith(upstreams, KEYS.other))).toContain('upstream_secret');
		expect(await namesListed(deployedWith(upstreams))).not.toContain('upstream_secret');
		const { error } = await callTool('upstream_secret', { method: 'GET', path: '/' }, deployedWith(upstreams));
		expect(error).toMatchObject({ message: 'Unknown tool: upstream_secret' });
	});
});

describe('a call of an upstream', () => {
	it('is forwarded, and has its reply', async () => {
		const path = newPath();
		const received = receivedAt(path, () => Response.json({ id: 7 }, { status: 201 }));
		const called = await callTool(TOOL, {
			method: 'POST',
			path,
			query: { dry: 'a b&c' },
			headers: { 'X-Kind': 'credit' },
			body: { amount: 12 },
		});
		expect(await finished(called)).toMatchObject({ structuredContent: { id: 7 } });
		expect(received()).toMatchObject([
			{ url: `https://ledger.example/api${path}?dry=a+b%26c`, method: 'POST', body: '{"amount":12}' },
		]);
		expect(received()[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'x-kind': 'credit' });
	});

	it('sends text as it is where it has a media type of its own', async () => {
		const path = newPath();
		const received = receivedAt(path, () => new Response('thanks', { headers: { 'content-type': 'text/plain' } }));
		const headers = { 'Content-Type': 'text/csv' };
		const called = await callTool(TOOL, { method: 'POST', path, headers, body: 'a,b' });
		expect(await finished(called)).toMatchObject({ content: [{ type: 'text', text: 'thanks' }] });
		expect(received()).toMatchObject([{ body: 'a,b', headers: { 'content-type': 'text/csv' } }]);
	});

	it('that the upstream refuses has its reply as an error', async () => {
		receiver('ledger.example', () => Response.json({ why: 'locked' }, { status: 409 }));
		const called = await callTool(TOOL, { method: 'GET', path: '/entries/7' });
		expect(await finished(called)).toMatchObject({ isError: true, structuredContent: { why: 'locked' } });
	});

	it('that is sent again joins the first one', async () => {
		const path = newPath();
		const received = receivedAt(path, () => Response.json({}));
		const options = { meta: { 'claudecode/toolUseId': `toolu_${crypto.randomUUID()}` } };
		const request = { method: 'POST', path, body: 1 };
		await finished(await callTool(TOOL, request, options));
		await finished(await callTool(TOOL, request, options));
		expect(received()).toHaveLength(1);
	});

	it.each([
		[{ method: 'DELETE', path: '/entries' }, '/method: expected one of: GET, POST'],
		[{ method: 'GET', path: 'entries' }, '/path: expected a path that begins with a slash, without a query'],
		[{ method: 'GET', path: '/entries/../secrets' }, '/path: expected no "." or ".." segment'],
		[{ method: 'GET', path: '/entries/%2e%2E/secrets' }, '/path: expected no "." or ".." segment'],
		[{ method: 'GET', path: '/entries', headers: { Prefer: 'wait=9' } }, /\/headers\/Prefer: expected another header/],
		[
			{ method: 'GET', path: '/entries', headers: { 'Coatcheck-Delay': '9' } },
			/\/headers\/Coatcheck-Delay: expected another/,
		],
		[{ method: 'GET', path: '/entries', headers: { 'idempotency-key': '"k"' } }, /expected another header/],
		[{ method: 'GET', path: '/entries', headers: { 'x-a': 'ä' } }, '/headers/x-a: expected ASCII text'],
		[{ method: 'GET', path: '/entries', body: 1 }, /expected no body for GET/],
		[{ method: 'GET', path: '/secrets' }, '/path: expected one of /entries, /entries/*'],
	])('says what is wrong with %j', async (given, text) => {
		const { result } = await callTool(TOOL, given);
		expect(result).toMatchObject({ isError: true });
		const [content] = result?.content ?? [];
		expect(content?.type === 'text' && content.text).toEqual(
			typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
		);
	});
});
