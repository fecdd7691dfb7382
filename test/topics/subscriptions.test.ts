import { createMessageBatch, evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { isJobEvent, verifyDelivery } from '../../src/receiver/index.ts';
import { call } from '../flow/client.ts';
import { advanceClock, dropMessages, duplicateMessages, keepObjectsAway } from '../flow/faults.ts';
import { receiver } from '../webhook/receiver.ts';
import worker from '../worker.ts';
import { newTopic, pageOf, publish, seqOf, topicObject } from './client.ts';

interface SubscriptionDocument {
	readonly status: string;
	readonly cursor: number;
	readonly lag: number;
	readonly delivered: number;
	readonly missed: number;
	readonly failure?: { readonly seq: number; readonly attempt: number; readonly code?: number };
	readonly givenUp: { readonly count: number; readonly events: readonly { readonly seq: number }[] };
}

const SECRET = JSON.parse(env.WEBHOOK_SECRETS)[0] as string;
/** Ten jobs one after the other wait for thirty messages, and a third try is made after half a minute. */
const LONGEST_MS = 90_000;

function put(topic: string, body: unknown, name = 'one'): Promise<Response> {
	return call(`/v1/topics/${topic}/subscriptions/${name}`, {
		method: 'PUT',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(body),
	});
}

async function subscribe(topic: string, body: unknown, name = 'one'): Promise<void> {
	const response = await put(topic, body, name);
	if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
}

async function stateOf(topic: string, name = 'one'): Promise<SubscriptionDocument> {
	return (await call(`/v1/topics/${topic}/subscriptions/${name}`)).json<SubscriptionDocument>();
}

function until(topic: string, expected: object, name = 'one'): Promise<void> {
	return vi.waitFor(async () => expect(await stateOf(topic, name)).toMatchObject(expected), {
		interval: 50,
		timeout: LONGEST_MS,
	});
}

const newHost = () => `${crypto.randomUUID()}.example`;

/** Fires the alarm of a topic's object. */
async function fire(topic: string): Promise<void> {
	await runInDurableObject(topicObject(topic), (object) => object.alarm());
}

/** The numbers of the events that a receiver got. */
const seqsOf = (received: readonly { readonly body: string }[]) =>
	received.map(({ body }) => (JSON.parse(body) as { data: { seq: number } }).data.seq);

describe('a webhook subscription', () => {
	it('gets each event in order, signed, with its correlation id', async () => {
		const [topic, host] = [newTopic(), newHost()];
		const received = receiver(host);
		await publish(topic, 0);
		await subscribe(topic, { webhook: { url: `https://${host}/hook?key=secret` } });
		for (let n = 1; n <= 5; n++) await publish(topic, { n }, { 'x-correlation-id': `c${n}` });
		await until(topic, { status: 'active', cursor: 6, lag: 0, delivered: 5, missed: 0 });
		expect(seqsOf(received)).toEqual([2, 3, 4, 5, 6]);
		const [first] = received;
		expect(first?.headers).toMatchObject({ 'x-correlation-id': 'c1', 'content-type': 'application/json' });
		expect(new Webhook(SECRET).verify(first?.body ?? '', first?.headers ?? {})).toMatchObject({
			type: 'made',
			data: { seq: 2, type: 'made', correlationId: 'c1', data: { n: 1 } },
		});
		expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(5);
		expect(JSON.stringify(await stateOf(topic))).not.toContain('secret');
	});

	it('gets CloudEvents with the data as it was published', async () => {
		const [topic, host] = [newTopic(), newHost()];
		const received = receiver(host);
		const body = new Uint8Array([1, 2, 0xff]);
		const headers = { 'content-type': 'image/png', 'coatcheck-event-type': 'picture' };
		await call(`/v1/topics/${topic}/events`, { method: 'POST', headers, body });
		await subscribe(topic, { webhook: { url: `https://${host}/`, format: 'cloudevents' }, from: 'start' });
		await until(topic, { cursor: 1 });
		expect(received[0]).toMatchObject({
			bytes: body,
			headers: {
				'content-type': 'image/png',
				'ce-type': 'picture',
				'ce-specversion': '1.0',
				'ce-source': `https://coatcheck.example/v1/topics/${topic}`,
			},
		});
		const [{ headers: sent, bytes } = { headers: {}, bytes: body }] = received;
		const event = await verifyDelivery({ headers: sent, body: bytes }, { secret: SECRET });
		expect(event).toMatchObject({ type: 'picture', data: body });
	});

	it('gets no message that looks like one of a job, whatever was published', async () => {
		const [topic, host] = [newTopic(), newHost()];
		const received = receiver(host);
		await subscribe(topic, { webhook: { url: `https://${host}/`, format: 'cloudevents' } });
		const { id } = topicObject(topic);
		const data = { id: String(id), status: 'succeeded', links: { self: 'https://evil.example/' } };
		await publish(topic, data, { type: 'job.succeeded' });
		await until(topic, { cursor: 1 });
		const [{ headers, bytes } = { headers: {}, bytes: new Uint8Array() }] = received;
		const event = await verifyDelivery({ headers, body: bytes }, { secret: SECRET });
		expect([event.type, event.data, isJobEvent(event)]).toEqual(['job.succeeded', data, false]);
	});

	it('gets only its types, and its cursor passes the others', async () => {
		const [topic, host] = [newTopic(), newHost()];
		const received = receiver(host);
		await subscribe(topic, { webhook: { url: `https://${host}/` }, types: ['b'] });
		for (const type of ['a', 'b', 'a', 'b', 'a']) await publish(topic, 1, { type });
		await vi.waitFor(() => expect(seqsOf(received)).toEqual([2, 4]));
	});

	it('tries a failed event again before the next, and holds no other subscription back', async () => {
		const [topic, host] = [newTopic(), newHost()];
		let isDown = true;
		const other = newHost();
		const received: { url: string; body: string }[] = [];
		const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
			const { url } = new Request(input as string, init);
			const isFailing = url.includes(host) && isDown;
			if (!isFailing) received.push({ url, body: String(init?.body) });
			return new Response(null, { status: isFailing ? 503 : 204 });
		});
		onTestFinished(() => spy.mockRestore());
		await subscribe(topic, { webhook: { url: `https://${host}/` } }, 'failing');
		await subscribe(topic, { webhook: { url: `https://${other}/` } }, 'healthy');
		for (let n = 1; n <= 3; n++) await publish(topic, n);
		await until(topic, { cursor: 3 }, 'healthy');
		// On a busy machine, more than one try has failed.
		const failure = { seq: 1, attempt: expect.any(Number), code: 503 };
		await until(topic, { status: 'failing', cursor: 0, lag: 3, failure }, 'failing');
		isDown = false;
		await until(topic, { status: 'active', cursor: 3, delivered: 3 }, 'failing');
		expect(seqsOf(received.filter(({ url }) => url.includes(host)))).toEqual([1, 2, 3]);
	});

	it('gives an event up after the schedule, shows it, and goes on with the next', async () => {
		const [topic, host] = [newTopic(), newHost()];
		const received = receiver(host, (call) => new Response(null, { status: call <= 14 ? 400 : 204 }));
		const lost = dropMessages();
		await subscribe(topic, { webhook: { url: `https://${host}/` } });
		await publish(topic, 1);
		await publish(topic, 2);
		const { createdAt } = await (await call(`/v1/topics/${topic}/subscriptions/one`)).json<{ createdAt: string }>();
		const id = env.TOPICS.idFromName(JSON.stringify(['default', topic])).toString();
		const body = { v: 1, id, subscription: 'one', createdAt: Date.parse(createdAt) };
		for (let n = 0; n < 15; n++) {
			const messages = [{ id: 'm', timestamp: new Date(), attempts: 1, body }];
			await worker.queue(createMessageBatch('coatcheck-webhooks', messages), env);
			advanceClock(2 * 3_600_000);
			advanceClock(5 * 3_600_000);
		}
		expect(lost({ id })).toBeGreaterThan(0);
		const state = await stateOf(topic);
		expect(state).toMatchObject({ cursor: 2, delivered: 1, givenUp: { count: 1, events: [{ seq: 1, code: 400 }] } });
		expect(received).toHaveLength(15);
	});

	it('is disabled by 410, and enabled by another PUT', async () => {
		const [topic, host] = [newTopic(), newHost()];
		const received = receiver(host, (call) => new Response(null, { status: call === 1 ? 410 : 204 }));
		const body = { webhook: { url: `https://${host}/` } };
		await subscribe(topic, body);
		await publish(topic, 1);
		await until(topic, { status: 'disabled', cursor: 0 });
		await publish(topic, 2);
		expect((await put(topic, body)).status).toBe(200);
		await until(topic, { status: 'active', cursor: 2 });
		expect(seqsOf(received)).toEqual([1, 1, 2]);
	});

	it('loses nothing when its message is lost and the object evicted', async () => {
		const [topic, host] = [newTopic(), newHost()];
		await subscribe(topic, { webhook: { url: `https://${host}/` } });
		const lost = dropMessages();
		await publish(topic, 1);
		await publish(topic, 2);
		await vi.waitFor(() => expect(lost({ id: topicObject(topic).id.toString() })).toBe(1));
		vi.restoreAllMocks();
		const received = receiver(host);
		await evictDurableObject(topicObject(topic));
		advanceClock(120_000);
		await fire(topic);
		await until(topic, { cursor: 2 });
		expect(seqsOf(received)).toEqual([1, 2]);
	});

	it('doubles nothing when its messages are doubled', async () => {
		const [topic, host] = [newTopic(), newHost()];
		const received = receiver(host);
		duplicateMessages();
		await subscribe(topic, { webhook: { url: `https://${host}/` } });
		for (let n = 1; n <= 10; n++) await publish(topic, n);
		await until(topic, { cursor: 10 });
		expect(seqsOf(received)).toEqual(Array.from({ length: 10 }, (_, n) => n + 1));
	});

	it('is told what it missed', async () => {
		const [topic, host] = [newTopic(), newHost()];
		const received = receiver(host);
		dropMessages();
		await subscribe(topic, { webhook: { url: `https://${host}/` } });
		for (let n = 1; n <= 3; n++) await publish(topic, n);
		vi.restoreAllMocks();
		const again = receiver(host);
		advanceClock(86_500_000);
		await seqOf(publish(topic, 4));
		await fire(topic);
		await until(topic, { cursor: 4, missed: 3, delivered: 1 });
		expect([...received, ...again].map(({ body }) => JSON.parse(body).type)).toEqual(['gap', 'made']);
	});

	it.each([
		['nothing', {}, ''],
		['a private address', { webhook: { url: 'ftp://10.0.0.1/' } }, '/webhook/url'],
		['events of jobs', { webhook: { url: 'https://a.example/', events: ['failed'] } }, '/webhook/events'],
		['another start', { webhook: { url: 'https://a.example/' }, from: 'yesterday' }, '/from'],
		['no types', { webhook: { url: 'https://a.example/' }, types: [] }, '/types'],
		['an unknown task', { task: 'nothing' }, '/task'],
		['a template for a task of bytes', { task: 'thumbnail', input: '$.data' }, '/input'],
		['the topic of jobs as reply topic', { task: 'sleep', replyTopic: 'jobs' }, '/replyTopic'],
	])('rejects %s, and names it', async (_, body, pointer) => {
		const response = await put(newTopic(), body);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ errors: [{ pointer }] });
	});

	it('can be listed and deleted', async () => {
		const topic = newTopic();
		await subscribe(topic, { webhook: { url: 'https://a.example/' } }, 'a');
		await subscribe(topic, { task: 'sleep' }, 'b');
		const path = `/v1/topics/${topic}/subscriptions`;
		const list = async () =>
			(await (await call(path)).json<{ subscriptions: { name: string }[] }>()).subscriptions.map(({ name }) => name);
		expect(await list()).toEqual(['a', 'b']);
		expect((await call(`${path}/a`, { method: 'DELETE' })).status).toBe(204);
		expect(await list()).toEqual(['b']);
		expect((await call(`${path}/a`)).status).toBe(404);
		expect((await put(topic, { task: 'sleep' }, 'x'.repeat(65))).status).toBe(400);
		for (let n = 0; n < 19; n++) await subscribe(topic, { task: 'sleep' }, `more-${n}`);
		expect((await put(topic, { task: 'sleep' }, 'one-too-many')).status).toBe(429);
	});
});

