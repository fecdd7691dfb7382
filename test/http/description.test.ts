/** The descriptions at `/openapi.json` and `/asyncapi.json`, and real exchanges that must be as they say. */
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { COMMON_METHODS } from '../../src/core/upstream/request.ts';
import { ROUTES } from '../../src/http/routes.ts';
import { call, eventsOf, ORIGIN, until, watch } from '../flow/client.ts';
import { listen, newTopic, publish } from '../topics/client.ts';
import { type Received, receiver } from '../webhook/receiver.ts';
import { ask, bearer, DEPLOYED, KEYS } from './deployment.ts';
import { type ApiDescription, Description } from './described.ts';

let document: ApiDescription;
let api: Description;

beforeAll(async () => {
	document = await (await call('/openapi.json')).json<ApiDescription>();
	api = new Description(document);
});

interface EventDescription {
	readonly components: { readonly schemas: Record<string, unknown> };
	readonly channels: {
		readonly topicSocket: { readonly messages: { readonly topicPlace: { readonly payload: unknown } } };
	};
}

type Sent = Omit<RequestInit, 'body'> & {
	readonly body?: string | Uint8Array<ArrayBuffer>;
	readonly isValid?: boolean;
};

/** Sends a request, and expects that it and its response are as described. */
async function exchange(path: string, { isValid, ...init }: Sent = {}): Promise<Response> {
	const url = new URL(path, ORIGIN);
	const headers = new Headers(init.headers);
	const response = await call(url.href, init as RequestInit);
	const isJson = headers.get('content-type') === 'application/json' && typeof init.body === 'string';
	const body = isJson && isValid !== false ? { body: JSON.parse(init.body as string) as unknown } : {};
	const sent = { method: init.method ?? 'GET', url, headers, response, ...body };
	expect(await api.faults(isValid === undefined ? sent : { ...sent, isValid })).toEqual([]);
	return response;
}

const json = (body: unknown, headers: Record<string, string> = {}): Sent => ({
	method: 'POST',
	headers: { 'content-type': 'application/json', ...headers },
	body: JSON.stringify(body),
});

const POST: Sent = { method: 'POST' };

async function submitted(body: unknown, headers: Record<string, string> = {}): Promise<StatusDocument> {
	const response = await exchange('/v1/jobs', json(body, headers));
	expect(response.status).toBe(202);
	return response.json<StatusDocument>();
}

const codeOf = async (response: Response) => (await response.json<{ code: string }>()).code;

