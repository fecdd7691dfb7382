import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { call, objectOf, submit, watch } from './client.ts';

/** The platform puts an object to sleep when it was idle for ten seconds, if nothing keeps it awake. */
const IDLE_MS = 12_000;

describe('an object that is watched', () => {
	it('sleeps while a stream, a socket and a long-poll stay open, and tells them all when it wakes', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 600 });
		const socket = await watch(document);
		const stream = await call(document.links.events, { headers: { accept: 'text/event-stream' } });
		const longPoll = call(document.links.operation, { headers: { prefer: 'wait=25' } });
		const isMarked = () => runInDurableObject(objectOf(document), (object) => Reflect.has(object, 'marked'));
		await runInDurableObject(objectOf(document), (object) => Reflect.set(object, 'marked', true));
		expect(await isMarked()).toBe(true);
		await scheduler.wait(IDLE_MS);
		// Another instance: the one that was marked has gone from memory.
		expect(await isMarked()).toBe(false);
		await call(document.links.self, { method: 'DELETE' });
		expect((await socket.closed).code).toBe(1000);
		expect(socket.events.map(({ type }) => type)).toEqual(['snapshot', 'canceled']);
		expect(await stream.text()).toContain('event: canceled');
		expect(await (await longPoll).json()).toMatchObject({ status: 'canceled' });
	}, 30_000);
});
