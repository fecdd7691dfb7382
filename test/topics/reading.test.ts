import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import type { TopicEvent } from '../../src/core/topic/event.ts';
import { SOCKET_CATCH_UP_BYTES } from '../../src/core/topic/limits.ts';
import { STREAM_BUFFER_BYTES } from '../../src/http/read/sse.ts';
import { call } from '../flow/client.ts';
import { advanceClock } from '../flow/faults.ts';
import { listen, newTopic, publish, seqOf, topicObject } from './client.ts';

const seqsOf = (events: readonly TopicEvent[]) => events.map(({ seq }) => seq);

describe('a reader by WebSocket', () => {
	it('gets what comes from now on, from before the first event', async () => {
		const topic = newTopic();
		const reader = await listen(topic);
		for (let n = 1; n <= 3; n++) await publish(topic, n, { 'x-correlation-id': 'c' });
		await vi.waitFor(() => expect(reader.events).toHaveLength(3));
		const at = expect.any(String);
		expect(reader.events[0]).toEqual({ seq: 1, type: 'made', correlationId: 'c', at, data: 1 });
		const late = await listen(topic);
		await publish(topic, 4);
		await vi.waitFor(() => expect(seqsOf(late.events)).toEqual([4]));
		expect(seqsOf(reader.events)).toEqual([1, 2, 3, 4]);
	});

	it('continues from its cursor, and takes nothing away from another', async () => {
		const topic = newTopic();
		for (let n = 1; n <= 5; n++) await publish(topic, n);
		const [one, two] = [await listen(topic, { after: 2 }), await listen(topic, { after: 0 })];
		await vi.waitFor(() => expect(seqsOf(one.events)).toEqual([3, 4, 5]));
		await vi.waitFor(() => expect(seqsOf(two.events)).toEqual([1, 2, 3, 4, 5]));
	});

	it('gets only what it asks for, also after the object was evicted', async () => {
		const topic = newTopic();
		const reader = await listen(topic, { types: 'a,b', correlationId: 'mine' });
		await evictDurableObject(topicObject(topic));
		await publish(topic, 1, { type: 'a', 'x-correlation-id': 'mine' });
		await publish(topic, 2, { type: 'a', 'x-correlation-id': 'yours' });
		await publish(topic, 3, { type: 'c', 'x-correlation-id': 'mine' });
		await publish(topic, 4, { type: 'b', 'x-correlation-id': 'mine' });
		await vi.waitFor(() => expect(seqsOf(reader.events)).toEqual([1, 4]));
	});

	it('gets arrays of events on request, from the past and live', async () => {
		const topic = newTopic();
		for (let n = 1; n <= 5; n++) await publish(topic, n);
		const reader = await listen(topic, { after: 2, frames: 'batch' });
		await vi.waitFor(() => expect(reader.events).toHaveLength(1));
		await evictDurableObject(topicObject(topic));
		await publish(topic, 6);
		await vi.waitFor(() => expect(reader.events).toHaveLength(2));
		expect(reader.events).toMatchObject([[{ seq: 3 }, { seq: 4 }, { seq: 5 }], [{ seq: 6 }]]);
		const wrong = await call(`/v1/topics/${topic}/events?frames=some`, { headers: { upgrade: 'websocket' } });
		expect(wrong.status).toBe(400);
		expect(await wrong.json()).toMatchObject({ errors: [{ parameter: 'frames' }] });
	});

	it('is told first which events are gone', async () => {
		const topic = newTopic();
		const reader = await listen(topic, { after: 7 });
		await publish(topic, 1);
		await vi.waitFor(() => expect(reader.events).toHaveLength(2));
		expect(reader.events).toMatchObject([{ seq: 0, type: 'gap', data: { after: 7, first: 1 } }, { seq: 1 }]);
	});

	it('that is far behind gets a part, and connects again for the next', async () => {
		const topic = newTopic();
		const data = 'x'.repeat(60_000);
		const settings = { tenant: 'default', topic, retention: { retainSeconds: 86_400, retainBytes: 64 * 1_048_576 } };
		await seqOf(publish(topic, data));
		await runInDurableObject(topicObject(topic), async (object) => {
			for (let n = 2; n <= 100; n++) {
				const event = { type: 'a', data: JSON.stringify(data) };
				await object.publish({ id: String(n), event, settings, isUnlimited: true });
			}
		});
		const first = await listen(topic, { after: 0 });
		expect((await first.closed).code).toBe(1013);
		const got = first.events.length;
		expect(got * 60_000).toBeLessThan(SOCKET_CATCH_UP_BYTES + 2 * 1_048_576);
		const second = await listen(topic, { after: got });
		await vi.waitFor(() => expect(second.events).toHaveLength(100 - got));
		expect(seqsOf([...first.events, ...second.events])).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
	});

	it('knows its place on request, also after the object was evicted, and is told of no gap after a long time', async () => {
		const topic = newTopic();
		await publish(topic, 1, { type: 'wanted' });
		const terms = { after: 0, types: 'wanted' };
		const [placed, other] = [await listen(topic, { ...terms, place: 'true' }), await listen(topic, terms)];
		await evictDurableObject(topicObject(topic));
		for (const n of [2, 3]) await publish(topic, n, { type: 'other' });
		await deleteAllEvents(topic);
		const seq = expect.any(Number);
		await vi.waitFor(() => expect(placed.events).toMatchObject([{ seq }, { lastSeq: 1 }, { lastSeq: 3 }]));
		await publish(topic, 4, { type: 'wanted' });
		await vi.waitFor(() => expect(other.events).toMatchObject([{ seq: 1 }, { seq: 4 }]));
		expect(placed.events.slice(3)).toEqual([expect.objectContaining({ seq: 4 }), { lastSeq: 4 }]);
		const again = await listen(topic, { ...terms, after: 3, place: 'true' });
		await vi.waitFor(() => expect(again.events).toMatchObject([{ seq: 4, type: 'wanted' }, { lastSeq: 4 }]));
		const unaware = await listen(topic, { ...terms, after: 1 });
		await vi.waitFor(() => expect(unaware.events).toMatchObject([{ type: 'gap' }, { seq: 4 }]));
	});

	it('that was away when an event came and went is told of the gap, although it knows its place', async () => {
		const topic = newTopic();
		const terms = { types: 'wanted', place: 'true' };
		const reader = await listen(topic, terms);
		await vi.waitFor(() => expect(reader.events).toEqual([{ lastSeq: 0 }]));
		await publish(topic, 1, { type: 'other' });
		await vi.waitFor(() => expect(reader.events).toEqual([{ lastSeq: 0 }, { lastSeq: 1 }]));
		reader.socket.close();
		await reader.closed;
		await publish(topic, 2, { type: 'wanted' });
		await deleteAllEvents(topic);
		const again = await listen(topic, { ...terms, after: 1 });
		const gap = { seq: 2, type: 'gap', data: { after: 1, first: 3 } };
		await vi.waitFor(() => expect(again.events).toMatchObject([gap, { lastSeq: 2 }]));
	});

	it('gets its place beside arrays of events, and a clear answer to a wrong parameter', async () => {
		const topic = newTopic();
		await publish(topic, 1);
		const reader = await listen(topic, { after: 0, frames: 'batch', place: 'true' });
		await vi.waitFor(() => expect(reader.events).toMatchObject([[{ seq: 1 }], { lastSeq: 1 }]));
		const wrong = await call(`/v1/topics/${topic}/events?place=yes`, { headers: { upgrade: 'websocket' } });
		expect(wrong.status).toBe(400);
		const message = 'expected "true", or nothing for events only, got: yes';
		expect(await wrong.json()).toMatchObject({ errors: [{ parameter: 'place', message }] });
	});

	it('answers ping, and closes at anything else', async () => {
		const reader = await listen(newTopic());
		const pong = new Promise((resolve) => reader.socket.addEventListener('message', ({ data }) => resolve(data)));
		reader.socket.send('ping');
		expect(await pong).toBe('pong');
		reader.socket.send('hello');
		expect((await reader.closed).code).toBe(1008);
	});
});

