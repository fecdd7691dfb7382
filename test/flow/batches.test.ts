/** Many jobs in one request: each is accepted as if it had been submitted alone, and one URL reports their status. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BatchObjectApi } from '../../src/core/batch/batch-api.ts';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { ask, bearer, DEPLOYED, KEYS, type Key, refusal } from '../http/deployment.ts';
import { call, post, submit, until } from './client.ts';
import { advanceClock, fireAlarm, keepObjectsAway } from './faults.ts';

interface JobInBatch {
	readonly id: string;
	readonly status: string;
	readonly links: { readonly self: string };
	readonly error?: { readonly code: string };
}

interface BatchDocument {
	readonly id: string;
	readonly total: number;
	readonly createdAt: string;
	readonly countedAt: string;
	readonly counts: Readonly<Record<string, number>>;
	readonly jobs: readonly JobInBatch[];
	readonly links: { readonly self: string };
}

const NONE = { pending: 0, running: 0, succeeded: 0, failed: 0, canceled: 0, gone: 0 };
const COUNTS_ARE_OLD_MS = 11_000;

const sleeps = (count: number, options = {}) =>
	Array.from({ length: count }, () => ({ task: 'sleep', input: { seconds: 0 }, options }));

async function submitBatch(jobs: readonly unknown[], headers: Record<string, string> = {}): Promise<BatchDocument> {
	const response = await post('/v1/batches', { jobs }, headers);
	const document = await response.json<BatchDocument>();
	expect(response.status, JSON.stringify(document)).toBe(202);
	return document;
}

async function batchOf({ links }: BatchDocument): Promise<BatchDocument> {
	const response = await call(links.self);
	expect(response.status).toBe(200);
	return response.json<BatchDocument>();
}

/** The current counts, instead of the stored ones. */
async function countsNow(batch: BatchDocument): Promise<BatchDocument['counts']> {
	// An evicted object can't be evicted again: a read loads it first.
	await batchOf(batch);
	await evictDurableObject(objectOf(batch));
	return (await batchOf(batch)).counts;
}

const objectOf = ({ id }: { readonly id: string }) => env.BATCHES.get(env.BATCHES.idFromString(id));

/** The status of each job, from its own status document. */
async function statusesOf({ jobs }: BatchDocument): Promise<StatusDocument[]> {
	return Promise.all(
		jobs.map(async ({ id, links: { self } }) => {
			const token = new URL(self).searchParams.get('token');
			return (await call(`/v1/operations/${id}?token=${token}`)).json<StatusDocument>();
		}),
	);
}

describe('a job of a batch whose message was lost', () => {
	it('is sent for by its own alarm, like any other', async () => {
		const sendBatch = vi
			.spyOn(Object.getPrototypeOf(env.LANE_JOBS_1) as Queue, 'sendBatch')
			.mockRejectedValue(new Error('Queue is overloaded'));
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => {
			sendBatch.mockRestore();
			log.mockRestore();
		});
		const jobs = await statusesOf(await submitBatch(sleeps(2)));
		expect(jobs.map(({ status }) => status)).toEqual(['pending', 'pending']);
		advanceClock(21_000);
		for (const job of jobs) {
			expect(await fireAlarm(job)).toBe(true);
			expect(await until(job, 'succeeded')).toMatchObject({ attempt: 1 });
		}
	});
});