describe('/openapi.json', () => {
	it('has each route, and no other', () => {
		const tasks = ['sleep', 'thumbnail', 'profile-csv', 'echo', 'either'];
		const wanted = ROUTES.flatMap(({ method, path }) => {
			if (path === '/v1/tasks/:task/jobs') return [];
			if (method === 'ALL') return COMMON_METHODS.map((one) => `${one} /v1/upstreams/{upstream}/{path}`);
			return [`${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`];
		});
		const found = Object.entries(document.paths).flatMap(([path, methods]) =>
			Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
		);
		const ofTasks = found.filter((name) => name.startsWith('POST /v1/tasks/'));
		expect(ofTasks).toEqual(expect.arrayContaining(tasks.map((task) => `POST /v1/tasks/${task}/jobs`)));
		const others = found.filter((name) => !ofTasks.includes(name));
		expect(others.toSorted()).toEqual([...wanted, 'GET /healthz'].toSorted());
		expect(new Set(api.operations).size).toBe(api.operations.length);
	});

	it('needs no key, names no upstream and no tenant, and has the host of the request', async () => {
		const response = await ask(DEPLOYED, 'https://elsewhere.example/openapi.json');
		expect(response.status).toBe(200);
		const text = await response.text();
		expect(JSON.parse(text)).toMatchObject({ openapi: '3.1.1', servers: [{ url: 'https://elsewhere.example' }] });
		for (const secret of ['reports.example', '/reports', 'acme', 'globex', 'whsec_'])
			expect(text).not.toContain(secret);
	});

	it('asks for credentials as the routes do: those of an open deployment are optional', async () => {
		const deployed = await (await ask(DEPLOYED, '/openapi.json')).json<ApiDescription>();
		const { security } = deployed.paths['/v1/jobs/{id}']?.get as unknown as { security: unknown };
		const needed = [{ apiKey: ['read'] }, { accessAssertion: ['read'] }, { linkToken: [] }];
		expect(security).toEqual(needed);
		expect(document.paths['/v1/jobs/{id}']?.get).toMatchObject({ security: [...needed, {}] });
		expect(deployed.paths['/openapi.json']?.get).toMatchObject({ security: [] });
	});

	it('asks for the token of an attempt from an external worker, also of an open deployment', async () => {
		for (const report of ['progress', 'complete', 'fail']) {
			const described = document.paths[`/v1/jobs/{id}/${report}`]?.post;
			expect(described).toMatchObject({ security: [{ linkToken: [] }] });
			expect((await call(`/v1/jobs/${'0'.repeat(64)}/${report}`, json({}))).status).toBe(403);
		}
	});

	it('is made once for all requests of a deployment, and the description of the events with it', async () => {
		const deployment = { ...DEPLOYED };
		const stringify = vi.spyOn(JSON, 'stringify');
		onTestFinished(() => void vi.restoreAllMocks());
		// Whatever large the jobs of other tests write meanwhile.
		const written = () => stringify.mock.results.filter(({ value }) => /^\{"(open|async)api":/.test(value)).length;
		const tags: (string | null)[] = [];
		const counts: number[] = [];
		for (const path of ['/openapi.json', '/asyncapi.json', '/openapi.json', '/asyncapi.json']) {
			const response = await ask(deployment, path);
			tags.push(response.headers.get('etag'));
			counts.push(written());
			expect(await response.json()).toMatchObject({ servers: expect.anything() });
		}
		expect(counts).toEqual([1, 2, 2, 2]);
		expect(tags.slice(2)).toEqual(tags.slice(0, 2));
		const elsewhere = await ask(deployment, 'https://elsewhere.example/openapi.json');
		expect(written()).toBe(2);
		expect(elsewhere.headers.get('etag')).not.toBe(tags[0]);
	});

	it.each([
		'/openapi.json',
		'/asyncapi.json',
	])('%s may be kept for some minutes, and is 304 while it is the same', async (path) => {
		const first = await exchange(path);
		expect(first.headers.get('cache-control')).toBe('public, max-age=300');
		const etag = first.headers.get('etag') ?? '';
		const again = await exchange(path, { headers: { 'if-none-match': etag } });
		expect([again.status, await again.text()]).toEqual([304, '']);
		expect((await call(path, { method: 'POST' })).status).toBe(405);
	});

	it.each(['/openapi.json', '/asyncapi.json'])('%s is 404 with OPENAPI=off', async (path) => {
		const response = await ask({ ...DEPLOYED, OPENAPI: 'off' }, path);
		expect([response.status, await codeOf(response)]).toEqual([404, 'NotFound']);
	});

	it('describes the input and the parameters of each task', async () => {
		const either = document.paths['/v1/tasks/either/jobs']?.post;
		expect(Object.keys(either?.requestBody?.content ?? {})).toEqual(['application/json', 'text/plain']);
		expect(either?.requestBody?.content['text/plain']?.schema).toMatchObject({ format: 'binary', maxLength: 100 });
		expect(either?.parameters[0]).toMatchObject({
			in: 'query',
			name: 'times',
			schema: { type: 'integer', maximum: 3 },
		});
		expect(api.schemaFaults('EitherInput', { name: 'Ada' })).toEqual([]);
		expect(api.schemaFaults('EitherInput', { name: 1 })).not.toEqual([]);
		expect(api.schemaFaults('Submission', { task: 'sleep', input: { seconds: 1 } })).toEqual([]);
		expect(api.schemaFaults('Submission', { task: 'sleep', input: { seconds: -1 } })).not.toEqual([]);
	});

	it('has examples that are as their schemas say', () => {
		const schemas = document.components.schemas as Record<string, { examples?: unknown[]; properties?: unknown }>;
		const shown = Object.entries(schemas).filter(([, { examples, properties }]) => examples && properties);
		expect(shown.length).toBeGreaterThan(10);
		for (const [name, { examples = [] }] of shown)
			for (const example of examples) expect(api.schemaFaults(name, example)).toEqual([]);
	});

	it('refuses an exchange that is not as it says', async () => {
		const { response } = { response: Response.json({ status: 'ok', more: 1 }, { headers: { 'x-other': '1' } }) };
		const faults = await api.faults({
			method: 'GET',
			url: new URL('/healthz', ORIGIN),
			headers: new Headers(),
			response,
		});
		expect(faults.join()).toMatch(/header x-other is not described/);
		expect(faults.join()).toMatch(/more/);
	});
});

describe('an exchange is as described', () => {
	it('from a submission to its result, with every way to wait', async () => {
		const options = { tags: ['a'], correlationId: 'c-1', retainSeconds: 3_600 };
		const job = await submitted({ task: 'sleep', input: { seconds: 0.2, steps: 2 }, options });
		await exchange(job.links.self);
		const { headers } = await exchange(job.links.operation);
		await exchange(job.links.operation, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
		await exchange(job.links.self, { headers: { prefer: 'wait=20' } });
		await until(job, 'succeeded');
		expect((await exchange(job.links.self)).status).toBe(303);
		expect((await exchange(`${job.links.self}&onComplete=inline`)).status).toBe(200);
		expect((await exchange(job.links.self, { method: 'HEAD' })).status).toBe(303);
		await exchange(job.links.result);
		await exchange(`${job.links.events}&after=1`);
		const stream = await exchange(job.links.events, { headers: { accept: 'text/event-stream', 'last-event-id': '1' } });
		await stream.body?.cancel();
		expect(
			(await exchange(job.links.events, { headers: { accept: 'text/event-stream', 'last-event-id': '99' } })).status,
		).toBe(204);
		await exchange(`/v1/jobs/${job.id}/input`, { isValid: false });
		await exchange('/v1/jobs?status=succeeded&limit=2&tag=a');
		await exchange(`/v1/jobs?id=${job.id}`);
		await exchange('/v1/jobs/counts?task=sleep');
		expect((await exchange(`/v1/jobs/${job.id}/purge`, POST)).status).toBe(204);
		expect((await exchange(job.links.operation)).status).toBe(410);
	});

	it('of a task with bytes and parameters', async () => {
		const headers = {
			'content-type': 'text/plain',
			'coatcheck-tags': 'x, y',
			'coatcheck-delay-seconds': '0',
			prefer: 'wait=20',
		};
		const waited = await exchange('/v1/tasks/either/jobs?times=2', { method: 'POST', headers, body: 'ab' });
		expect([waited.status, await waited.json()]).toEqual([200, { said: 'abab' }]);
		const refused = await exchange('/v1/tasks/either/jobs?times=9', { method: 'POST', headers, body: 'ab' });
		expect(refused.status).toBe(400);
		await exchange('/v1/tasks/either/jobs', { method: 'POST', headers: { 'content-type': 'image/gif' }, body: 'ab' });
		await exchange('/v1/tasks/either/jobs', { method: 'POST', headers, body: 'a'.repeat(101) });
		await exchange('/v1/tasks/echo/jobs', {
			method: 'POST',
			headers: { ...headers, 'idempotency-key': '"k-1"' },
			body: 'a',
		});
		const reused = await exchange('/v1/tasks/echo/jobs', {
			method: 'POST',
			headers: { ...headers, 'idempotency-key': '"k-1"' },
			body: 'b',
		});
		expect([reused.status, await codeOf(reused)]).toEqual([422, 'IdempotencyKeyReused']);
	});

	it('of a job that fails, is run again and canceled', async () => {
		const error = { code: 'Broken', message: 'As asked', status: 422 };
		const failed = await submitted({ task: 'sleep', input: { seconds: 0, error } });
		expect((await exchange(failed.links.result)).status).toBeGreaterThanOrEqual(404);
		await until(failed, 'failed');
		expect(await codeOf(await exchange(failed.links.result))).toBe('Broken');
		expect((await exchange(`${failed.links.self}&onFailed=error`)).status).toBe(422);
		await exchange(`/v1/jobs/${failed.id}/retry`, POST);
		const delayed = await submitted({ task: 'sleep', input: { seconds: 0 } }, { 'coatcheck-delay-seconds': '3600' });
		await exchange(`/v1/jobs/${delayed.id}/input`);
		await exchange(`/v1/jobs/${delayed.id}/purge`, POST);
		await exchange(`/v1/jobs/${delayed.id}/retry`, POST);
		await exchange(delayed.links.cancel ?? '', { method: 'POST', headers: { 'if-match': '"1"' }, isValid: false });
		await exchange(delayed.links.cancel ?? '', POST);
		await exchange(`/v1/jobs/${delayed.id}`, { method: 'DELETE' });
		await exchange(delayed.links.result);
		await exchange(`/v1/jobs/${delayed.id}/webhook/deliveries`, { ...json({ seq: 1 }), isValid: true });
	});

	it('of an external worker', async () => {
		const job = await submitted({ task: 'sleep', input: { seconds: 0, wait: true } });
		const { progress } = await until(job, 'waiting');
		const links = progress?.data as { progress: string; complete: string; fail: string };
		await exchange(links.progress, json({ percentComplete: 70, message: 'frame 1' }));
		await exchange(links.progress, { ...json({ percentComplete: 700 }), isValid: false });
		await exchange(links.complete, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'done' });
		expect((await exchange(links.fail, json({ code: 'Late', message: 'Too late' }))).status).toBe(409);
		await until(job, 'succeeded');
	});

	it('of a forwarded request', async () => {
		await exchange('/v1/upstreams/report/monthly?year=2026', { headers: { 'x-correlation-id': 'r-1' } });
		await exchange('/v1/upstreams/report/monthly', {
			method: 'PUT',
			headers: { 'content-type': 'text/csv' },
			body: 'a,b',
		});
		await exchange('/v1/upstreams/nowhere/monthly');
		await exchange('/v1/upstreams');
		await exchange('/v1/operator/upstreams/report/reset', POST);
	});

	it('of a batch', async () => {
		const response = await exchange('/v1/batches', json({ jobs: [{ task: 'sleep', input: { seconds: 0 } }] }));
		const { links } = await response.json<{ links: { self: string } }>();
		await exchange(links.self);
		await exchange('/v1/batches', { ...json({ jobs: [] }), isValid: false });
		await exchange(`/v1/batches/${'f'.repeat(64)}`);
	});

	it('of an action', async () => {
		const response = await exchange(
			'/v1/actions',
			json({ action: 'cancel', filter: { task: 'nothing', tag: ['a', 'b'] } }),
		);
		const { links } = await response.json<{ links: { self: string } }>();
		await exchange(links.self);
		await exchange(links.self, { method: 'DELETE' });
		await exchange('/v1/actions?limit=1');
		await exchange('/v1/actions?limit=0');
		await exchange('/v1/actions', { ...json({ action: 'cancel', filter: {} }), isValid: false });
		await exchange(`/v1/actions/${'f'.repeat(64)}`);
	});

	it('of a topic', async () => {
		const topic = '/v1/topics/described';
		await exchange(`${topic}/events`, json({ a: 1 }, { 'coatcheck-event-type': 'made', 'idempotency-key': 'e-1' }));
		await exchange(`${topic}/events`, {
			method: 'POST',
			headers: {
				'content-type': 'image/png',
				'ce-specversion': '1.0',
				'ce-type': 'made',
				'ce-source': 's',
				'ce-id': '1',
			},
			body: new Uint8Array([1]),
		});
		await exchange(`${topic}/events?after=0&limit=1&types=made&correlationId=none`);
		await exchange(`${topic}/events?after=0&limit=1`);
		await exchange(`${topic}/events?after=now`);
		const stream = await exchange(`${topic}/events?after=0`, { headers: { accept: 'text/event-stream' } });
		await stream.body?.cancel();
		await exchange(`${topic}/events?limit=x`);
		await exchange(`${topic}/events`, { headers: { accept: 'image/png' } });
		const put = (body: unknown) => exchange(`${topic}/subscriptions/one`, { ...json(body), method: 'PUT' });
		expect((await put({ task: 'sleep', input: { seconds: 0 }, replyTopic: 'described-replies' })).status).toBe(201);
		expect((await put({ webhook: { url: 'https://receiver.example/hook?key=1' }, types: ['none'] })).status).toBe(200);
		await exchange(`${topic}/subscriptions/one`);
		await exchange(`${topic}/subscriptions`);
		await exchange(`${topic}/subscriptions/two`);
		expect((await exchange(`${topic}/subscriptions/one`, { method: 'DELETE' })).status).toBe(204);
		await exchange('/v1/topics/jobs/events?after=0&limit=3');
		await exchange('/v1/topics?limit=3');
		await exchange('/v1/topics?limit=0');
	});

	it('about the deployment', async () => {
		for (const path of ['/healthz', '/metrics', '/v1/tasks', '/v1/me', '/v1/lanes']) await exchange(path);
	});

	it('of sockets', async () => {
		const job = await submitted({ task: 'sleep', input: { seconds: 0 } });
		for (const path of [
			`/v1/jobs/${job.id}/socket?after=1`,
			'/v1/topics/jobs/events?after=now&frames=batch&place=true',
		]) {
			const upgraded = await exchange(path, {
				headers: { upgrade: 'websocket', 'sec-websocket-protocol': 'coatcheck.v1' },
			});
			expect(upgraded.status).toBe(101);
			upgraded.webSocket?.accept();
			upgraded.webSocket?.close();
		}
		expect((await exchange(`/v1/jobs/${job.id}/socket`)).status).toBe(426);
		for (const event of await eventsOf(job)) expect(api.schemaFaults('JobEvent', event)).toEqual([]);
	});

	it('where a request is refused', async () => {
		const job = 'f'.repeat(64);
		for (const path of [`/v1/jobs/${job}`, `/v1/operations/${job}`, `/v1/jobs/${job}/events`, '/v1/jobs?status=none']) {
			const response = await exchange(path);
			expect(response.status).toBeGreaterThanOrEqual(400);
		}
		await exchange('/v1/jobs', { ...json({ task: 'nothing', input: 1 }), isValid: false });
		await exchange('/v1/jobs', { ...json({ task: 'sleep', input: { seconds: 'x' } }), isValid: false });
		await exchange('/v1/jobs', {
			method: 'POST',
			headers: { 'content-type': 'text/plain' },
			body: '{}',
			isValid: false,
		});
	});

	it('without credentials, and with the wrong ones', async () => {
		const url = new URL('/v1/tasks', ORIGIN);
		for (const headers of [{}, { authorization: 'Bearer wrong' }, bearer(KEYS.submit)]) {
			const response = await ask(DEPLOYED, url.href, { headers });
			expect([401, 403]).toContain(response.status);
			expect(await api.faults({ method: 'GET', url, headers: new Headers(headers), response })).toEqual([]);
		}
	});

	it('of an agent', async () => {
		await exchange('/mcp', {
			...json({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
			headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
		});
		for (const path of ['', '/mcp'])
			expect((await exchange(`/.well-known/oauth-protected-resource${path}`)).status).toBe(404);
	});

	it('of an agent of another maker', async () => {
		expect((await exchange('/.well-known/agent-card.json')).status).toBe(200);
		const version = { 'a2a-version': '1.0' };
		const message = { messageId: 'm', parts: [{ data: { seconds: 0 } }], metadata: { skill: 'sleep' } };
		const sent = await exchange('/a2a/message:send', {
			...json({ message }),
			headers: { ...version, 'content-type': 'application/json' },
		});
		const { task } = await sent.json<{ task: { id: string } }>();
		for (const path of ['/a2a/extendedAgentCard', '/a2a/tasks', `/a2a/tasks/${task.id}`])
			expect((await exchange(path, { headers: version })).status).toBe(200);
		const canceled = await exchange(`/a2a/tasks/${task.id}:cancel`, { method: 'POST', headers: version });
		expect(canceled.status).toBe(400);
	});

	it('for every operation', () => {
		const unseen = api.operations.filter((name) => !api.seen.has(name));
		expect(unseen.filter((name) => !name.startsWith('submit') && !name.startsWith('forward'))).toEqual([]);
	});
});

describe('a webhook is as described', () => {
	const OF_THE_PLATFORM = ['content-type', 'content-length', 'user-agent'];

	/** What of a delivery contradicts the webhook of this name. */
	function deliveryFaults(webhook: 'jobEvent' | 'topicEvent', { headers }: Received): string[] {
		const { parameters } = document.webhooks[webhook].post;
		const names = parameters.map(({ name }) => name.toLowerCase());
		const missing = parameters.filter(({ name, required }) => required && !(name.toLowerCase() in headers));
		const unknown = Object.keys(headers).filter((name) => ![...names, ...OF_THE_PLATFORM].includes(name));
		return [...missing.map(({ name }) => `${name} is missing`), ...unknown.map((name) => `${name} is not described`)];
	}

	it.each(['standard', 'cloudevents'])('of a job, in the format %s', async (format) => {
		const host = `${crypto.randomUUID()}.example`;
		const received = receiver(host);
		const url = `https://${host}/hook`;
		await submitted({ task: 'sleep', input: { seconds: 0 }, options: { webhook: { url, format } } });
		await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 10_000 });
		const [delivery = {} as Received] = received;
		expect(deliveryFaults('jobEvent', delivery)).toEqual([]);
		const name = format === 'standard' ? 'JobMessage' : 'StatusDocument';
		expect(api.schemaFaults(name, JSON.parse(delivery.body))).toEqual([]);
	});

	it('of a topic', async () => {
		const host = `${crypto.randomUUID()}.example`;
		const received = receiver(host);
		const topic = `/v1/topics/${host}`;
		const subscription = { webhook: { url: `https://${host}/hook` }, from: 'start' };
		await exchange(`${topic}/subscriptions/one`, { ...json(subscription), method: 'PUT' });
		await exchange(`${topic}/events`, json({ a: 1 }, { 'coatcheck-event-type': 'made' }));
		await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 10_000 });
		const [delivery = {} as Received] = received;
		expect(deliveryFaults('topicEvent', delivery)).toEqual([]);
		expect(api.schemaFaults('TopicMessage', JSON.parse(delivery.body))).toEqual([]);
	});
});

