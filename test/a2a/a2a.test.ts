/** The A2A server, by messages as they are on the wire. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { A2aTask, StreamResponse } from '../../src/core/a2a/task.ts';
import { call, completeOutside, ORIGIN, UNTIL_COMPLETED } from '../flow/client.ts';
import { ask, bearer, DEPLOYED, KEYS, type Key } from '../http/deployment.ts';
import { receiver } from '../webhook/receiver.ts';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const VERSION = { 'a2a-version': '1.0' };

interface Answer extends Partial<A2aTask> {
	readonly task?: A2aTask;
	readonly tasks?: readonly A2aTask[];
	readonly nextPageToken?: string;
	readonly totalSize?: number;
	readonly error?: {
		readonly code: number;
		readonly status: string;
		readonly message: string;
		readonly details: object[];
	};
}

type Send = (path: string, init: RequestInit) => Promise<Response>;

const by =
	(key: Key): Send =>
	(path, init) =>
		ask(DEPLOYED, path, { ...init, headers: { ...(init.headers as Record<string, string>), ...bearer(key) } });

async function get(path: string, send: Send = call): Promise<Answer> {
	return (await send(`/a2a/${path}`, { headers: VERSION })).json();
}

function post(path: string, body?: object, send: Send = call): Promise<Response> {
	const content = body && { body: JSON.stringify(body) };
	return send(`/a2a/${path}`, {
		method: 'POST',
		headers: { ...VERSION, 'content-type': 'application/json' },
		...content,
	});
}

function message(skill: string | undefined, parts: readonly object[], fields: object = {}) {
	const metadata = skill === undefined ? {} : { metadata: { skill } };
	return { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts, ...metadata, ...fields };
}

const sleep = (input: object, fields: object = {}) => message('sleep', [{ data: input }], fields);
const TEXT = { raw: 'aGk=', mediaType: 'text/plain' };
const AT_ONCE = { configuration: { returnImmediately: true } };

async function send(given: object, options: object = {}, sendBy: Send = call): Promise<Answer> {
	return (await post('message:send', { message: given, ...options }, sendBy)).json();
}

async function streamed(response: Response): Promise<StreamResponse[]> {
	expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
	const text = await response.text();
	return [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as StreamResponse);
}

const reasonIn = ({ error }: Answer) => (error?.details[0] as { reason?: string } | undefined)?.reason;

describe('the agent card', () => {
	it('names the skills, where they are asked, and that a key is needed', async () => {
		const card = await (await ask(DEPLOYED, '/.well-known/agent-card.json')).json<{ skills: { id: string }[] }>();
		expect(card).toMatchObject({
			supportedInterfaces: [{ url: `${ORIGIN}/a2a`, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' }],
			capabilities: { streaming: true, pushNotifications: false },
			securitySchemes: { key: { httpAuthSecurityScheme: { scheme: 'Bearer' } } },
		});
		expect(card.skills.map(({ id }) => id)).toEqual(expect.arrayContaining(['sleep', 'thumbnail', 'profile_csv']));
	});

	it('names no skill where the API is not described, and no upstream where there are keys', async () => {
		const skills = async (variables: object) => {
			const card = await ask({ ...DEPLOYED, ...variables }, '/.well-known/agent-card.json');
			return (await card.json<{ skills: { id: string }[] }>()).skills.map(({ id }) => id);
		};
		expect(await skills({ OPENAPI: 'off' })).toEqual([]);
		const upstreams = {
			all: { baseUrl: 'https://all.example', mcp: true, paths: ['/internal/payroll/*'] },
			some: { baseUrl: 'https://some.example', mcp: true, tenants: ['globex'] },
		};
		const variables = { UPSTREAMS: JSON.stringify(upstreams) };
		expect(await skills(variables)).not.toContain('upstream_all');
		const extended = await ask({ ...DEPLOYED, ...variables }, '/a2a/extendedAgentCard', {
			headers: { ...VERSION, ...bearer(KEYS.client) },
		});
		const known = (await extended.json<{ skills: { id: string }[] }>()).skills.map(({ id }) => id);
		expect(known).toContain('upstream_all');
		expect(known).not.toContain('upstream_some');
	});
});

describe('a message', () => {
	it('waits for its task, whose artifact is the result', async () => {
		const { task } = await send(sleep({ seconds: 0 }, { contextId: 'talk-1' }));
		expect(task).toMatchObject({
			contextId: 'talk-1',
			status: { state: 'TASK_STATE_COMPLETED' },
			artifacts: [{ artifactId: 'result', parts: [{ data: { sleptSeconds: 0 } }] }],
			metadata: { task: 'sleep' },
		});
		expect(await get(`tasks/${task?.id}`)).toEqual(task);
	});

	it('does not wait where it asks for an immediate answer', async () => {
		const { task } = await send(sleep({ seconds: 30 }), AT_ONCE);
		expect(task?.status.state).toMatch(/^TASK_STATE_(SUBMITTED|WORKING)$/);
		const canceled = await (await post(`tasks/${task?.id}:cancel`)).json<Answer>();
		expect(canceled.id).toBe(task?.id);
		await expect.poll(async () => (await get(`tasks/${task?.id}`)).status?.state).toBe('TASK_STATE_CANCELED');
	});

	it('that is sent again finds its task', async () => {
		const given = sleep({ seconds: 0 });
		const [one, two] = [await send(given), await send(given)];
		expect(two.task?.id).toBe(one.task?.id);
	});

	it('whose task fails has a failed one, with the reason', async () => {
		const { task } = await send(sleep({ seconds: 0, error: { code: 'OutOfPaper', message: 'Fill in paper' } }));
		expect(task).toMatchObject({
			status: {
				state: 'TASK_STATE_FAILED',
				message: { role: 'ROLE_AGENT', parts: [{ text: 'OutOfPaper: Fill in paper' }] },
			},
		});
		expect(task).not.toHaveProperty('artifacts');
	});

	it('takes a file, and can start a request to an upstream', async () => {
		const parts = [{ data: { parameters: { width: 8, format: 'png' } } }, { raw: PIXEL, mediaType: 'image/png' }];
		const { task } = await send(message('thumbnail', parts));
		expect(task?.artifacts).toMatchObject([
			{ parts: [{ raw: expect.stringMatching(/^iVBOR/), mediaType: 'image/png' }] },
		]);
		receiver('ledger.example', () => Response.json({ id: 7 }));
		const request = message('upstream_main_ledger', [{ data: { method: 'GET', path: '/entries' } }]);
		expect((await send(request)).task?.artifacts).toMatchObject([{ parts: [{ data: { id: 7 } }] }]);
	});

	it.each([
		[message('nothing', [{ data: {} }]), 'INVALID_PARAMS', /expected one of: .*sleep/],
		[message(undefined, [{ data: {} }]), 'INVALID_PARAMS', /expected one of: .*sleep/],
		[message('sleep', [{ text: 'please sleep' }]), 'INVALID_PARAMS', /expected one part with data/],
		[message('sleep', []), 'INVALID_PARAMS', /expected at least one part/],
		[sleep({ seconds: 'long' }), 'INVALID_PARAMS', /expected number/],
		[sleep({ seconds: 0 }, { contextId: 'a b' }), 'INVALID_PARAMS', /printable ASCII/],
		[sleep({ seconds: 0 }, { taskId: 'f'.repeat(64) }), 'UNSUPPORTED_OPERATION', /no further messages/],
		[message('thumbnail', [{ raw: 'AAAA', mediaType: 'text/plain' }]), 'CONTENT_TYPE_NOT_SUPPORTED', /text\/plain/],
	])('that is %j says what is wrong', async (given, reason, text) => {
		const response = await post('message:send', { message: given });
		expect(response.status).toBe(400);
		const answer = await response.json<Answer>();
		expect(reasonIn(answer)).toBe(reason);
		expect(JSON.stringify(answer.error)).toMatch(text);
	});

	it.each([
		[sleep({ seconds: 'long' }), ['/message/parts/0/data/seconds']],
		[sleep({ seconds: 0, 'a/b': 1 }), ['/message/parts/0/data/a~1b']],
		[message('either', [{ data: 7 }]), ['/message/parts/0/data']],
		[message('sleep', [{ raw: PIXEL, mediaType: 'image/png' }]), ['/message/parts', '/message/parts/0']],
		[message('sleep', [{ data: 'long' }]), ['/message/parts/0/data']],
		[message('either', [{ data: { input: { name: 7 } } }]), ['/message/parts/0/data/input/name']],
		[message('either', [{ data: { parameters: { times: 9 } } }, TEXT]), ['/message/parts/0/data/parameters/times']],
		[message('either', [TEXT, { data: { parameters: { times: 9 } } }]), ['/message/parts/1/data/parameters/times']],
		[message('either', [{ raw: 'eyJuYW1lIjo3fQ==', mediaType: 'application/json' }]), ['/message/parts/0']],
		[message('either', [{ data: {} }]), ['/message/parts/0/data']],
		[message('context', [{ data: { surplus: 1 } }]), ['/message/parts/0/data/surplus']],
		[message('innocent', [TEXT]), ['/message/parts/0']],
		[message('thumbnail', [{ raw: 'AAAA', mediaType: 'text/plain' }]), ['/message/parts/0/mediaType']],
		[message('thumbnail', [{ raw: 'AAAA' }]), ['/message/parts/0/mediaType']],
		[message('thumbnail', [{ raw: '!', mediaType: 'image/png' }]), ['/message/parts/0/raw']],
		[message('thumbnail', [{ raw: 'AAAA', url: 'https://a.example', mediaType: 'image/png' }]), ['/message/parts/0']],
		[message('thumbnail', [{ url: 'nowhere' }]), ['/message/parts/0/url']],
		[message('thumbnail', [{ url: 'http://localhost/secret' }]), ['/message/parts/0/url']],
		[
			message('thumbnail', [{ data: { file: { base64: '!', mediaType: 'image/png' } } }]),
			['/message/parts/0/data/file/base64'],
		],
		[
			message('upstream_main_ledger', [{ data: { method: 'GET', path: '/entries', body: 1 } }]),
			['/message/parts/0/data/body'],
		],
		[message('upstream_main_ledger', [{ data: { method: 'GET', path: '/../x' } }]), ['/message/parts/0/data/path']],
		[message('upstream_main_ledger', [{ data: { method: 'GET', path: '/secret' } }]), ['/message/parts/0/data/path']],
	])('that is %j points at the part that is wrong', async (given, fields) => {
		const { error } = await send(given);
		expect(error?.details).toMatchObject([{}, { fieldViolations: fields.map((field) => ({ field })) }]);
	});

	it('whose id belongs to another message is told so at its id', async () => {
		const first = sleep({ seconds: 0 });
		await send(first);
		const { error } = await send({ ...sleep({ seconds: 1 }), messageId: first.messageId });
		expect(error?.details).toMatchObject([{}, { fieldViolations: [{ field: '/message/messageId' }] }]);
	});

	it('has its file among its data, or as a part, but not both', async () => {
		const file = { base64: PIXEL, mediaType: 'image/png' };
		const data = { data: { file, parameters: { width: 8, format: 'png' } } };
		expect((await send(message('thumbnail', [data]))).task?.status.state).toBe('TASK_STATE_COMPLETED');
		const both = await send(message('thumbnail', [data, { raw: PIXEL, mediaType: 'image/png' }]));
		expect(both.error?.details).toMatchObject([{}, { fieldViolations: [{ field: '/message/parts' }] }]);
	});

	it.each([
		'talk%20one',
		'a|b',
		'{x}',
		'<urn:x>',
	])('may belong to the context %s, which the answer names', async (contextId) => {
		const given = { message: sleep({ seconds: 0 }, { contextId, taskId: null }), configuration: null };
		const response = await post('message:send', given);
		expect(response.headers.get('x-correlation-id')).toBe(contextId);
		expect((await response.json<Answer>()).task?.contextId).toBe(contextId);
	});

	it.each(['é1', 'x'.repeat(256), ''])('whose id is %j is told what an id may be', async (messageId) => {
		const { error } = await send(sleep({ seconds: 0 }, { messageId }));
		expect(error?.details).toMatchObject([{}, { fieldViolations: [{ field: '/message/messageId' }] }]);
	});

	it('with a field that no object should have is refused', async () => {
		const body = (data: string) =>
			`{ "message": { "messageId": "${crypto.randomUUID()}", "parts": [{ "data": ${data} }], "metadata": { "skill": "sleep" } } }`;
		const init = { method: 'POST', headers: { ...VERSION, 'content-type': 'application/json' } };
		const response = await call('/a2a/message:send', {
			...init,
			body: body('{ "seconds": 0, "__proto__": { "steps": 3 } }'),
		});
		expect([response.status, reasonIn(await response.json())]).toEqual([400, 'INVALID_PARAMS']);
	});

	it.each([
		['without a key', {}, 401, 'UNAUTHENTICATED'],
		['of a key that may only read', bearer(KEYS.read), 403, 'PERMISSION_DENIED'],
	])('%s is refused in the form of the protocol', async (_, headers, code, status) => {
		const init = {
			method: 'POST',
			headers: { ...VERSION, 'content-type': 'application/json', ...headers },
			body: '{}',
		};
		const response = await ask(DEPLOYED, '/a2a/message:send', init);
		expect(response.status).toBe(code);
		expect(await response.json()).toMatchObject({ error: { code, status, details: [{ domain: 'coatcheck' }] } });
	});

	it('of a page of another site is refused, and so is one that is not called JSON', async () => {
		const init = { method: 'POST', body: JSON.stringify({ message: sleep({ seconds: 0 }) }) };
		const plain = { ...init, headers: { 'content-type': 'text/plain' } };
		const path = '/a2a/message:send?A2A-Version=1.0';
		expect(reasonIn(await (await call(path, plain)).json())).toBe('CONTENT_TYPE_NOT_SUPPORTED');
		const foreign = {
			origin: 'https://evil.example',
			'sec-fetch-site': 'cross-site',
			'content-type': 'application/json',
		};
		expect((await call(path, { ...init, headers: foreign })).status).toBe(403);
		const { task } = await send(sleep({ seconds: 30 }), AT_ONCE);
		const cancel = `/a2a/tasks/${task?.id}:cancel?A2A-Version=1.0`;
		expect((await call(cancel, { method: 'POST', headers: foreign })).status).toBe(403);
		await post(`tasks/${task?.id}:cancel`);
	});

	it('of a client that speaks another version is refused', async () => {
		const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
		expect(reasonIn(await (await call('/a2a/message:send', init)).json())).toBe('VERSION_NOT_SUPPORTED');
	});

	it('of a key that may not read starts nothing', async () => {
		const { error } = await send(sleep({ seconds: 0 }), {}, by(KEYS.submit));
		expect(error).toMatchObject({ code: 403, status: 'PERMISSION_DENIED' });
	});
});

describe('a stream', () => {
	it('tells the updates of a task, its artifact, and then its end', async () => {
		const messages = await streamed(await post('message:stream', { message: sleep({ seconds: 3, steps: 3 }) }));
		const [first] = messages;
		expect(first).toMatchObject({ task: { status: {} } });
		expect(messages.slice(-2)).toMatchObject([
			{ artifactUpdate: { artifact: { parts: [{ data: { sleptSeconds: 3 } }] }, lastChunk: true } },
			{ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } },
		]);
		const updates = messages.flatMap((one) =>
			'statusUpdate' in one ? [one.statusUpdate.metadata.percentComplete] : [],
		);
		// A busy machine may merge some.
		expect(updates.some((percent) => percent !== undefined && percent > 0 && percent < 100)).toBe(true);
	});

	it("goes on after the job's object has restarted", async () => {
		const response = await post('message:stream', { message: sleep({ seconds: 3, steps: 3 }) });
		const reader = response.body?.getReader();
		const first = new TextDecoder().decode((await reader?.read())?.value);
		const { task } = JSON.parse(/^data: (.+)$/m.exec(first)?.[1] ?? '') as { task: A2aTask };
		await runInDurableObject(env.JOBS.get(env.JOBS.idFromString(task.id)), (_, state) =>
			state.abort('restarted'),
		).catch(() => {});
		let rest = '';
		for (;;) {
			const piece = await reader?.read();
			if (!piece || piece.done) break;
			rest += new TextDecoder().decode(piece.value);
		}
		expect(rest).toMatch(/artifactUpdate.*\n\ndata: .*TASK_STATE_COMPLETED.*\n\n$/);
	});

	it('lets go of a reader that leaves', async () => {
		const { task } = await send(sleep(UNTIL_COMPLETED), AT_ONCE);
		const response = await call(`/a2a/tasks/${task?.id}:subscribe`, { headers: VERSION });
		const reader = response.body?.getReader();
		await reader?.read();
		await reader?.cancel();
		const sockets = () =>
			runInDurableObject(
				env.JOBS.get(env.JOBS.idFromString(task?.id ?? '')),
				(_, state) => state.getWebSockets().length,
			);
		await expect.poll(sockets).toBe(0);
		await completeOutside(task?.id ?? '', 'done');
	});

	it.each(['GET', 'POST'])('is subscribed to again with %s, until the task has ended', async (method) => {
		const { task } = await send(sleep(UNTIL_COMPLETED), AT_ONCE);
		const path = `/a2a/tasks/${task?.id}:subscribe`;
		const response = await call(path, { method, headers: VERSION });
		await completeOutside(task?.id ?? '', 'done');
		const messages = await streamed(response);
		expect(messages.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } });
		const again = await call(path, { method, headers: VERSION });
		expect([again.status, reasonIn(await again.json())]).toEqual([400, 'UNSUPPORTED_OPERATION']);
	});
});

describe('a task', () => {
	it('that is foreign is unknown', async () => {
		const { task } = await send(sleep({ seconds: 0 }), {}, by(KEYS.client));
		expect(await get(`tasks/${task?.id}`, by(KEYS.client))).toMatchObject({ id: task?.id });
		for (const id of [task?.id, 'f'.repeat(64), 'nothing']) {
			expect(reasonIn(await get(`tasks/${id}`, by(KEYS.other)))).toBe('TASK_NOT_FOUND');
			const canceled = await (await post(`tasks/${id}:cancel`, undefined, by(KEYS.other))).json<Answer>();
			expect(reasonIn(canceled)).toBe('TASK_NOT_FOUND');
		}
	});

	it('that has ended is not canceled', async () => {
		const { task } = await send(sleep({ seconds: 0 }));
		expect(reasonIn(await (await post(`tasks/${task?.id}:cancel`)).json())).toBe('TASK_NOT_CANCELABLE');
	});

	it('is listed by its context and its state, page by page', async () => {
		const contextId = crypto.randomUUID();
		for (let n = 0; n < 3; n++) await send(sleep({ seconds: 0 }, { contextId }));
		const query = `tasks?contextId=${contextId}&status=TASK_STATE_COMPLETED&pageSize=2`;
		// The list follows its jobs.
		await expect.poll(async () => (await get(query)).totalSize).toBe(3);
		const page = await get(query);
		expect(page).toMatchObject({ tasks: [{ contextId }, { contextId }], totalSize: 3, pageSize: 2 });
		const rest = await get(`${query}&pageToken=${encodeURIComponent(page.nextPageToken ?? '')}`);
		expect(rest).toMatchObject({ tasks: [{ contextId }], nextPageToken: '' });
		expect(await get('tasks?status=TASK_STATE_AUTH_REQUIRED')).toMatchObject({ tasks: [], totalSize: 0 });
		expect(reasonIn(await get('tasks?pageSize=0'))).toBe('INVALID_PARAMS');
		expect(reasonIn(await get('tasks?includeArtifacts=true'))).toBe('INVALID_PARAMS');
	});
});