/** Lets the time pass after which a topic deletes its events, and its alarm ring. */
async function deleteAllEvents(topic: string): Promise<void> {
	advanceClock(86_500_000);
	await runInDurableObject(topicObject(topic), (object) => object.alarm());
}

/** Reads a stream until it has this many events, and leaves. */
async function streamOf(response: Response, count: number): Promise<{ id: string; event: string; data: TopicEvent }[]> {
	const events: { id: string; event: string; data: TopicEvent }[] = [];
	let text = '';
	const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
	while (events.length < count) {
		const { value, done } = await reader.read();
		if (done) break;
		text += value;
		const blocks = text.split('\n\n');
		text = blocks.pop() ?? '';
		for (const block of blocks) {
			const fields = new Map(
				block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
			);
			const data = fields.get('data');
			if (data !== undefined)
				events.push({ id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: JSON.parse(data) });
		}
	}
	await reader.cancel();
	return events;
}

/** Reads a stream until its client would connect again after this event, and leaves. @returns the ids of its blocks. */
async function idsOf(response: Response, until: string): Promise<string[]> {
	const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
	for (let text = ''; ; ) {
		const { value, done } = await reader.read();
		text += value ?? '';
		const ids = [...text.matchAll(/^id: (\d+)\n/gm)].map(([, id = '']) => id);
		if (!done && ids.at(-1) !== until) continue;
		await reader.cancel();
		return ids;
	}
}

