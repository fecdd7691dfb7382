/** `client.topic`, against the Worker with real topics. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
	createClient,
	isGap,
	ProblemError,
	type Topic,
	type TopicEventsOptions,
	type TopicItem,
	type TransportName,
} from '../../src/client/index.ts';
import { call, ORIGIN } from '../flow/client.ts';
import { advanceClock } from '../flow/faults.ts';
import { apiKeys, ask, DEPLOYED, key } from '../http/deployment.ts';
import { newTopic, topicObject } from '../topics/client.ts';
import { json, play, scripted } from './script.ts';
import { clientOf, WorkerSocket, workerFetch } from './worker-client.ts';

// The first request loads the Worker, which may take longer than a client waits on a busy machine.
beforeAll(async () => void (await call('/healthz')));

const EACH: TransportName[] = ['websocket', 'sse', 'polling'];
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
const seqsOf = (events: readonly TopicItem[]) => events.map(({ seq }) => seq);

/** Reads this many events, and leaves. */
async function take<Data>(topic: Topic<Data>, count: number, options: TopicEventsOptions = {}) {
	const events: TopicItem<Data>[] = [];
	for await (const event of topic.events(options)) if (events.push(event) === count) break;
	return events;
}

/** A client by one transport. @returns how many of its requests were answered, and its sockets opened. */
function countingClient(transport: TransportName) {
	let count = 0;
	const { fetch } = workerFetch();
	class CountedSocket extends WorkerSocket {
		constructor(url: string, protocol: string) {
			super(url, protocol);
			this.addEventListener('open', () => count++);
		}
	}
	const counted = async (url: string, init: RequestInit) => {
		const response = await fetch(url, init);
		count++;
		return response;
	};
	const { client } = clientOf({ transports: [transport], fetch: counted, WebSocket: CountedSocket });
	return { client, connected: () => count };
}

/** Closes every connection of a topic. One that nobody has called for ten seconds is evicted already: the call loads it again. */
async function resetTopic(name: string): Promise<void> {
	await topicObject(name).lastSeq();
	await evictDurableObject(topicObject(name), { webSockets: 'close' });
}

/** Appends events faster than requests can. */
async function fill(name: string, count: number, data: unknown): Promise<void> {
	const settings = {
		tenant: 'default',
		topic: name,
		retention: { retainSeconds: 86_400, retainBytes: 64 * 1_048_576 },
	};
	await runInDurableObject(topicObject(name), async (object) => {
		for (let n = 1; n <= count; n++) {
			const event = { type: 'made', data: JSON.stringify(data) };
			await object.publish({ id: `${n}`, event, settings, isUnlimited: true });
		}
	});
}

describe('a publisher', { concurrent: true }, () => {
	it('gets the number of each event, also when it publishes again with the same key', async () => {
		const topic = clientOf().client.topic<{ n: number }>(newTopic());
		const options = { type: 'made', idempotencyKey: 'the "first"', correlationId: 'c-1' };
		expect(await topic.publish({ n: 1 }, options)).toEqual({ seq: 1 });
		expect(await topic.publish({ n: 1 }, options)).toEqual({ seq: 1 });
		expect(await topic.publish({ n: 2 }, { type: 'made' })).toEqual({ seq: 2 });
		await expect(topic.publish({ n: 3 }, options)).rejects.toMatchObject({ status: 422, code: 'IdempotencyKeyReused' });
		const [first, second] = await take(topic, 2, { after: 0 });
		expect(first).toEqual({ seq: 1, type: 'made', at: expect.any(String), correlationId: 'c-1', data: { n: 1 } });
		expect(second?.data).toEqual({ n: 2 });
	});

	it('whose request breaks off sends it again, and there is one event', async () => {
		const { client } = clientOf();
		const name = newTopic();
		let tries = 0;
		const fetch = async (url: string, init: RequestInit) => {
			const response = await ask({}, url, init);
			if (++tries === 1) throw new TypeError('connection reset');
			return response;
		};
		expect(await createClient({ baseUrl: ORIGIN, fetch }).topic(name).publish(1, { type: 'made' })).toEqual({ seq: 1 });
		expect(tries).toBe(2);
		expect(await client.topic(name).lastSeq()).toBe(1);
	});

	it('sends bytes, or nothing but a type', async () => {
		const topic = clientOf().client.topic(newTopic());
		await topic.publish(new Blob([new Uint8Array([1, 2, 3])], { type: 'image/x-dot' }), { type: 'made' });
		await topic.publish(new Uint8Array([4]), { type: 'made', mediaType: 'image/x-spot' });
		await topic.publish(undefined, { type: 'nothing' });
		expect(await take(topic, 3, { after: 0 })).toMatchObject([
			{ seq: 1, dataBase64: 'AQID', mediaType: 'image/x-dot' },
			{ seq: 2, dataBase64: 'BA==', mediaType: 'image/x-spot' },
			{ seq: 3, type: 'nothing' },
		]);
	});

	it('is told that a name can not be part of a URL', async () => {
		const { client } = clientOf();
		for (const name of ['.', '..']) {
			await expect(client.topic(name).publish(1, { type: 'made' })).rejects.toThrow('Expected a name other than');
			await expect(client.topic(newTopic()).unsubscribe(name)).rejects.toThrow('Expected a name other than');
		}
	});

	it('is told what is wrong, once', async () => {
		const { client, asked } = clientOf();
		const thrown = await client
			.topic('a b')
			.publish(1, { type: 'made' })
			.catch((error: unknown) => error);
		expect(thrown).toBeInstanceOf(ProblemError);
		expect(thrown).toMatchObject({ status: 400, errors: [{ parameter: 'topic' }] });
		const typeless = client.topic(newTopic()).publish(1, { type: 'a,b' });
		await expect(typeless).rejects.toMatchObject({ errors: [{ header: 'Coatcheck-Event-Type' }] });
		expect(asked).toHaveLength(2);
	});
});

