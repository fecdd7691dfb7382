import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { JobObjectApi } from '../../src/core/job/object-api.ts';
import { objectOf, statusOf, submit } from '../flow/client.ts';
import { advanceClock } from '../flow/faults.ts';

/** The link of the first attempt, which no consumer makes: its message comes in ten minutes. */
async function linkedAttempt(document: StatusDocument) {
	advanceClock(601_000);
	const object = objectOf(document);
	const start = await (object as unknown as JobObjectApi).startAttempt({ epoch: 1, delivery: 'a' });
	if (!start.started) throw new Error(`Expected a lease, got: ${start.refusal}`);
	const { fence } = start.lease;
	const query = new URLSearchParams(Object.entries(fence).map(([name, value]) => [name, String(value)]));
	const response = await object.fetch(`http://job/attempt?${query}`, { headers: { upgrade: 'websocket' } });
	const link = response.webSocket as WebSocket;
	link.accept();
	return { fence, link };
}

it('An object that wakes because the link of its attempt has closed still knows the progress and the number of the last event', async () => {
	const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 600 });
	const { fence, link } = await linkedAttempt(document);
	link.send(JSON.stringify({ fence, progress: { percentComplete: 42, message: 'at work' } }));
	await vi.waitFor(async () => expect(await statusOf(document)).toMatchObject({ percentComplete: 42 }));
	const before = await statusOf(document);
	await evictDurableObject(objectOf(document));
	link.close(1001);
	const stub = objectOf(document);
	await vi.waitFor(async () => expect(await runInDurableObject(stub, (_, ctx) => ctx.getWebSockets().length)).toBe(0));
	expect(await statusOf(document)).toEqual(before);
});