describe('a batch', () => {
	it('of 120 jobs is accepted in one request, and every job of it ends', async () => {
		const sent = holdMessages();
		const batch = await submitBatch(sleeps(120));
		expect(batch).toMatchObject({ total: 120, counts: { ...NONE, pending: 120 } });
		expect(new Set(batch.jobs.map(({ id }) => id)).size).toBe(120);
		// Before any job runs: on a busy machine, a consumer sends on what it can't start soon.
		await vi.waitFor(() => expect(sent.calls).toHaveLength(2));
		expect(sent.calls).toEqual(['sendBatch', 'sendBatch']);
		await sent.release();
		await vi.waitFor(async () => expect(await countsNow(batch)).toEqual({ ...NONE, succeeded: 120 }), {
			timeout: 90_000,
			interval: 1_500,
		});
		const { jobs } = batch;
		const result = await call(jobs[119]?.links.self ?? '', { redirect: 'follow' });
		expect(await result.json()).toEqual({ sleptSeconds: 0, attempt: 1 });
	});

	it('says how many of its jobs are in which status, as each of them says itself', async () => {
		const batch = await submitBatch([
			...sleeps(2),
			{ task: 'sleep', input: { seconds: 0, error: { code: 'Broken', message: 'on purpose' } } },
			...sleeps(3, { delaySeconds: 3_600 }),
		]);
		await call(batch.jobs[3]?.links.self ?? '', { method: 'DELETE' });
		await vi.waitFor(async () => {
			expect(await countsNow(batch)).toEqual({ ...NONE, pending: 2, succeeded: 2, failed: 1, canceled: 1 });
		}, 10_000);
		const statuses = (await statusesOf(batch)).map(({ status }) => status);
		expect(statuses).toEqual(['succeeded', 'succeeded', 'failed', 'canceled', 'pending', 'pending']);
	});

	it('is over when none of its jobs is to be waited for, and then says nothing of when to ask again', async () => {
		const batch = await submitBatch(sleeps(2));
		await vi.waitFor(async () => expect(await countsNow(batch)).toEqual({ ...NONE, succeeded: 2 }), 10_000);
		expect((await call(batch.links.self)).headers.get('retry-after')).toBeNull();
		const waiting = await submitBatch(sleeps(1, { delaySeconds: 3_600 }));
		const response = await call(waiting.links.self);
		expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
		expect(response.headers.get('cache-control')).toBe('private, no-store');
	});

	it('counts a failed job that is run again as what it is then', async () => {
		const input = { seconds: 0, failAttempts: 1 };
		const batch = await submitBatch([{ task: 'sleep', input, options: { maxAttempts: 1 } }]);
		await vi.waitFor(async () => expect(await countsNow(batch)).toEqual({ ...NONE, failed: 1 }), 10_000);
		const [{ id } = { id: '' }] = batch.jobs;
		expect((await post(`/v1/jobs/${id}/retry`, undefined)).status).toBe(202);
		await vi.waitFor(async () => expect((await countsNow(batch)).failed).toBe(1), 10_000);
	});

	it('is asked for by many at once, and asks its jobs once', async () => {
		const batch = await submitBatch(sleeps(20, { delaySeconds: 3_600 }));
		advanceClock(COUNTS_ARE_OLD_MS);
		const calls = countReads(batch);
		const documents = await Promise.all(Array.from({ length: 8 }, () => batchOf(batch)));
		expect(calls()).toBe(20);
		expect(documents.map(({ counts }) => counts)).toEqual(documents.map(() => ({ ...NONE, pending: 20 })));
	});

	it('is as it was before when one of its jobs cannot be reached', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const batch = await submitBatch(sleeps(4, { delaySeconds: 3_600 }));
		const { countedAt } = await batchOf(batch);
		advanceClock(COUNTS_ARE_OLD_MS);
		const undo = turnAwayEvery(4);
		expect(await batchOf(batch)).toMatchObject({ countedAt, counts: { ...NONE, pending: 4 } });
		undo();
	});

	it('asks its jobs no more often than their number allows, and not at all once it knows', async () => {
		const batch = await submitBatch(sleeps(3, { delaySeconds: 3_600 }));
		// The clock stands still, so that a busy machine makes no difference.
		advanceClock(0);
		const first = await batchOf(batch);
		advanceClock(20);
		expect((await batchOf(batch)).countedAt).toBe(first.countedAt);
		advanceClock(COUNTS_ARE_OLD_MS);
		expect((await batchOf(batch)).countedAt).not.toBe(first.countedAt);
	});

	it('still knows those that succeeded when they, and its own memory, are gone', async () => {
		const batch = await submitBatch(sleeps(2));
		await vi.waitFor(async () => expect(await countsNow(batch)).toEqual({ ...NONE, succeeded: 2 }), 10_000);
		for (const { id } of batch.jobs) await call(`/v1/jobs/${id}/purge`, { method: 'POST' });
		expect(await countsNow(batch)).toEqual({ ...NONE, succeeded: 2 });
	});

	it('is forgotten when its jobs long are, by its time and by its alarm', async () => {
		const batch = await submitBatch(sleeps(1, { retainSeconds: 60 }));
		advanceClock(15 * 86_400_000);
		expect(await refusal(await call(batch.links.self))).toEqual([401, 'Unauthorized']);
		expect(await refusal(await call(`/v1/batches/${batch.id}`))).toEqual([404, 'BatchNotFound']);
		expect(await runDurableObjectAlarm(objectOf(batch))).toBe(true);
		const rows = await runInDurableObject(objectOf(batch), (_, { storage }) => [...storage.kv.list()].length);
		expect(rows).toBe(0);
	});
});

