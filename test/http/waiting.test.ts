import { evictDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import type { JobEvent, StatusDocument } from '../../src/core/job/document.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import {
	call,
	completeOutside,
	eventsOf,
	objectOf,
	post,
	submit,
	UNTIL_COMPLETED,
	until,
	watch,
} from '../flow/client.ts';

const STREAM = { accept: 'text/event-stream' };

interface Message {
	readonly id: string;
	readonly event: string;
	readonly data: JobEvent;
}

/** Reads a whole stream line by line, as the standard says. */
async function read(response: Response): Promise<{ messages: Message[]; text: string }> {
	expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
	const text = await response.text();
	const blocks = text.split('\n\n').filter((block) => block.includes('data: '));
	const messages = blocks.map((block) => {
		const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2)));
		return { id: fields.id, event: fields.event, data: JSON.parse(fields.data) } as Message;
	});
	return { messages, text };
}

describe('a stream of events', () => {
	it('tells what the socket tells, in the same words and numbers, and ends after the last event', async () => {
		const { document } = await submit('sleep', { seconds: 0.3, steps: 1, failAttempts: 1 });
		const socket = await watch(document, 0);
		const { messages, text } = await read(await call(`${document.links.events}&after=0`, { headers: STREAM }));
		await socket.closed;
		expect(text.startsWith('retry: 2000\n\n')).toBe(true);
		const lifecycle = (events: readonly JobEvent[]) => events.filter(({ type }) => type !== 'progress');
		expect(lifecycle(messages.map(({ data }) => data))).toEqual(lifecycle(socket.events));
		for (const { id, event, data } of messages) expect([id, event]).toEqual([String(data.seq), data.type]);
	});

	it('begins with a snapshot for who comes without a cursor', async () => {
		const { document } = await submit('sleep', UNTIL_COMPLETED);
		await until(document, 'running');
		const response = await call(document.links.events, { headers: STREAM });
		await completeOutside(document.id, 'done');
		const { messages } = await read(response);
		expect(messages[0]).toMatchObject({ event: 'snapshot', data: { job: { status: 'running' } } });
		expect(messages.at(-1)).toMatchObject({ event: 'succeeded' });
	});

	it('goes on after Last-Event-ID, and is 204 for who has the last', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const { seq } = await until(document, 'succeeded');
		const rest = await read(await call(document.links.events, { headers: { ...STREAM, 'last-event-id': '1' } }));
		expect(rest.messages.map(({ data }) => data)).toEqual(await eventsOf(document, 1));
		const none = await call(document.links.events, { headers: { ...STREAM, 'last-event-id': String(seq) } });
		expect([none.status, await none.text()]).toEqual([204, '']);
	});

	it('refuses a Last-Event-ID that is no number, and a job that is not there', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		expect((await call(document.links.events, { headers: { ...STREAM, 'last-event-id': 'x' } })).status).toBe(400);
		expect((await call(`/v1/jobs/${'0'.repeat(64)}/events`, { headers: STREAM })).status).toBe(404);
		await until(document, 'succeeded');
		await post(`/v1/jobs/${document.id}/purge`, {});
		expect((await call(document.links.events, { headers: STREAM })).status).toBe(410);
	});

	it('keeps the object free to sleep: it goes on after the object was put out of memory', async () => {
		const { document } = await submit('sleep', { seconds: 1.5, steps: 15 });
		const reading = read(await call(`${document.links.events}&after=0`, { headers: STREAM }));
		await until(document, 'running');
		await evictDurableObject(objectOf(document), { webSockets: 'hibernate' });
		const { messages } = await reading;
		expect(messages.map(({ event }) => event).filter((event) => event !== 'progress')).toEqual([
			'accepted',
			'started',
			'succeeded',
		]);
	});

	it('lets go of its object when the reader goes away', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const response = await call(document.links.events, { headers: STREAM });
		const sockets = async () => {
			const { runInDurableObject } = await import('cloudflare:test');
			return runInDurableObject(objectOf(document), (_, state) => state.getWebSockets().length);
		};
		expect(await sockets()).toBe(1);
		await response.body?.cancel();
		await vi.waitFor(async () => expect(await sockets()).toBe(0));
		await call(document.links.self, { method: 'DELETE' });
	});
});