describe.each(EACH)('a reader by %s', { concurrent: true }, (transport) => {
	it('gets each event once and in order, although its connections break', async () => {
		const { client } = clientOf({ transports: [transport] });
		const name = newTopic();
		const topic = client.topic<number>(name);
		await topic.publish(1, { type: 'made' });
		const reading = take(topic, 8, { after: 0 });
		for (let n = 2; n <= 8; n++) {
			if (n % 3 === 0) await resetTopic(name);
			await topic.publish(n, { type: 'made' });
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		const events = await reading;
		expect(seqsOf(events)).toEqual(upTo(8));
		expect(events.map(({ data }) => data)).toEqual(upTo(8));
	});

	it('that begins now loses nothing when its connection breaks before its first event', async () => {
		const { client, connected } = countingClient(transport);
		const name = newTopic();
		const publisher = clientOf().client.topic(name);
		await publisher.publish(1, { type: 'made' });
		const events = client.topic(name).events();
		const first = events.next();
		// The first answer tells the reader where it is.
		await vi.waitFor(() => expect(connected()).toBeGreaterThanOrEqual(2));
		await resetTopic(name);
		for (const n of [2, 3]) await publisher.publish(n, { type: 'made' });
		expect((await first).value).toMatchObject({ seq: 2 });
		expect((await events.next()).value).toMatchObject({ seq: 3 });
		await events.return();
	});

	it('gets only what it asks for', async () => {
		const topic = clientOf({ transports: [transport] }).client.topic(newTopic());
		for (const [type, correlationId] of ['ac', 'ad', 'bc', 'xc', 'ac'].map(([a = '', b = '']) => [a, b] as const))
			await topic.publish(1, { type, correlationId });
		const events = await take(topic, 3, { after: 0, types: ['a', 'b'], correlationId: 'c' });
		expect(seqsOf(events)).toEqual([1, 3, 5]);
	});

	it('is told first which events are gone, and goes on', async () => {
		const topic = clientOf({ transports: [transport] }).client.topic(newTopic());
		await topic.publish(1, { type: 'made' });
		const [gap, event] = await take(topic, 2, { after: 7 });
		expect(gap && isGap(gap) && gap.data).toEqual({ after: 7, first: 1 });
		expect(event).toMatchObject({ seq: 1, data: 1 });
	});

	it('that is far behind gets everything, once and in order', async () => {
		const name = newTopic();
		await fill(name, 2_500, 'x'.repeat(4_000));
		const events = await take(clientOf({ transports: [transport] }).client.topic(name), 2_400, { after: 100 });
		expect(seqsOf(events)).toEqual(upTo(2_500, 101));
	});

	it('ends at once when it leaves, also while it waits for the next', async () => {
		const events = clientOf({ transports: [transport] })
			.client.topic(newTopic())
			.events();
		const waiting = events.next();
		await new Promise((resolve) => setTimeout(resolve, 100));
		await events.return();
		expect(await waiting).toEqual({ done: true, value: undefined });
	});
});

describe('a reader of a topic', () => {
	it('that lost one transport goes on on another from where it was', async () => {
		const name = newTopic();
		await fill(name, 9, 1);
		const first = await take(clientOf({ transports: ['websocket'] }).client.topic(name), 4, { after: 0 });
		const rest = await take(clientOf({ transports: ['polling'] }).client.topic(name), 5, { after: 4 });
		expect(seqsOf([...first, ...rest])).toEqual(upTo(9));
	});

	it('gets arrays by socket, and connects again without a wait as long as there is more', async () => {
		const event = (seq: number) => ({ seq, type: 'made', at: '2026-11-20T00:00:00.000Z' });
		const server = scripted({
			sockets: (socket, nth) => {
				socket.opens().tells([event(nth * 2 - 1), event(nth * 2)]);
				if (nth < 5) socket.closes(1013, 'more events: connect again after the last one');
			},
		});
		const { value, tookMs } = await play(take(server.client.topic('t'), 10, { after: 0 }));
		expect(seqsOf(value ?? [])).toEqual(upTo(10));
		expect(tookMs).toBe(0);
		expect(server.played.map(({ url }) => url.search)).toEqual(
			[0, 2, 4, 6, 8].map((n) => `?frames=batch&place=true&after=${n}`),
		);
	});

	it('does not have the server look again at what it does not want', async () => {
		const page = (lastSeq: number, ...events: object[]) => json({ events, lastSeq });
		const wanted = { seq: 41, type: 'made', at: '2026-11-20T00:00:00.000Z' };
		const server = scripted({ answers: { page: [page(40), page(41, wanted)] }, options: { transports: ['polling'] } });
		const places: number[] = [];
		const options = { after: 0, types: ['made'], onPlace: (lastSeq: number) => void places.push(lastSeq) };
		const { value } = await play(take(server.client.topic('t'), 1, options));
		expect(seqsOf(value ?? [])).toEqual([41]);
		expect(places).toEqual([40]);
		expect(server.asked.map(({ url }) => url.searchParams.get('after'))).toEqual(['0', '40']);
	});

	it.each([
		'websocket',
		'sse',
	] as const)('by %s keeps its place while no event matches, and is told of no gap', async (by) => {
		const name = newTopic();
		const topic = clientOf({ transports: [by] }).client.topic(name);
		await topic.publish(1, { type: 'wanted' });
		const places: number[] = [];
		const onPlace = (lastSeq: number) => void places.push(lastSeq);
		const events = topic.events({ after: 0, types: ['wanted'], onPlace });
		expect((await events.next()).value).toMatchObject({ seq: 1 });
		const next = events.next();
		for (const n of [2, 3]) await topic.publish(n, { type: 'other' });
		advanceClock(86_500_000);
		await runInDurableObject(topicObject(name), (object) => object.alarm());
		await vi.waitFor(() => expect(places).toEqual([3]));
		await resetTopic(name);
		await topic.publish(4, { type: 'wanted' });
		expect((await next).value).toMatchObject({ seq: 4, type: 'wanted' });
		expect(places).toEqual([3]);
		await events.return();
	});

	it('waits before it connects again when it was closed to make room', async () => {
		const server = scripted({
			sockets: (socket, nth) => {
				socket.opens().tells({ seq: nth, type: 'made', at: '2026-11-20T00:00:00.000Z' });
				if (nth < 2) socket.closes(1013, 'silent for too long at the limit of watchers');
			},
		});
		expect((await play(take(server.client.topic('t'), 2, { after: 0 }))).tookMs).toBeGreaterThanOrEqual(500);
	});

	it('sends its key, and opens no socket, which could not carry it', async () => {
		const by = key('reader', crypto.randomUUID(), 'read', 'submit');
		const accepts: (string | null)[] = [];
		const fetch = (url: string, init: RequestInit) => {
			accepts.push(new Headers(init.headers).get('accept'));
			return ask({ ...DEPLOYED, API_KEYS: apiKeys(by) }, url, init);
		};
		const topic = createClient({ baseUrl: ORIGIN, apiKey: by.secret, fetch }).topic(newTopic());
		await topic.publish(1, { type: 'made' });
		expect(seqsOf(await take(topic, 1, { after: 0 }))).toEqual([1]);
		expect(accepts).toEqual([null, 'text/event-stream']);
		await expect(topic.subscriptions()).rejects.toMatchObject({ status: 403 });
	});

	it('reads the topic of the jobs, which only the service writes', async () => {
		const { client } = clientOf();
		const topic = client.topic('jobs');
		const after = await topic.lastSeq();
		const correlationId = crypto.randomUUID();
		await client.submit('sleep', { seconds: 0 }, { correlationId }).result();
		const events = await take(topic, 2, { after, correlationId });
		expect(events.map(({ type }) => type)).toEqual(['accepted', 'succeeded']);
		await expect(topic.publish(1, { type: 'made' })).rejects.toMatchObject({ status: 403, code: 'Forbidden' });
	});
});

describe('subscriptions', () => {
	it('make jobs of events, and replies with the same correlation id', async () => {
		const { client } = clientOf();
		const naps = client.topic(newTopic());
		const name = 'nap';
		const replyTopic = newTopic();
		const created = await naps.subscribe(name, { task: 'sleep', input: { seconds: '$.data.rest' }, replyTopic });
		expect(created).toMatchObject({ name, task: 'sleep', replyTopic, status: 'active', cursor: 0, lag: 0 });
		const answers = client.topic<{ result: unknown }>(replyTopic);
		const after = await answers.lastSeq();
		await naps.publish({ rest: 0 }, { type: 'tired', correlationId: 'ann' });
		const [reply] = await take(answers, 1, { after, correlationId: 'ann' });
		expect(reply).toMatchObject({ type: 'succeeded', data: { result: { sleptSeconds: 0 } } });
		await vi.waitFor(async () => expect(await naps.subscription(name)).toMatchObject({ cursor: 1, delivered: 1 }));
		expect(await naps.subscriptions()).toMatchObject([{ name, cursor: 1 }]);
		expect(await naps.unsubscribe(name)).toBe(true);
		expect(await naps.unsubscribe(name)).toBe(false);
		await expect(naps.subscription(name)).rejects.toMatchObject({ status: 404, code: 'NotFound' });
	});

	it('are refused with the place of the fault', async () => {
		const topic = clientOf().client.topic(newTopic());
		const wrong = topic.subscribe('one', { webhook: { url: 'ftp://a.example' } });
		await expect(wrong).rejects.toMatchObject({ status: 400, errors: [{ pointer: '/webhook/url' }] });
	});
});

it('a reader that is aborted gets nothing more, not even of the same frame', async () => {
	const event = (seq: number) => ({ seq, type: 'made', at: '' });
	const { client } = scripted({ sockets: (socket) => void socket.opens().tells([event(1), event(2), event(3)]) });
	const abort = new AbortController();
	const seqs: number[] = [];
	const read = async () => {
		for await (const { seq } of client.topic('t').events({ after: 0, signal: abort.signal })) {
			seqs.push(seq);
			abort.abort(new Error('enough'));
		}
	};
	expect((await play(read())).error).toEqual(new Error('enough'));
	expect(seqs).toEqual([1]);
});

it('a reader that is slower than its socket keeps little in memory, and misses nothing', async () => {
	const LAST = 30;
	const event = (seq: number) => ({ seq, type: 'made', at: '', data: 'x'.repeat(1_048_576) });
	const { client, played } = scripted({
		sockets: (socket) => {
			const after = Number(socket.url.searchParams.get('after'));
			socket.opens();
			for (let seq = after + 1; seq <= LAST && !socket.isClosed; seq++) socket.tells([event(seq)]);
		},
	});
	const events = await play(take(client.topic('large'), LAST, { after: 0 }));
	expect(seqsOf(events.value ?? [])).toEqual(upTo(LAST));
	expect(events.tookMs).toBe(0);
	expect(played.map(({ url }) => url.searchParams.get('after'))).toEqual(['0', '8', '16', '24']);
	expect(played.every(({ isClosed }) => isClosed)).toBe(true);
});

describe('client.topics', () => {
	it('lists the topics of the tenant, page by page', async () => {
		const by = key('client', crypto.randomUUID(), 'submit', 'read');
		const variables = { ...DEPLOYED, API_KEYS: apiKeys(by) };
		const client = createClient({
			baseUrl: ORIGIN,
			apiKey: by.secret,
			fetch: (url, init) => ask(variables, String(url), init as RequestInit),
		});
		for (const name of ['b', 'a']) await client.topic(name).publish(1, { type: 'made' });
		const names: string[] = [];
		for await (const { name } of client.topics({ pageSize: 1 })) names.push(name);
		expect(names).toEqual(['jobs', 'a', 'b']);
	});

	it('says so when the answer is no page of topics', async () => {
		const client = createClient({ baseUrl: ORIGIN, fetch: async () => Response.json({ jobs: [] }) });
		await expect(client.topics().next()).rejects.toThrow('Expected a page of topics');
	});
});
