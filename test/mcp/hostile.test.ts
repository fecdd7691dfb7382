/** What no honest client sends to `/mcp`. The answer is never a 500, and says what was expected. */
import { describe, expect, it } from 'vitest';
import { call } from '../flow/client.ts';
import { ask as askDeployed, bearer, DEPLOYED, KEYS, type Key } from '../http/deployment.ts';
import { ask, callTool } from './client.ts';

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const MODERN = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'sleep' };
const META = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`;

function post(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
	return call('/mcp', { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body });
}

const callText = (given: string, id = '1', name = '"sleep"') =>
	`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":${name},"arguments":${given},${META}}}`;

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('a hostile request', () => {
	it.each<[what: string, body: BodyInit, headers: Record<string, string>]>([
		['an empty body', '', {}],
		['an empty list', '[]', {}],
		['a list of calls', `[${callText('{"seconds":0}')},${callText('{"seconds":0}', '2')}]`, {}],
		['a list of lists', '[[[]]]', {}],
		['null', 'null', {}],
		['a number', '7', {}],
		['an object without anything', '{}', MODERN],
		['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":7}', {}],
		['a method of the prototype', '{"jsonrpc":"2.0","id":1,"method":"__proto__"}', { 'mcp-method': '__proto__' }],
		[
			'a method of objects',
			'{"jsonrpc":"2.0","id":1,"method":"toString","params":{}}',
			{ ...MODERN, 'mcp-method': 'toString' },
		],
		['parameters that are a list', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', MODERN],
		['arguments that are a list', callText('[]'), MODERN],
		['arguments that are text', callText('"x"'), MODERN],
		['arguments that are null', callText('null'), MODERN],
		['an id that is an object', callText('{"seconds":0}', '{}'), MODERN],
		['an id that is null', callText('{"seconds":0}', 'null'), MODERN],
		['an id that is huge', callText('{"seconds":"x"}', `"${'x'.repeat(1_000_000)}"`), MODERN],
		['a name that is a number', callText('{}', '1', '7'), MODERN],
		['a name of the prototype', callText('{}', '1', '"__proto__"'), { ...MODERN, 'mcp-name': '__proto__' }],
		['a name that is huge', callText('{}', '1', `"${'x'.repeat(100_000)}"`), MODERN],
		['too deep nesting', callText(deep(1_000)), MODERN],
		['a hundred thousand levels', deep(100_000), {}],
		['half of a surrogate pair', callText('{"seconds":"\\ud800"}'), MODERN],
		['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}],
		['UTF-16', new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), { 'content-type': 'application/json; charset=utf-16' }],
		['another media type', callText('{"seconds":0}'), { 'content-type': 'text/plain' }],
		['no media type that is known', callText('{"seconds":0}'), { 'content-type': '☃'.replace('☃', ';;') }],
		['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
		['a compressed body', new Uint8Array([0x1f, 0x8b, 8, 0]), { 'content-encoding': 'gzip' }],
		['a body that is too large', `"${'x'.repeat(2_200_000)}"`, {}],
		['headers that contradict', callText('{"seconds":0}'), { ...MODERN, 'mcp-name': 'thumbnail' }],
		['a version that is none', callText('{"seconds":0}'), { ...MODERN, 'mcp-protocol-version': '__proto__' }],
		['a name that is wrongly encoded', callText('{"seconds":0}'), { ...MODERN, 'mcp-name': '=?base64?%%%?=' }],
		[
			'a key of a million characters',
			callText('{"seconds":0}').replace('"_meta":{', `"_meta":{"claudecode/toolUseId":"${'x'.repeat(1_000_000)}",`),
			MODERN,
		],
		[
			'capabilities that are none',
			callText('{"seconds":0}').replace(
				'"io.modelcontextprotocol/clientCapabilities":{}',
				'"io.modelcontextprotocol/clientCapabilities":7',
			),
			MODERN,
		],
		[
			'extensions of the prototype',
			callText('{"seconds":0}').replace('Capabilities":{}', 'Capabilities":{"extensions":{"__proto__":{}}}'),
			MODERN,
		],
		[
			'a progress token that is an object',
			callText('{"seconds":0}').replace('"_meta":{', '"_meta":{"progressToken":{},'),
			MODERN,
		],
		[
			'a task id that is an object',
			`{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":{},${META}}}`,
			{ ...MODERN, 'mcp-method': 'tasks/get' },
		],
	])('with %s is refused, or answered', async (what, body, headers) => {
		const response = await post(body, headers);
		const text = await response.text();
		expect(response.status, `${what}: ${text.slice(0, 300)}`).toBeLessThan(500);
		expect(text.length).toBeLessThan(1_100_000);
		expect(text).not.toMatch(/"code":-32603|Internal|\bat .*\.ts:/);
	});

	it('with several calls in a list starts none of them', async () => {
		const tag = crypto.randomUUID();
		await post(`[${callText('{"seconds":0}')},${callText('{"seconds":0}', '2')}]`, { 'x-correlation-id': tag });
		const { jobs } = await (await call(`/v1/jobs?correlationId=${tag}`)).json<{ jobs: object[] }>();
		expect(jobs).toEqual([]);
	});

	it.each([
		['sleep', '{"seconds":0,"__proto__":{"steps":3}}'],
		['sleep', '{"seconds":0,"error":{"code":"A","message":"b","__proto__":{"status":500}}}'],
		['either', '{"__proto__":{"input":{"name":"a"}}}'],
		['either', '{"input":{"name":"a","__proto__":{}}}'],
		['either', '{"input":{"name":"a"},"parameters":{"__proto__":{"times":3}}}'],
		['get_job', '{"jobId":"x","__proto__":{}}'],
		['list_jobs', '{"__proto__":{"limit":1}}'],
		['upstream_main_ledger', '{"method":"GET","path":"/entries","headers":{"__proto__":"x"}}'],
		['upstream_main_ledger', '{"method":"GET","path":"/entries","query":{"__proto__":"x"}}'],
	])('of %s with %s is told of a field that no object should have', async (name, given) => {
		const response = await post(callText(given, '1', JSON.stringify(name)), { ...MODERN, 'mcp-name': name });
		expect(await response.text()).toMatch(/__proto__: unknown field|__proto__: expected one of/);
		expect(({} as { steps?: number }).steps).toBeUndefined();
	});

	it('with the same key twice counts the last one, as JSON does, and no other', async () => {
		const response = await post(callText('{"seconds":30,"seconds":0}'), MODERN);
		expect(await response.text()).toMatch(/"sleptSeconds":0/);
	});
});

const by = (key: Key) => ({
	send: (path: string, init: RequestInit) =>
		askDeployed(DEPLOYED, path, { ...init, headers: { ...(init.headers as Record<string, string>), ...bearer(key) } }),
});

describe('a foreign task', () => {
	it.each([
		'tasks/get',
		'tasks/update',
		'tasks/cancel',
	])('is told the same bytes as one that never was by %s', async (method) => {
		const { result } = await callTool('sleep', { seconds: 60 }, by(KEYS.client));
		const taskId = result?.taskId ?? '';
		const told = async (id: string) => {
			const { error, result: none, status } = await ask(method, { taskId: id }, by(KEYS.other));
			return JSON.stringify({ error, none, status });
		};
		const unknown = (taskId.startsWith('0') ? '1' : '0') + taskId.slice(1);
		expect(await told(taskId)).toBe(await told(unknown));
		const { result: still } = await ask('tasks/get', { taskId }, by(KEYS.client));
		expect(still).toMatchObject({ taskId, status: 'working' });
		await ask('tasks/cancel', { taskId }, by(KEYS.client));
	});

	it.each([
		'wait_for_job',
		'get_job',
		'retry_job',
		'cancel_job',
	])('is the same as one that never was for %s', async (name) => {
		const { result } = await callTool('sleep', { seconds: 60 }, by(KEYS.client));
		const jobId = result?.taskId ?? '';
		const told = async (id: string) => JSON.stringify((await callTool(name, { jobId: id }, by(KEYS.other))).result);
		expect(await told(jobId)).toBe(await told('f'.repeat(64)));
		await ask('tasks/cancel', { taskId: jobId }, by(KEYS.client));
	});
});

describe('a key with some scopes', () => {
	it.each([
		['submit', 'sleep', { seconds: 0 }],
		['read', 'sleep', { seconds: 0 }],
		['cancel', 'sleep', { seconds: 0 }],
		['submit', 'get_job', { jobId: 'f'.repeat(64) }],
		['cancel', 'wait_for_job', { jobId: 'f'.repeat(64) }],
		['submit', 'list_jobs', {}],
		['read', 'cancel_job', { jobId: 'f'.repeat(64) }],
		['read', 'retry_job', { jobId: 'f'.repeat(64) }],
		['operate', 'sleep', { seconds: 0 }],
	] as const)('%s may not call %s', async (scope, name, given) => {
		const { result } = await callTool(name, given, by(KEYS[scope]));
		expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^Forbidden: /) }] });
	});

	it.each([
		['submit', 'tasks/get'],
		['cancel', 'tasks/get'],
		['submit', 'tasks/update'],
		['read', 'tasks/cancel'],
	] as const)('%s may not ask %s', async (scope, method) => {
		const { error } = await ask(method, { taskId: 'f'.repeat(64) }, by(KEYS[scope]));
		expect(error).toMatchObject({ code: -32_603, data: { code: 'Forbidden' } });
	});
});