describe('Prefer: wait', () => {
	it('on a submission answers what the result resource answers, when the job ends in time', async () => {
		const response = await post('/v1/tasks/sleep/jobs', { seconds: 0.1 }, { prefer: 'wait=25' });
		expect(response.status).toBe(200);
		expect(await response.json()).toEqual({ sleptSeconds: 0.1, attempt: 1 });
		expect(response.headers.get('preference-applied')).toBe('wait=25');
		expect(response.headers.get('content-location')).toMatch(/\/v1\/jobs\/[0-9a-f]{64}\/result/);
		expect(response.headers.get('location')).toBeNull();
		expect(response.headers.get('operation-location')).toBeNull();
	});

	it('on a submission answers the stored failure, when the job fails in time', async () => {
		const error = { code: 'Nope', message: 'No', status: 418 };
		const response = await post('/v1/tasks/sleep/jobs', { seconds: 0, error }, { prefer: 'respond-async, wait="25"' });
		expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([418, 'Nope']);
	});

	it('on a submission answers the ordinary 202, when the job does not end in time', async () => {
		const response = await post('/v1/tasks/sleep/jobs', { seconds: 30 }, { prefer: 'wait=1' });
		expect(response.status).toBe(202);
		expect(response.headers.get('location')).toContain('/v1/jobs/');
		await call(response.headers.get('location') ?? '', { method: 'DELETE' });
	});

	it('on a submission answers with the job as it is when the time is over', async () => {
		// On a busy machine, a job may start later than that.
		await vi.waitFor(async () => {
			const response = await post('/v1/tasks/sleep/jobs', { seconds: 30 }, { prefer: 'wait=1' });
			const document = await response.json<StatusDocument>();
			await call(document.links.self, { method: 'DELETE' });
			expect(document).toMatchObject({ status: 'running', attempt: 1 });
		});
	});

	it('on a submission never hides that the job is accepted, whatever goes wrong while waiting', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const spy = vi.spyOn(Jobs.prototype, 'connect').mockRejectedValue(new Error('Network connection lost'));
		const response = await post('/v1/tasks/sleep/jobs', { seconds: 0 }, { prefer: 'wait=5' });
		spy.mockRestore();
		expect(response.status).toBe(202);
		expect(await until(await response.json(), 'succeeded')).toMatchObject({ status: 'succeeded' });
		log.mockRestore();
	});

	it('on the status URL is answered as soon as the job ends', async () => {
		const { document } = await submit('sleep', { seconds: 0.4, steps: 1 });
		const asked = Date.now();
		const response = await call(document.links.self, { headers: { prefer: 'wait=20' } });
		expect(response.status).toBe(303);
		expect(response.headers.get('preference-applied')).toBe('wait=20');
		expect(Date.now() - asked).toBeLessThan(20_000);
		const operation = await call(document.links.operation, { headers: { prefer: 'wait=20' } });
		expect(await operation.json()).toMatchObject({ status: 'succeeded' });
	});

	it('is answered as the job is, when the time is over', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const asked = Date.now();
		const response = await call(document.links.operation, { headers: { prefer: 'wait=1' } });
		expect(await response.json()).toMatchObject({ status: 'pending' });
		expect(Date.now() - asked).toBeGreaterThanOrEqual(950);
		await call(document.links.self, { method: 'DELETE' });
	});

	it('with If-None-Match is answered at the next change, else 304', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const tag = (await call(document.links.operation)).headers.get('etag') ?? '';
		const headers = { prefer: 'wait=1', 'if-none-match': tag };
		expect((await call(document.links.operation, { headers })).status).toBe(304);
		const waiting = call(document.links.operation, { headers: { ...headers, prefer: 'wait=20' } });
		await call(document.links.self, { method: 'DELETE' });
		const changed = await waiting;
		expect([changed.status, (await changed.json<StatusDocument>()).status]).toEqual([200, 'canceled']);
		const known = await call(document.links.operation, { headers: { prefer: 'wait=20', 'if-none-match': tag } });
		expect(known.status).toBe(200);
	});

	it.each(['wait=0', 'wait', 'wait=soon', 'return=minimal'])('"%s" asks for no wait', async (prefer) => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const response = await call(document.links.operation, { headers: { prefer } });
		expect(response.headers.get('preference-applied')).toBeNull();
		await call(document.links.self, { method: 'DELETE' });
	});
});