describe('a batch erases', () => {
	const ERASED_AFTER_MS = 60_000 + 75 * 60_000;

	it('its jobs, which set no alarm for that', async () => {
		const batch = await submitBatch(sleeps(3, { retainSeconds: 60 }));
		await vi.waitFor(async () => expect(await countsNow(batch)).toEqual({ ...NONE, succeeded: 3 }), 10_000);
		for (const job of batch.jobs) {
			await fireAlarm(job);
			expect(await alarmAndRowsOf(job)).toEqual({ alarmAt: null, rows: 1 });
		}
		advanceClock(ERASED_AFTER_MS);
		expect(await runDurableObjectAlarm(objectOf(batch))).toBe(true);
		for (const job of batch.jobs) expect(await alarmAndRowsOf(job)).toEqual({ alarmAt: null, rows: 0 });
		expect(await countsNow(batch)).toEqual({ ...NONE, succeeded: 3 });
	});

	it('no job that is not over, which erases itself later', async () => {
		const batch = await submitBatch([...sleeps(1), { task: 'sleep', input: { seconds: 0, wait: true } }]);
		const [, waiting] = batch.jobs as [JobInBatch, JobInBatch];
		const isRunning = async () =>
			expect(await (await call(`/v1/jobs/${waiting.id}`)).json()).toMatchObject({ status: 'running' });
		await vi.waitFor(isRunning, 10_000);
		advanceClock(86_400_000 + 75 * 60_000);
		expect(await runDurableObjectAlarm(objectOf(batch))).toBe(true);
		const { alarmAt, rows } = await alarmAndRowsOf(waiting);
		expect(rows).toBeGreaterThan(0);
		expect(alarmAt).not.toBeNull();
	});

	it('a job later that could not be reached, and meanwhile the others', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const batch = await submitBatch(sleeps(2, { retainSeconds: 60 }));
		await vi.waitFor(async () => expect(await countsNow(batch)).toEqual({ ...NONE, succeeded: 2 }), 10_000);
		advanceClock(ERASED_AFTER_MS);
		const undo = turnAwayEvery(2);
		expect(await runDurableObjectAlarm(objectOf(batch))).toBe(true);
		undo();
		const rowsLeft = async () => {
			const all = await Promise.all(batch.jobs.map(async (job) => (await alarmAndRowsOf(job)).rows));
			return all.reduce((sum, rows) => sum + rows, 0);
		};
		expect(await rowsLeft()).toBe(1);
		advanceClock(2 * 3_600_000);
		expect(await runDurableObjectAlarm(objectOf(batch))).toBe(true);
		expect(await rowsLeft()).toBe(0);
	});
});

describe('what is wrong with a batch', () => {
	it('is told with its place in each job, and nothing is accepted', async () => {
		const key = { 'idempotency-key': crypto.randomUUID() };
		const jobs = [...sleeps(2), { task: 'sleep', input: { seconds: -1 } }, { task: 'nobody', input: {} }];
		const response = await post('/v1/batches', { jobs }, key);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({
			code: 'InvalidInput',
			detail: expect.stringContaining('Job 2'),
			errors: [{ pointer: '/jobs/2/input/seconds' }, { pointer: '/jobs/3/task' }],
		});
		// A different batch may use the same key, because no batch was accepted with it yet.
		await submitBatch(sleeps(1), key);
	});

	it('is told of what only a deployment can know, too', async () => {
		const webhook = { webhook: { url: 'http://127.0.0.1/hook' } };
		const body = JSON.stringify({ jobs: [...sleeps(1), ...sleeps(1, webhook)] });
		const headers = { 'content-type': 'application/json', ...bearer(KEYS.client) };
		const response = await ask(DEPLOYED, '/v1/batches', { method: 'POST', headers, body });
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ errors: [{ pointer: '/jobs/1/options/webhook/url' }] });
	});

	it('is told of two jobs that would be one', async () => {
		const jobs = [...sleeps(1, { idempotencyKey: 'same' }), ...sleeps(1, { idempotencyKey: 'same' })];
		const response = await post('/v1/batches', { jobs });
		expect(await response.json()).toMatchObject({
			code: 'InvalidRequest',
			errors: [{ pointer: '/jobs/1/options/idempotencyKey' }],
		});
	});

	it.each([
		['no jobs', { jobs: [] }, '/jobs'],
		['more than 1,000', { jobs: sleeps(1_001) }, '/jobs'],
		['no list', { jobs: {} }, '/jobs'],
		['something else', { jobs: sleeps(1), more: 1 }, '/more'],
	])('is said of %s', async (_, body, pointer) => {
		const response = await post('/v1/batches', body);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ code: 'InvalidRequest', errors: [{ pointer }] });
	});

	it('is said of bytes: a batch is JSON, and so are the inputs in it', async () => {
		const bytes = await call('/v1/batches', { method: 'POST', headers: { 'content-type': 'image/png' }, body: 'x' });
		expect(await refusal(bytes)).toEqual([415, 'UnsupportedMediaType']);
		const binary = await post('/v1/batches', { jobs: [{ task: 'thumbnail', input: {} }] });
		expect(await refusal(binary)).toEqual([415, 'UnsupportedMediaType']);
	});
});