describe('a reader by server-sent events', () => {
	const open = (topic: string, query = '', headers: Record<string, string> = {}) =>
		call(`/v1/topics/${topic}/events${query}`, { headers: { accept: 'text/event-stream', ...headers } });

	it('gets what comes from now on', async () => {
		const topic = newTopic();
		await publish(topic, 1);
		const response = await open(topic);
		expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
		await publish(topic, 2, { type: 'second' });
		expect(await streamOf(response, 1)).toMatchObject([{ id: '2', event: 'second', data: { seq: 2, data: 2 } }]);
	});

	it('continues from Last-Event-ID, by pages when it is far behind, and goes on with what comes', async () => {
		const topic = newTopic();
		const settings = { tenant: 'default', topic, retention: { retainSeconds: 86_400, retainBytes: 64 * 1_048_576 } };
		await runInDurableObject(topicObject(topic), async (object) => {
			for (let n = 1; n <= 5_000; n++)
				await object.publish({ id: String(n), event: { type: 'a', data: `${n}` }, settings, isUnlimited: true });
		});
		const response = await open(topic, '', { 'last-event-id': '3' });
		const reading = streamOf(response, 4_998);
		await publish(topic, 5_001);
		const events = await reading;
		expect(events.map(({ data }) => data.seq)).toEqual(Array.from({ length: 4_998 }, (_, n) => n + 4));
	});

	it('may begin now, as the others may, and a page after now tells the place', async () => {
		const topic = newTopic();
		await publish(topic, 1);
		expect(await (await call(`/v1/topics/${topic}/events?after=now`)).json()).toEqual({ events: [], lastSeq: 1 });
		const [socket, stream] = [await listen(topic, { after: 'now' }), await open(topic, '?after=now')];
		const resumed = await open(topic, '?after=now', { 'last-event-id': '0' });
		await publish(topic, 2);
		expect((await streamOf(stream, 1)).map(({ id }) => id)).toEqual(['2']);
		expect((await streamOf(resumed, 2)).map(({ id }) => id)).toEqual(['1', '2']);
		await vi.waitFor(() => expect(seqsOf(socket.events)).toEqual([2]));
		expect((await call(`/v1/topics/${topic}/events?after=then`)).status).toBe(400);
	});

	it('knows its place, whatever its filter excludes, and is told of no gap after a long time', async () => {
		const topic = newTopic();
		const list = await open(topic, '?types=wanted');
		expect(await idsOf(list, '0')).toEqual(['0']);
		await publish(topic, 1, { type: 'other' });
		const stream = await open(topic, '?after=0&types=wanted');
		await publish(topic, 2, { type: 'other' });
		await deleteAllEvents(topic);
		expect(await idsOf(stream, '2')).toEqual(['1', '2']);
		await publish(topic, 3, { type: 'wanted' });
		const again = await open(topic, '?after=0&types=wanted', { 'last-event-id': '2' });
		expect((await streamOf(again, 1)).map(({ data }) => data)).toMatchObject([{ seq: 3, type: 'wanted' }]);
	});

	it('that is far behind knows its place, too', async () => {
		const topic = newTopic();
		const settings = { tenant: 'default', topic, retention: { retainSeconds: 86_400, retainBytes: 64 * 1_048_576 } };
		await runInDurableObject(topicObject(topic), async (object) => {
			const event = { type: 'other', data: JSON.stringify('x'.repeat(60_000)) };
			for (let n = 1; n <= 300; n++) await object.publish({ id: String(n), event, settings, isUnlimited: true });
		});
		const ids = await idsOf(await open(topic, '?after=0&types=wanted'), '300');
		expect(ids.length).toBeGreaterThan(2);
		expect(Number(ids[0])).toBeGreaterThan(100);
	});

	it('that does not read is disconnected after some megabytes, and continues after them', async () => {
		const topic = newTopic();
		const response = await open(topic, '?after=0');
		const data = 'x'.repeat(60_000);
		const events = Math.ceil((2 * STREAM_BUFFER_BYTES) / data.length);
		for (let n = 1; n <= events; n++) await seqOf(publish(topic, data));
		const kept = await streamOf(response, events);
		expect(kept.length * data.length).toBeLessThan(STREAM_BUFFER_BYTES + 1_048_576);
		expect(kept.map(({ data }) => data.seq)).toEqual(kept.map((_, index) => index + 1));
		const again = await open(topic, '', { 'last-event-id': String(kept.length) });
		expect(await streamOf(again, events - kept.length)).toHaveLength(events - kept.length);
	});

	it('is filtered as the others', async () => {
		const topic = newTopic();
		for (const type of ['a', 'b', 'a']) await publish(topic, 1, { type });
		expect((await streamOf(await open(topic, '?after=0&types=a'), 2)).map(({ id }) => id)).toEqual(['1', '3']);
	});
});
