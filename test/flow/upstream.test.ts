import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { receiver } from '../webhook/receiver.ts';
import { call, statusOf, until } from './client.ts';
import { advanceClock, dropMessages, fireAlarm, openNoLateLinks, waitForLists } from './faults.ts';
import { list, markListWrites } from './list-apart.ts';

/** Counts billed operations at the platform, as in `budget.test.ts`. */
const counts = { rows: 0, jobCalls: 0, gateCalls: 0 };

function count(prototype: object, method: string, field: keyof typeof counts): void {
	const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
	Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]) {
		if (!list.isWriting) counts[field]++;
		return original.apply(this, args);
	});
}

function countCalls(object: object, field: keyof typeof counts): void {
	const prototype = Object.getPrototypeOf(object) as object;
	for (const method of Object.getOwnPropertyNames(prototype)) {
		if (method !== 'constructor' && method !== 'readNews') count(prototype, method, field);
	}
}

beforeAll(async () => {
	await runInDurableObject(env.JOBS.get(env.JOBS.newUniqueId()), (object, { storage }) => {
		for (const method of ['put', 'delete']) count(Object.getPrototypeOf(storage.kv) as object, method, 'rows');
		for (const method of ['setAlarm']) count(Object.getPrototypeOf(storage) as object, method, 'rows');
		countCalls(object, 'jobCalls');
	});
	await markListWrites();
	await runInDurableObject(env.GATES.getByName('any'), (object) => countCalls(object, 'gateCalls'));
});

beforeEach(() => {
	for (const field of Object.keys(counts) as (keyof typeof counts)[]) counts[field] = 0;
});

async function submit(upstream: string, init: RequestInit = {}): Promise<StatusDocument> {
	const response = await call(`/v1/upstreams/${upstream}/x`, init);
	expect(response.status).toBe(202);
	return response.json<StatusDocument>();
}

/** Number of calls and rows that were not status reads. */
async function costOf(upstream: string): Promise<typeof counts> {
	const job = await submit(upstream);
	// No status is read until the job has ended, because each read is a call.
	await vi.waitFor(() => expect(counts.rows).toBeGreaterThanOrEqual(4), { timeout: 5_000, interval: 10 });
	await vi.waitFor(() => expect(counts.gateCalls).toBeGreaterThanOrEqual(upstream === 'narrow' ? 2 : 0), {
		timeout: 5_000,
	});
	const cost = { ...counts };
	expect((await until(job, 'succeeded')).attempt).toBe(1);
	return cost;
}

describe('the ordinary job of an upstream', () => {
	beforeEach(() => {
		openNoLateLinks();
		waitForLists();
	});

	it('costs what a task costs, and asks no gate', async () => {
		receiver('report.example', () => new Response('ok'));
		expect(await costOf('report')).toEqual({ rows: 4, jobCalls: 3, gateCalls: 0 });
	});

	it('costs two calls and two rows more where an upstream takes only so many at once', async () => {
		receiver('narrow.example', () => new Response('ok'));
		expect(await costOf('narrow')).toEqual({ rows: 6, jobCalls: 3, gateCalls: 2 });
	});
});

describe('a job that waits for its turn', () => {
	it('costs at most two rows each time that it is told to wait, and starts when its turn has come', async () => {
		const { promise, resolve } = Promise.withResolvers<void>();
		receiver('narrow.example', () => promise.then(() => new Response('ok')));
		onTestFinished(() => resolve());
		const first = await submit('narrow');
		await until(first, 'running');
		const second = await submit('narrow');
		const told = (wanted: number) =>
			vi.waitFor(
				async () => {
					const { seq, attempt } = await statusOf(second);
					expect(attempt).toBe(0);
					expect(seq).toBeGreaterThanOrEqual(wanted);
					return { seq, rows: counts.rows };
				},
				{ timeout: 15_000, interval: 20 },
			);
		const before = await told(2);
		const after = await told(before.seq + 3);
		expect(after.rows - before.rows).toBeLessThanOrEqual(2 * (after.seq - before.seq));
		resolve();
		expect((await until(second, 'succeeded')).attempt).toBe(1);
	});
});