describe('/asyncapi.json', () => {
	it('has the servers of the request, and no key', async () => {
		const events = await (
			await ask({ ...DEPLOYED, PUBLIC_URL: 'https://jobs.example/queue' }, '/asyncapi.json')
		).json();
		expect(events).toMatchObject({
			asyncapi: '3.0.0',
			servers: {
				sockets: { host: 'jobs.example', pathname: '/queue', protocol: 'wss' },
				http: { host: 'jobs.example', pathname: '/queue', protocol: 'https' },
			},
		});
	});

	it('describes each message of a job by its socket', async () => {
		const events = await (await call('/asyncapi.json')).json<ApiDescription>();
		const ofEvents = new Description({ paths: {}, components: events.components });
		const job = await submitted({ task: 'sleep', input: { seconds: 0.1, steps: 2 } });
		const { events: messages, closed } = await watch(job, 0);
		await closed;
		expect(messages.length).toBeGreaterThanOrEqual(3);
		for (const message of messages) expect(ofEvents.schemaFaults('JobEvent', message)).toEqual([]);
		expect(ofEvents.schemaFaults('JobEvent', { ...messages[0], seq: 'one' })).not.toEqual([]);
	});

	it('describes each frame of a topic by its socket', async () => {
		const { components, channels } = await (await call('/asyncapi.json')).json<EventDescription>();
		const schemas = { ...components.schemas, TopicPlace: channels.topicSocket.messages.topicPlace.payload };
		const ofEvents = new Description({ paths: {}, components: { schemas } });
		const topic = newTopic();
		const reader = await listen(topic, { place: 'true' });
		await publish(topic, { a: 1 });
		await vi.waitFor(() => expect(reader.events).toHaveLength(3));
		const [before, event, after] = reader.events;
		for (const place of [before, after]) expect(ofEvents.schemaFaults('TopicPlace', place)).toEqual([]);
		expect(ofEvents.schemaFaults('TopicEvent', event)).toEqual([]);
		expect(ofEvents.schemaFaults('TopicEvent', before)).not.toEqual([]);
		expect(ofEvents.schemaFaults('TopicPlace', event)).not.toEqual([]);
	});
});