describe('options of a batch', () => {
	it('in headers are those of each job, and in a job its own', async () => {
		const jobs = [...sleeps(1), { task: 'sleep', input: { seconds: 0 }, options: { tags: ['own'] } }];
		const batch = await submitBatch(jobs, { 'coatcheck-delay-seconds': '3600', 'x-correlation-id': 'order-42' });
		const documents = await statusesOf(batch);
		expect(documents.map(({ phase, correlationId, tags }) => [phase, correlationId, tags])).toEqual([
			['delayed', 'order-42', []],
			['delayed', 'order-42', ['own']],
		]);
	});

	it("leave a job its own key, and that is none of the batch's", async () => {
		const own = crypto.randomUUID();
		const single = await submit('sleep', { seconds: 0 }, { idempotencyKey: own });
		const key = { 'idempotency-key': crypto.randomUUID() };
		const batch = await submitBatch([...sleeps(1), ...sleeps(1, { idempotencyKey: own })], key);
		expect(batch.jobs[1]?.id).toBe(single.document.id);
		const likePlace = await submit('sleep', { seconds: 0 }, { idempotencyKey: `${key['idempotency-key']}/0` });
		expect(likePlace.document.id).not.toBe(batch.jobs[0]?.id);
	});

	it('that say two things are refused', async () => {
		const response = await post(
			'/v1/batches',
			{ jobs: sleeps(1, { delaySeconds: 1 }) },
			{ 'coatcheck-delay-seconds': '2' },
		);
		expect(await refusal(response)).toEqual([400, 'InvalidRequest']);
	});
});

