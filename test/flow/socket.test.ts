import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { call, eventsOf, finalsOf, objectOf, socketOf, statusOf, submit, until, watch } from './client.ts';

describe('a socket', () => {
	it('begins with a snapshot, tells everything after it, and is closed with 1000 after the last event', async () => {
		const { document } = await submit('sleep', { seconds: 60, steps: 100 });
		await until(document, 'running');
		const { events, closed } = await watch(document);
		await vi.waitFor(() => expect(events.filter(({ type }) => type === 'progress')).not.toEqual([]));
		await call(document.links.self, { method: 'DELETE' });
		expect((await closed).code).toBe(1000);
		expect(events[0]).toMatchObject({ type: 'snapshot', job: { status: 'running' } });
		expect(events.at(-1)).toMatchObject({ type: 'canceled', job: { status: 'canceled' } });
		const seqs = events.map(({ seq }) => seq);
		expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
	});

	it('that comes with a cursor is told what came after it, each event once', async () => {
		const { document } = await submit('sleep', { seconds: 0.2, failAttempts: 1 });
		const { events, closed } = await watch(document, 0);
		await closed;
		const lifecycle = events.map(({ type }) => type).filter((type) => type !== 'progress');
		expect(lifecycle).toEqual(['accepted', 'started', 'retrying', 'started', 'succeeded']);
		expect(new Set(events.map(({ seq }) => seq)).size).toBe(events.length);
	});

	it('on a finished job gets its events and the close, with a cursor or without', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const all = await watch(document);
		expect((await all.closed).code).toBe(1000);
		expect(all.events.map(({ seq }) => seq)).toEqual((await eventsOf(document)).map(({ seq }) => seq));
		const last = all.events.at(-1)?.seq ?? 0;
		const none = await watch(document, last);
		expect((await none.closed).code).toBe(1000);
		expect(none.events).toEqual([]);
	});

	it('tells the same events, in the same words, as the page of events', async () => {
		const { document } = await submit('sleep', { seconds: 0.1, steps: 1 });
		const { events, closed } = await watch(document, 0);
		await closed;
		const lifecycle = events.filter(({ type }) => type !== 'progress');
		const page = await eventsOf(document);
		expect(lifecycle.map(({ seq, type, at }) => ({ seq, type, at }))).toEqual(
			page.map(({ seq, type, at }) => ({ seq, type, at })),
		);
		expect(lifecycle.at(-1)).toEqual(page.at(-1));
	});

	it('survives its object being put out of memory, and so do the numbers of its events', async () => {
		const { document } = await submit('sleep', { seconds: 3, steps: 30 });
		const { events, closed } = await watch(document, 0);
		await vi.waitFor(() => expect(events.some(({ type }) => type === 'progress')).toBe(true), { timeout: 5_000 });
		const before = await statusOf(document);
		await evictDurableObject(objectOf(document), { webSockets: 'hibernate' });
		const after = await statusOf(document);
		expect(after.seq).toBeGreaterThanOrEqual(before.seq);
		expect(after.percentComplete).toBeGreaterThanOrEqual(before.percentComplete ?? 0);
		expect((await closed).code).toBe(1000);
		const seqs = events.map(({ seq }) => seq);
		expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
		expect(finalsOf(events)).toEqual(['succeeded']);
	});

	it('gives no number twice after its object was reset and every socket with it', async () => {
		const { document } = await submit('sleep', { seconds: 3, steps: 30 });
		const first = await watch(document, 0);
		await vi.waitFor(() => expect(first.events.some(({ type }) => type === 'progress')).toBe(true), { timeout: 5_000 });
		await evictDurableObject(objectOf(document), { webSockets: 'close' });
		await first.closed;
		const cursor = first.events.at(-1)?.seq ?? 0;
		const second = await watch(document, cursor);
		await second.closed;
		expect(second.events.every(({ seq }) => seq > cursor)).toBe(true);
		expect(finalsOf(second.events)).toEqual(['succeeded']);
	});

	it('is answered pong to ping, without waking the object', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const { socket } = await watch(document);
		const told: unknown[] = [];
		socket.addEventListener('message', ({ data }) => {
			told.push(data);
		});
		const woken = vi.fn();
		await runInDurableObject(objectOf(document), (object) => {
			const original = object.webSocketMessage.bind(object);
			object.webSocketMessage = (...args) => {
				woken();
				original(...args);
			};
		});
		socket.send('ping');
		await vi.waitFor(() => expect(told).toContain('pong'));
		expect(woken).not.toHaveBeenCalled();
		await call(document.links.self, { method: 'DELETE' });
	});

	it('that sends anything else is closed', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const { socket, closed } = await watch(document);
		socket.send('{"give":"me"}');
		expect((await closed).code).toBe(1008);
		expect(await statusOf(document)).toMatchObject({ status: 'pending' });
		await call(document.links.self, { method: 'DELETE' });
	});

	it('speaks the subprotocol coatcheck.v1 when it is offered', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const open = (headers: Record<string, string>) =>
			call(socketOf(document), { headers: { upgrade: 'websocket', ...headers } });
		const offered = await open({ 'sec-websocket-protocol': 'other, coatcheck.v1' });
		expect(offered.headers.get('sec-websocket-protocol')).toBe('coatcheck.v1');
		expect((await open({})).headers.get('sec-websocket-protocol')).toBeNull();
		await call(document.links.self, { method: 'DELETE' });
	});

	it('is asked for with an upgrade: anything else is a 426', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const response = await call(socketOf(document));
		expect(response.status).toBe(426);
		expect(response.headers.get('upgrade')).toBe('websocket');
		expect(await response.json()).toMatchObject({ code: 'UpgradeRequired' });
	});

	it('carries links for the one who reads', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { onComplete: 'inline' });
		const { events, closed } = await watch(document, 0);
		await closed;
		// The socket's link is for reading, and so are the links in its events.
		const { cancel: _, ...reading } = document.links;
		expect(events[0]?.job.links).toEqual(reading);
		expect(events[0]?.job.links.self).toContain('onComplete=inline');
	});
});