describe('the gate of an upstream', () => {
	it('is told of a failure, asked before the next attempt, and left alone once that went well', async () => {
		receiver('report.example', (visit) => new Response('so', { status: visit === 1 ? 503 : 200 }));
		expect((await until(await submit('report'), 'succeeded')).attempt).toBe(2);
		await vi.waitFor(() => expect(counts.gateCalls).toBe(3), { timeout: 5_000 });
		await until(await submit('report'), 'succeeded');
		expect(counts.gateCalls).toBe(3);
	});
});

describe('requests that always get a 500', () => {
	it('close no upstream for the others, however many they are', async () => {
		const received = receiver('report.example', (visit) => new Response('so', { status: visit <= 10 ? 500 : 200 }));
		const headers = { 'coatcheck-max-attempts': '1' };
		const bad = await Promise.all(Array.from({ length: 10 }, () => submit('report', { headers })));
		await Promise.all(bad.map((job) => until(job, 'failed')));
		const good = await until(await submit('report'), 'succeeded');
		expect(good).toMatchObject({ attempt: 1 });
		expect(received).toHaveLength(11);
		const { events } = await (await call(good.links.events)).json<{ events: { type: string }[] }>();
		expect(events.map(({ type }) => type)).toEqual(['accepted', 'started', 'succeeded']);
		expect(counts.gateCalls).toBe(0);
	});
});

describe('callers who allow an upstream less time than it is given', () => {
	it('close it for nobody else when their time is over', async () => {
		const held = Promise.withResolvers<Response>();
		onTestFinished(() => held.resolve(new Response(null)));
		receiver('report.example', (visit) => (visit <= 6 ? held.promise : new Response('ok')));
		const headers = { 'coatcheck-max-attempts': '1', 'coatcheck-timeout-seconds': '1' };
		const hasty = await Promise.all(Array.from({ length: 6 }, () => submit('report', { headers })));
		await Promise.all(hasty.map((job) => until(job, 'timed-out')));
		expect(await until(await submit('report'), 'succeeded', 'waiting')).toMatchObject({ status: 'succeeded' });
		expect(counts.gateCalls).toBe(0);
	});
});

describe('an upstream that is unavailable to two jobs, again and again', () => {
	it('is still asked for a third one at once', async () => {
		receiver('report.example', (visit) => new Response('so', { status: visit <= 6 ? 503 : 200 }));
		const headers = { 'coatcheck-max-attempts': '3' };
		const bad = await Promise.all([submit('report', { headers }), submit('report', { headers })]);
		await Promise.all(bad.map((job) => until(job, 'failed')));
		expect(counts.gateCalls).toBeGreaterThan(0);
		const good = await until(await submit('report'), 'succeeded', 'waiting');
		expect(good).toMatchObject({ status: 'succeeded', attempt: 1 });
	});
});

describe('a job of an upstream whose message is lost', () => {
	it('is sent for again with all that its consumer has to know', async () => {
		const lost = dropMessages();
		const job = await submit('narrow', { headers: { 'coatcheck-timeout-seconds': '77' } });
		await vi.waitFor(() => expect(lost(job)).toBe(1));
		const send = vi.spyOn(Object.getPrototypeOf(env.LANE_JOBS_1) as Queue, 'send');
		onTestFinished(() => send.mockRestore());
		advanceClock(21_000);
		await fireAlarm(job);
		expect(send.mock.calls.at(-1)?.[0]).toEqual({
			v: 1,
			id: job.id,
			epoch: 1,
			upstream: { name: 'narrow', timeoutSeconds: 77 },
		});
	});
});

describe('a POST to an upstream whose attempt is lost', () => {
	it('is not sent again: it may have been carried out', async () => {
		const { promise, resolve } = Promise.withResolvers<void>();
		receiver('report.example', () => promise.then(() => new Response(null)));
		onTestFinished(() => resolve());
		const [post, put] = [
			await submit('report', { method: 'POST', body: 'x' }),
			await submit('report', { method: 'PUT', body: 'x' }),
		];
		await until(post, 'running');
		await until(put, 'running');
		advanceClock(321_000);
		expect(await until(post, 'failed')).toMatchObject({
			attempt: 1,
			error: { code: 'DeliveryFailed', retryable: false },
		});
		expect((await until(put, 'retrying', 'running')).attempt).toBe(1);
	});
});