describe('a batch that is sent again under its key', () => {
	it('is the same batch of the same jobs', async () => {
		const key = { 'idempotency-key': crypto.randomUUID() };
		const first = await submitBatch(sleeps(3), key);
		const again = await post('/v1/batches', { jobs: sleeps(3) }, key);
		expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
		const second = await again.json<BatchDocument>();
		expect(second.id).toBe(first.id);
		expect(second.createdAt).toBe(first.createdAt);
		expect(second.jobs.map(({ id }) => id)).toEqual(first.jobs.map(({ id }) => id));
		for (const job of await statusesOf(second)) await until(job, 'succeeded');
		const attempts = (await statusesOf(second)).map(({ attempt }) => attempt);
		expect(attempts).toEqual([1, 1, 1]);
	});

	it('keeps its link when none of its jobs can be reached', async () => {
		const key = { 'idempotency-key': crypto.randomUUID() };
		const first = await submitBatch(sleeps(2), key);
		keepObjectsAway({ methods: ['accept'], awayMs: 60_000 });
		const again = await post('/v1/batches', { jobs: sleeps(2) }, key);
		expect(again.status).toBe(202);
		expect((await again.json<BatchDocument>()).createdAt).toBe(first.createdAt);
		expect((await call(first.links.self)).status).toBe(200);
	});

	it('is refused when it is another one', async () => {
		const key = { 'idempotency-key': crypto.randomUUID() };
		await submitBatch(sleeps(2), key);
		for (const jobs of [sleeps(3), sleeps(2, { maxAttempts: 2 })])
			expect(await refusal(await post('/v1/batches', { jobs }, key))).toEqual([422, 'IdempotencyKeyReused']);
	});

	it('is completed, when only some of it was accepted', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const key = { 'idempotency-key': crypto.randomUUID() };
		const undo = turnAwayEvery(3);
		const first = await submitBatch(sleeps(9, { delaySeconds: 3_600 }), key);
		undo();
		expect(first.jobs.map(({ error }) => error?.code ?? 'accepted')).toEqual(
			Array.from({ length: 9 }, (_, index) => (index % 3 === 2 ? 'Overloaded' : 'accepted')),
		);
		expect(first).toMatchObject({ total: 6, counts: { ...NONE, pending: 6 } });
		expect(await countsNow(first)).toEqual({ ...NONE, pending: 6 });
		const second = await submitBatch(sleeps(9, { delaySeconds: 3_600 }), key);
		expect(second).toMatchObject({
			id: first.id,
			createdAt: first.createdAt,
			total: 9,
			counts: { ...NONE, pending: 9 },
		});
		expect(await countsNow(second)).toEqual({ ...NONE, pending: 9 });
		expect((await call(first.links.self)).status).toBe(200);
		expect(second.jobs.filter((_, index) => index % 3 !== 2).map(({ id }) => id)).toEqual(
			first.jobs.filter(({ error }) => !error).map(({ id }) => id),
		);
	});

	it('is a new one when nothing is left of the first, and the old link is not good for it', async () => {
		const key = { 'idempotency-key': crypto.randomUUID() };
		const first = await submitBatch(sleeps(2, { retainSeconds: 60 }), key);
		await vi.waitFor(async () => expect(await countsNow(first)).toEqual({ ...NONE, succeeded: 2 }), 10_000);
		advanceClock(2 * 86_400_000);
		const again = await post('/v1/batches', { jobs: sleeps(2, { retainSeconds: 60 }) }, key);
		expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, null]);
		const second = await again.json<BatchDocument>();
		expect(second.counts).toEqual({ ...NONE, pending: 2 });
		expect(await refusal(await call(first.links.self))).toEqual([404, 'BatchNotFound']);
	});

	it('is refused as a whole when there is room for nothing of it, and its key stands for nothing', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const key = { 'idempotency-key': crypto.randomUUID() };
		const undo = turnAwayEvery(1);
		const response = await post('/v1/batches', { jobs: sleeps(2) }, key);
		undo();
		expect(response.headers.get('retry-after')).not.toBeNull();
		expect(await refusal(response)).toEqual([503, 'Overloaded']);
		expect((await submitBatch(sleeps(3), key)).total).toBe(3);
	});

	it('is told as accepted when only its list could not be kept, and listed when it is sent again', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const key = { 'idempotency-key': crypto.randomUUID() };
		const undo = refuseLists();
		const response = await post('/v1/batches', { jobs: sleeps(2, { delaySeconds: 3_600 }) }, key);
		undo();
		const { jobs, ...rest } = await response.json<BatchDocument>();
		expect([response.status, response.headers.get('location'), rest]).toEqual([202, null, {}]);
		for (const { links } of jobs) expect((await call(links.self)).status).toBe(200);
		const again = await submitBatch(sleeps(2, { delaySeconds: 3_600 }), key);
		expect(again.jobs.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
		expect(await countsNow(again)).toEqual({ ...NONE, pending: 2 });
	});

	it("keeps the place of a job of which nobody knows whether it was accepted, and it isn't run twice", async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const undo = loseAnswers();
		const batch = await submitBatch(sleeps(2));
		undo();
		expect(batch.jobs.map(({ id, error }) => [/^[0-9a-f]{64}$/.test(id), error?.code])).toEqual([
			[true, 'Internal'],
			[true, 'Internal'],
		]);
		// Their messages were never sent. They wait for their alarms, and are counted in any case.
		expect(await countsNow(batch)).toEqual({ ...NONE, pending: 2 });
	});
});