describe('a task subscription', () => {
	it('makes one job of each event, and tells its end to the reply topic with the same correlation id', async () => {
		const [topic, replies] = [newTopic(), newTopic()];
		duplicateMessages();
		await subscribe(topic, { task: 'sleep', input: { seconds: '$.data.rest' }, replyTopic: replies });
		await publish(topic, { rest: 0 }, { 'x-correlation-id': 'order-1' });
		await publish(topic, { rest: 0 }, { 'x-correlation-id': 'order-2' });
		await vi.waitFor(async () => expect((await pageOf(replies)).events).toHaveLength(2), { interval: 100 });
		const page = await pageOf(replies, { correlationId: 'order-1' });
		expect(page.events).toMatchObject([
			{
				type: 'succeeded',
				correlationId: 'order-1',
				data: { task: 'sleep', status: 'succeeded', result: { attempt: 1 }, resourceLocation: expect.any(String) },
			},
		]);
		const { resourceLocation } = page.events[0]?.data as { resourceLocation: string };
		expect((await call(resourceLocation)).status).toBe(200);
		await until(topic, { cursor: 2, delivered: 2 });
	});

	it('passes bytes on, and tells failures', async () => {
		const [topic, replies] = [newTopic(), newTopic()];
		await subscribe(topic, { task: 'echo', replyTopic: replies, from: 'start' });
		const headers = { 'content-type': 'text/plain', 'coatcheck-event-type': 'a', 'x-correlation-id': 'bytes' };
		await call(`/v1/topics/${topic}/events`, { method: 'POST', headers, body: 'hello' });
		await publish(topic, { not: 'bytes' }, { 'x-correlation-id': 'json' });
		await vi.waitFor(async () => expect((await pageOf(replies)).events).toHaveLength(2), { interval: 100 });
		const [done] = (await pageOf(replies, { types: 'succeeded' })).events;
		const { resourceLocation } = done?.data as { resourceLocation: string };
		expect(await (await call(resourceLocation)).text()).toBe('hello');
		expect((await pageOf(replies, { types: 'failed' })).events).toMatchObject([
			{ correlationId: 'json', data: { error: { code: 'UnsupportedMediaType' }, event: { topic, seq: 2 } } },
		]);
		await until(topic, {
			cursor: 2,
			delivered: 1,
			givenUp: { count: 1, events: [{ reason: 'UnsupportedMediaType' }] },
		});
	});

	it('tells the end once, though the report of its delivery is lost and it is made again', async () => {
		const [topic, replies] = [newTopic(), newTopic()];
		const failed = keepObjectsAway({ methods: ['delivered'], awayMs: 2_500 });
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		await subscribe(topic, { task: 'sleep', replyTopic: replies });
		await publish(topic, { seconds: 0 });
		await vi.waitFor(async () => expect((await pageOf(replies)).events).toHaveLength(1), { interval: 100 });
		const [reply] = (await pageOf(replies)).events;
		const { id, seq } = reply?.data as { id: string; seq: number };
		await vi.waitFor(() => expect(failed()).toBeGreaterThan(0));
		vi.restoreAllMocks();
		advanceClock(60_000);
		const messages = [{ id: 'm', timestamp: new Date(), attempts: 1, body: { v: 1, id, seq } }];
		await worker.queue(createMessageBatch('coatcheck-webhooks', messages), env);
		const { webhook } = await (await call(`/v1/operations/${id}`)).json<StatusDocument>();
		expect(webhook?.deliveries).toMatchObject([{ status: 'delivered', attempt: 1, code: 202 }]);
		expect((await pageOf(replies)).events).toEqual([reply]);
		log.mockRestore();
	});

	it('ends a circle of topics after ten jobs', async () => {
		const [one, two] = [newTopic(), newTopic()];
		const input = { seconds: 0 };
		await subscribe(one, { task: 'sleep', input, replyTopic: two });
		await subscribe(two, { task: 'sleep', input, replyTopic: one });
		await publish(one, 1);
		await until(one, { cursor: 6, delivered: 5, givenUp: { count: 1, events: [{ seq: 6, reason: 'TooManyHops' }] } });
		expect((await pageOf(one)).events.at(-1)).toMatchObject({ hops: 10 });
		expect((await pageOf(two)).lastSeq).toBe(5);
	});

	it('ends a circle of refusals, too', async () => {
		const [one, two] = [newTopic(), newTopic()];
		await subscribe(one, { task: 'sleep', replyTopic: two });
		await subscribe(two, { task: 'sleep', replyTopic: one });
		await publish(one, 'no input of sleep');
		await until(one, {
			cursor: 6,
			delivered: 0,
			givenUp: { count: 6, events: [{}, {}, {}, {}, {}, { reason: 'TooManyHops' }] },
		});
		expect((await pageOf(one)).events.at(-1)).toMatchObject({ type: 'failed', hops: 10 });
	});

	it('ends a tree of topics sooner: replies count each task of the topics that led to them', async () => {
		const [one, two, three] = [newTopic(), newTopic(), newTopic()];
		const input = { seconds: 0 };
		for (const name of ['a', 'b', 'c', 'd', 'e']) {
			await subscribe(one, { task: 'sleep', input, replyTopic: two }, name);
			await subscribe(two, { task: 'sleep', input, replyTopic: three }, name);
			await subscribe(three, { task: 'sleep', input }, name);
		}
		await publish(one, 1);
		await vi.waitFor(async () => expect((await pageOf(three)).lastSeq).toBe(25), { timeout: 60_000 });
		expect((await pageOf(two)).events.map(({ hops }) => hops)).toEqual(Array(5).fill(5));
		expect((await pageOf(three)).events.map(({ hops }) => hops)).toEqual(Array(25).fill(10));
		await until(three, { cursor: 25, delivered: 0, givenUp: { count: 25 } }, 'a');
	});
});
