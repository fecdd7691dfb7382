/** Who may call the MCP server, and with which tools. */
import { describe, expect, it } from 'vitest';
import { ask, bearer, DEPLOYED, KEYS } from '../http/deployment.ts';
import { ask as askMcp, callTool } from './client.ts';

const IDENTITY_PROVIDER = {
	JWT_ISSUER: 'https://idp.example',
	JWT_AUDIENCE: 'https://jobs.example/mcp',
	JWT_JWKS_URL: 'https://idp.example/jwks.json',
};
const METADATA = '/.well-known/oauth-protected-resource/mcp';

const by = (key: (typeof KEYS)['client'], headers: Record<string, string> = {}) => ({
	send: (path: string, init: RequestInit) =>
		ask(DEPLOYED, path, { ...init, headers: { ...(init.headers as object), ...bearer(key), ...headers } }),
});

describe('an agent without credentials', () => {
	it('is led to where it gets a token', async () => {
		const deployed = { ...DEPLOYED, ...IDENTITY_PROVIDER };
		const refused = await ask(deployed, '/mcp', { method: 'POST', body: '{}' });
		expect(refused.status).toBe(401);
		expect(refused.headers.get('www-authenticate')).toMatch(
			/^Bearer resource_metadata="https:\/\/[^"]+\/\.well-known\/oauth-protected-resource\/mcp"$/,
		);
		const metadata = await (await ask(deployed, METADATA)).json<{ resource: string }>();
		expect(metadata).toMatchObject({
			authorization_servers: ['https://idp.example'],
			scopes_supported: expect.arrayContaining(['submit']),
		});
		expect(new URL(metadata.resource).pathname).toBe('/mcp');
	});

	it('gets the plain challenge where there are only keys', async () => {
		const refused = await ask(DEPLOYED, '/mcp', { method: 'POST', body: '{}' });
		expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
	});
});

describe('a key', () => {
	it('sees the tools that its scopes allow, and no other works', async () => {
		const { result } = await askMcp<{ tools: { name: string }[] }>('tools/list', {}, by(KEYS.read));
		expect(result?.tools.map(({ name }) => name)).toEqual(['wait_for_job', 'get_job', 'list_jobs']);
		const called = await callTool('sleep', { seconds: 0 }, by(KEYS.read));
		expect(called.result).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^Forbidden: /) }] });
	});

	it('of another tenant finds no task, as if there were none', async () => {
		const { result } = await callTool('sleep', { seconds: 30 }, by(KEYS.client));
		const taskId = result?.taskId;
		expect((await askMcp('tasks/get', { taskId }, by(KEYS.client))).result).toMatchObject({ taskId });
		for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
			expect((await askMcp(method, { taskId }, by(KEYS.other))).error).toMatchObject({
				code: -32_602,
				message: 'Task not found',
			});
		await askMcp('tasks/cancel', { taskId }, by(KEYS.client));
	});

	it('is refused for a page of another origin', async () => {
		const { status } = await askMcp('tools/list', {}, by(KEYS.read, { origin: 'https://evil.example' }));
		expect(status).toBe(403);
	});
});