describe('whoever has no business with a batch', () => {
	it('is told that there is none', async () => {
		const init = {
			method: 'POST',
			headers: { 'content-type': 'application/json', ...bearer(KEYS.client) },
			body: JSON.stringify({ jobs: sleeps(1) }),
		};
		const response = await ask(DEPLOYED, '/v1/batches', init);
		expect(response.status).toBe(202);
		const batch = await response.json<BatchDocument>();
		const path = `/v1/batches/${batch.id}`;
		expect((await ask(DEPLOYED, path, { headers: bearer(KEYS.client) })).status).toBe(200);
		expect((await ask(DEPLOYED, batch.links.self)).status).toBe(200);
		const stranger = await ask(DEPLOYED, path, { headers: bearer(KEYS.other) });
		expect(await refusal(stranger)).toEqual([404, 'BatchNotFound']);
		expect(await refusal(await ask(DEPLOYED, path))).toEqual([401, 'Unauthorized']);
		const [job] = batch.jobs;
		const { search } = new URL(job?.links.self ?? '');
		expect(await refusal(await ask(DEPLOYED, `${path}${search}`))).toEqual([401, 'Unauthorized']);
		const { search: ofBatch } = new URL(batch.links.self);
		expect(await refusal(await ask(DEPLOYED, `/v1/jobs/${job?.id}${ofBatch}`))).toEqual([401, 'Unauthorized']);
		expect(await refusal(await ask(DEPLOYED, `/v1/jobs/${batch.id}${ofBatch}`))).toEqual([404, 'JobNotFound']);
	});
});

describe('a Worker that has no object for batches', () => {
	it('says so, and does everything else', async () => {
		const without = { ...DEPLOYED, BATCHES: undefined };
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const init = {
			method: 'POST',
			headers: { 'content-type': 'application/json', ...bearer(KEYS.client) },
			body: JSON.stringify({ jobs: sleeps(1) }),
		};
		const response = await ask(without, '/v1/batches', init);
		expect(response.status).toBe(503);
		expect(await response.json()).toMatchObject({ code: 'NotConfigured', detail: expect.stringContaining('BATCHES') });
		const envelope = JSON.stringify({ task: 'sleep', input: { seconds: 0 } });
		expect((await ask(without, '/v1/jobs', { ...init, body: envelope })).status).toBe(202);
	});
});

describe('a batch is limited', () => {
	const { LIMITER_OF_BATCHES } = env as unknown as { LIMITER_OF_BATCHES: RateLimit };
	const limited = { ...DEPLOYED, LIMITER_PER_KEY: LIMITER_OF_BATCHES, RATE_LIMIT_PER_KEY: '3/60s' };
	/** The limiter's windows are the minutes of the real clock: if a new one has begun meanwhile, everything is asked again. */
	const inOneWindow = async <T>(makeRequests: () => Promise<T>): Promise<T> => {
		const minute = () => Math.floor((performance.timeOrigin + performance.now()) / 60_000);
		for (;;) {
			const before = minute();
			const answer = await makeRequests();
			if (minute() === before) return answer;
		}
	};
	const init = (key: Key, name: string, jobs: readonly unknown[]) => ({
		method: 'POST',
		headers: { 'content-type': 'application/json', 'idempotency-key': name, ...bearer(key) },
		body: JSON.stringify({ jobs }),
	});

	it('to what half of a window can take: more would never be let through', async () => {
		const response = await ask(limited, '/v1/batches', init(KEYS.admin, 'too large', sleeps(4)));
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({
			errors: [{ pointer: '/jobs', message: expect.stringContaining('3') }],
		});
	});

	it('like more requests than one, before any of it is accepted', async () => {
		const { name, refused } = await inOneWindow(async () => {
			const name = crypto.randomUUID();
			for (let time = 0; time < 2; time++) await ask(limited, '/v1/tasks', { headers: bearer(KEYS.client) });
			return { name, refused: await ask(limited, '/v1/batches', init(KEYS.client, name, sleeps(3))) };
		});
		expect(await refusal(refused)).toEqual([429, 'RateLimited']);
		// The key does not represent a batch.
		const other = await ask(DEPLOYED, '/v1/batches', init(KEYS.client, name, sleeps(2)));
		expect([other.status, other.headers.get('idempotent-replayed')]).toEqual([202, null]);
	});

	it('like more requests than one, when many of its jobs have to be asked', async () => {
		const submitted = await ask(
			DEPLOYED,
			'/v1/batches',
			init(KEYS.other, 'waiting', sleeps(80, { delaySeconds: 3_600 })),
		);
		const { id } = await submitted.json<BatchDocument>();
		const asked = await inOneWindow(async () => {
			advanceClock(COUNTS_ARE_OLD_MS);
			for (let time = 0; time < 2; time++) await ask(limited, '/v1/tasks', { headers: bearer(KEYS.other) });
			return ask(limited, `/v1/batches/${id}`, { headers: bearer(KEYS.other) });
		});
		expect(await refusal(asked)).toEqual([429, 'RateLimited']);
	});
});

