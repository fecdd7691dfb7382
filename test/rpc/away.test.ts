/** An object that is unreachable for a moment: a deploy or a crash resets it, and every stub that saw that stays broken. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { isTransientFailure } from '../../src/rpc/retry-transient.ts';
import { call, objectOf, socketOf, submit } from '../flow/client.ts';
import { advanceClock } from '../flow/faults.ts';
import { replaceStubs } from './stubs.ts';

/**
 * Every call to any object fails for this long, and at least so many to this job's, as when the platform resets it.
 *
 * @returns the number of calls to the job's.
 */
function objectsAway(ms: number, job: { readonly id: string }, leastCalls = 0): () => number {
	let calls = 0;
	replaceStubs({ ms, isTooEarly: () => calls < leastCalls }, (id) => {
		const away = () => {
			// The list is told of the job meanwhile, and has retries of its own.
			if (id.toString() === job.id) calls++;
			return Promise.reject(Object.assign(new Error('Network connection lost.'), { retryable: true, remote: true }));
		};
		return new Proxy({}, { get: () => away }) as DurableObjectStub;
	});
	return () => calls;
}

async function delayedJob() {
	return (await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 })).document;
}

describe('while a job’s object is away for 0.4 s', () => {
	it('reads, streams, sockets, waits and commands are answered as if it were not', async () => {
		const job = await delayedJob();
		const { links } = job;
		const socket = { headers: { upgrade: 'websocket' } };
		const requests: [url: string, init?: RequestInit][] = [
			[links.operation],
			[links.operation, { headers: { prefer: 'wait=1' } }],
			[links.events],
			[links.events, { headers: { accept: 'text/event-stream' } }],
			[socketOf({ links }), socket],
			[links.self, { method: 'DELETE' }],
		];
		// The clock stands still, so that nobody's patience ends while the machine does.
		advanceClock(0);
		const calls = objectsAway(400, job, requests.length);
		const responses = await Promise.all(requests.map(([url, init]) => call(url, init)));
		expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 101, 200]);
		responses[4]?.webSocket?.accept();
		expect(calls()).toBeGreaterThanOrEqual(requests.length);
		for (const response of [responses[3]]) await response?.body?.cancel();
	});
});

describe('while a job’s object is away for longer', () => {
	it.each([
		['a read', {}],
		['a socket', { headers: { upgrade: 'websocket' } }],
	])('%s is answered with 503 and a Retry-After, after few tries', async (_, init) => {
		const job = await delayedJob();
		const { links } = job;
		const calls = objectsAway(60_000, job);
		const response = await call('headers' in init ? socketOf({ links }) : links.operation, init);
		expect(response.status).toBe(503);
		expect(response.headers.get('retry-after')).not.toBeNull();
		expect(await response.json()).toMatchObject({ code: 'Overloaded' });
		expect(calls()).toBeLessThan(12);
	});
});

describe('an object that was reset under a call', () => {
	it('is asked again over a fresh stub', async () => {
		const document = await delayedJob();
		const stub = objectOf(document);
		const error = await runInDurableObject(stub, (_, ctx) => ctx.abort('reset by a test')).catch(
			(thrown: unknown) => thrown,
		);
		expect(error).toMatchObject({ durableObjectReset: true });
		expect(isTransientFailure(error)).toBe(true);
		expect((await call(document.links.operation)).status).toBe(200);
	});
});
