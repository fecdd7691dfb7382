/** What no honest client sends to `/a2a`. The answer is never a 500, and says what was expected. */
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { Jobs } from '../../src/rpc/jobs.ts';
import { call } from '../flow/client.ts';
import { createOwnWork } from '../flow/own-work.ts';
import { ask, bearer, DEPLOYED, KEYS, type Key } from '../http/deployment.ts';

const HEADERS = { 'a2a-version': '1.0', 'content-type': 'application/json' };

function post(path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
	return call(`/a2a/${path}`, { method: 'POST', headers: { ...HEADERS, ...headers }, body });
}

const message = (fields: object) =>
	JSON.stringify({
		message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', metadata: { skill: 'sleep' }, parts: [], ...fields },
	});
const withParts = (...parts: readonly unknown[]) => message({ parts });
const raw = (parts: string) =>
	`{"message":{"messageId":"${crypto.randomUUID()}","parts":${parts},"metadata":{"skill":"sleep"}}}`;

describe('a hostile message', () => {
	it.each<[what: string, body: BodyInit, headers?: Record<string, string>]>([
		['an empty body', ''],
		['null', 'null'],
		['a list of messages', `[${withParts({ data: { seconds: 0 } })}]`],
		['no message', '{}'],
		['a message that is a list', '{"message":[]}'],
		['ten thousand parts with data', withParts(...Array.from({ length: 10_000 }, () => ({ data: {} })))],
		['ten thousand parts without anything', withParts(...Array.from({ length: 10_000 }, () => ({})))],
		['ten thousand parts that are numbers', withParts(...Array.from({ length: 10_000 }, (_, n) => n))],
		['a part that is null', withParts(null)],
		['a part with data and a file', withParts({ data: {}, raw: 'AAAA', mediaType: 'image/png' })],
		['too deep nesting', raw(`[{"data":${'['.repeat(1_000)}${']'.repeat(1_000)}}]`)],
		['nesting that never ends', '['.repeat(100_000)],
		['an id that is huge', message({ messageId: 'x'.repeat(1_000_000) })],
		['an id that is an object', message({ messageId: {} })],
		['a context that is huge', message({ contextId: 'x'.repeat(1_000_000), parts: [{ data: { seconds: 0 } }] })],
		['a task that is huge', message({ taskId: 'x'.repeat(1_000_000) })],
		['a skill of the prototype', message({ metadata: { skill: '__proto__' }, parts: [{ data: {} }] })],
		['a skill that is a number', message({ metadata: { skill: 7 }, parts: [{ data: {} }] })],
		['a skill that is huge', message({ metadata: { skill: 'x'.repeat(1_000_000) }, parts: [{ data: {} }] })],
		['a file named by a strange address', withParts({ url: 'file:///etc/passwd' })],
		['half of a surrogate pair', raw('[{"data":{"seconds":"\\ud800"}}]')],
		['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
		['UTF-16', new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), { 'content-type': 'application/json; charset=utf-16' }],
		['another media type', withParts({ data: {} }), { 'content-type': 'text/plain' }],
		['a media type that is none', withParts({ data: {} }), { 'content-type': ';;' }],
		['a compressed body', new Uint8Array([0x1f, 0x8b, 8, 0]), { 'content-encoding': 'gzip' }],
		['a body that is too large', `"${'x'.repeat(2_200_000)}"`],
		['a version that is none', withParts({ data: {} }), { 'a2a-version': '__proto__' }],
		['a configuration that is a list', `{"configuration":[],"message":${withParts({ data: {} })}}`],
	])('with %s is refused in the form of the protocol', async (what, body, headers = {}) => {
		for (const operation of ['message:send', 'message:stream']) {
			const response = await post(operation, body, headers);
			const text = await response.text();
			expect(response.status, `${what}: ${text.slice(0, 300)}`).toBeGreaterThanOrEqual(400);
			expect(response.status, `${what}: ${text.slice(0, 300)}`).toBeLessThan(500);
			expect(text.length).toBeLessThan(20_000);
			const { error } = JSON.parse(text) as { error: { code: number; status: string; details: object[] } };
			expect(error.code).toBe(response.status);
			expect(error.details[0]).toMatchObject({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo' });
		}
	});

	it.each([
		'{"seconds":0,"__proto__":{"steps":3}}',
		'{"seconds":0,"error":{"code":"A","message":"b","__proto__":{"status":500}}}',
		'{"__proto__":{"seconds":0}}',
	])('with the data %s is told of a field that no object should have', async (data) => {
		const text = await (await post('message:send', raw(`[{"data":${data}}]`))).text();
		expect(text).toMatch(/\/message\/parts\/0\/data.*__proto__"/);
		expect(({} as { steps?: number }).steps).toBeUndefined();
	});

	it.each([
		['POST', 'message:__proto__'],
		['POST', 'message:send/x'],
		['POST', 'tasks/x:y'],
		['POST', 'tasks/:cancel'],
		['POST', 'tasks/%00:cancel'],
		['POST', `tasks/${'x'.repeat(4_000)}:cancel`],
		['GET', 'tasks/%2e%2e'],
		['GET', 'tasks/%ff'],
		['GET', 'tasks/:subscribe'],
		['GET', `tasks/${'F'.repeat(64)}`],
		['GET', 'tasks?pageSize=1e2'],
		['GET', 'tasks?pageSize=Infinity'],
		['GET', 'tasks?pageToken=%00'],
		['GET', 'tasks?contextId=%00'],
		['GET', 'tasks?status=__proto__'],
		['GET', `tasks?contextId=${'x'.repeat(2_000)}`],
		['GET', 'tasks?status=constructor'],
		['PUT', 'tasks/x'],
	])('to %s /a2a/%s has an answer, and no 500', async (method, path) => {
		const response = await call(`/a2a/${path}`, { method, headers: { 'a2a-version': '1.0' } });
		const text = await response.text();
		expect(response.status, text.slice(0, 300)).toBeLessThan(500);
		JSON.parse(text);
	});
});

const by = (key: Key) => (path: string, init: RequestInit) =>
	ask(DEPLOYED, `/a2a/${path}`, { ...init, headers: { ...HEADERS, ...bearer(key) } });

async function taskOf(key: Key): Promise<string> {
	const body = JSON.stringify({
		message: JSON.parse(withParts({ data: { seconds: 60 } })).message,
		configuration: { returnImmediately: true },
	});
	const response = await by(key)('message:send', { method: 'POST', body });
	return (await response.json<{ task: { id: string } }>()).task.id;
}

describe('a foreign task', () => {
	it.each([
		['GET', ''],
		['GET', ':subscribe'],
		['POST', ':subscribe'],
		['POST', ':cancel'],
	])('is told the same bytes as one that never was, after as many calls, by %s %s', async (method, verb) => {
		const id = await taskOf(KEYS.client);
		const told = async (other: string) => {
			// The consumer of the task calls its job, too.
			const own = createOwnWork();
			const work = { call: 0, connect: 0 };
			const { call, connect } = Jobs.prototype;
			const spies = [
				vi.spyOn(Jobs.prototype, 'call').mockImplementation(function (this: Jobs, ...args) {
					if (own.isCaller()) work.call++;
					return call.apply(this, args) as ReturnType<typeof call>;
				} as typeof call),
				vi.spyOn(Jobs.prototype, 'connect').mockImplementation(function (this: Jobs, ...args) {
					if (own.isCaller()) work.connect++;
					return connect.apply(this, args);
				}),
			];
			const response = await own.run(() => by(KEYS.other)(`tasks/${other}${verb}`, { method }));
			for (const spy of spies) spy.mockRestore();
			expect(work.call + work.connect).toBeGreaterThan(0);
			const headers = [...response.headers].filter(([name]) => name !== 'x-correlation-id');
			return JSON.stringify([response.status, headers, await response.text(), work]);
		};
		expect(await told(id)).toBe(await told(env.JOBS.newUniqueId().toString()));
		const mine = await (await by(KEYS.client)(`tasks/${id}`, { method: 'GET' })).json();
		expect(mine).toMatchObject({ id, status: { state: expect.stringMatching(/SUBMITTED|WORKING/) } });
		await by(KEYS.client)(`tasks/${id}:cancel`, { method: 'POST' });
	});

	it('is in no list of another tenant', async () => {
		const id = await taskOf(KEYS.client);
		const listed = async (key: Key) => (await by(key)('tasks?pageSize=100', { method: 'GET' })).text();
		await expect.poll(() => listed(KEYS.client)).toContain(id);
		expect(await listed(KEYS.other)).not.toContain(id);
		await by(KEYS.client)(`tasks/${id}:cancel`, { method: 'POST' });
	});
});

describe('a key with some scopes', () => {
	const id = 'f'.repeat(64);

	it.each([
		['submit', 'POST', 'message:send'],
		['read', 'POST', 'message:send'],
		['cancel', 'POST', 'message:stream'],
		['operate', 'POST', 'message:send'],
		['submit', 'GET', `tasks/${id}`],
		['cancel', 'GET', `tasks/${id}:subscribe`],
		['submit', 'POST', `tasks/${id}:subscribe`],
		['cancel', 'POST', `tasks/${id}:subscribe`],
		['read', 'POST', `tasks/${id}:cancel`],
		['submit', 'POST', `tasks/${id}:cancel`],
		['cancel', 'GET', 'tasks'],
		['submit', 'GET', 'extendedAgentCard'],
	] as const)('%s may not %s /a2a/%s', async (scope, method, path) => {
		const body = method === 'POST' ? withParts({ data: { seconds: 0 } }) : null;
		const response = await by(KEYS[scope])(path, { method, body });
		expect(response.status).toBe(403);
		expect(await response.json()).toMatchObject({ error: { status: 'PERMISSION_DENIED' } });
	});
});