function alarmAndRowsOf({ id }: { readonly id: string }): Promise<{ alarmAt: number | null; rows: number }> {
	return runInDurableObject(env.JOBS.get(env.JOBS.idFromString(id)), async (_, { storage }) => ({
		alarmAt: await storage.getAlarm(),
		rows: [...storage.kv.list()].length,
	}));
}

/** Keeps messages from the queues until they are released. `calls` has the methods that sent them. */
function holdMessages() {
	const prototype = Object.getPrototypeOf(env.LANE_JOBS_1) as Queue;
	const calls: string[] = [];
	const held: (() => Promise<unknown>)[] = [];
	const spies = (['send', 'sendBatch'] as const).map((method) => {
		const original = prototype[method] as (...args: unknown[]) => Promise<unknown>;
		return vi.spyOn(prototype, method).mockImplementation(function (this: Queue, ...args: unknown[]) {
			calls.push(method);
			held.push(() => original.apply(this, args));
			return Promise.resolve({}) as never;
		});
	});
	const restore = () => {
		for (const spy of spies) spy.mockRestore();
	};
	onTestFinished(restore);
	const release = async () => {
		restore();
		for (const send of held) await send();
	};
	return { calls, release };
}

/** Counts the calls of a batch's jobs' objects from now on. */
function countReads({ jobs }: BatchDocument): () => number {
	const namespace = Object.getPrototypeOf(env.JOBS) as DurableObjectNamespace;
	const original = namespace.get;
	let calls = 0;
	const spy = vi.spyOn(namespace, 'get').mockImplementation(function (this: DurableObjectNamespace, id) {
		if (jobs.some((job) => job.id === id.toString())) calls++;
		return original.call(this, id);
	});
	onTestFinished(() => spy.mockRestore());
	return () => calls;
}

/** Batches' objects store no list, and answer everything else. @returns a function that undoes it. */
function refuseLists(): () => void {
	const namespace = Object.getPrototypeOf(env.BATCHES) as DurableObjectNamespace;
	const original = namespace.get;
	const spy = vi.spyOn(namespace, 'get').mockImplementation(function (this: DurableObjectNamespace, id) {
		const stub = original.call(this, id);
		if ((this as unknown) !== env.BATCHES) return stub;
		const add = () => Promise.reject(Object.assign(new Error('Durable Object is overloaded.'), { overloaded: true }));
		const prepare: BatchObjectApi['prepare'] = (request) => (stub as unknown as BatchObjectApi).prepare(request);
		return { prepare, add } as unknown as DurableObjectStub<undefined>;
	});
	return () => spy.mockRestore();
}

/** Jobs are accepted, but the response is lost. @returns a function that undoes it. */
function loseAnswers(): () => void {
	const namespace = Object.getPrototypeOf(env.JOBS) as DurableObjectNamespace;
	const original = namespace.get;
	const spy = vi.spyOn(namespace, 'get').mockImplementation(function (this: DurableObjectNamespace, id) {
		const stub = original.call(this, id) as unknown as { accept: (...args: unknown[]) => Promise<unknown> };
		if ((this as unknown) !== env.JOBS) return stub as unknown as DurableObjectStub<undefined>;
		const lost = async (...args: unknown[]) => {
			await stub.accept(...args);
			throw new Error('Network connection lost.');
		};
		return new Proxy({}, { get: () => lost }) as DurableObjectStub<undefined>;
	});
	return () => spy.mockRestore();
}

/** Every n-th job's object rejects its submission. @returns a function that undoes it. */
function turnAwayEvery(n: number): () => void {
	const namespace = Object.getPrototypeOf(env.JOBS) as DurableObjectNamespace;
	const original = namespace.get;
	let calls = 0;
	const spy = vi.spyOn(namespace, 'get').mockImplementation(function (this: DurableObjectNamespace, id) {
		const stub = original.call(this, id);
		if ((this as unknown) !== env.JOBS || ++calls % n !== 0) return stub;
		const turnedAway = () =>
			Promise.reject(Object.assign(new Error('Durable Object is overloaded.'), { overloaded: true }));
		return new Proxy({}, { get: () => turnedAway }) as DurableObjectStub<undefined>;
	});
	return () => spy.mockRestore();
}
