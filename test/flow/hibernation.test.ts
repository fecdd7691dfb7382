import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { call, objectOf, submit, watch } from './client.ts';

/** The platform hibernates an object that was idle for ten seconds, unless something keeps it awake. */
const IDLE_MS = 12_000;
const MAX_IDLES = 5;

describe('an object that is watched', () => {
	it('sleeps while a stream, a socket and a long-poll stay open, and tells them all when it wakes', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 600 });
		const socket = await watch(document);
		const stream = await call(document.links.events, { headers: { accept: 'text/event-stream' } });
		let longPoll: Promise<Response> | undefined;
		const isMarked = () => runInDurableObject(objectOf(document), (object) => Reflect.has(object, 'marked'));
		await runInDurableObject(objectOf(document), (object) => Reflect.set(object, 'marked', true));
		expect(await isMarked()).toBe(true);
		// Each read keeps the object awake, so every read follows a time in which it could have hibernated.
		let isAwake = true;
		for (let idle = 0; isAwake && idle < MAX_IDLES; idle++) {
			longPoll = call(document.links.operation, { headers: { prefer: 'wait=25' } });
			await scheduler.wait(IDLE_MS);
			isAwake = await isMarked();
		}
		// This is another instance: the marked one is no longer in memory.
		expect(isAwake).toBe(false);
		await call(document.links.self, { method: 'DELETE' });
		expect((await socket.closed).code).toBe(1000);
		expect(socket.events.map(({ type }) => type)).toEqual(['snapshot', 'canceled']);
		expect(await stream.text()).toContain('event: canceled');
		expect(await (await longPoll)?.json()).toMatchObject({ status: 'canceled' });
	});
});
