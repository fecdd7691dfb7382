import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { dollarsAMillion } from '../../src/core/cost/prices.ts';
import { billedUsage } from '../../src/core/cost/usage.ts';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { START_WITHIN_MS } from '../../src/queue/consume.ts';
import { receiver } from '../webhook/receiver.ts';
import worker from '../worker.ts';
import { call, eventsOf, objectOf, post, statusOf, submit, until, watch } from './client.ts';
import { advanceClock, dropMessages, fireAlarm, openNoLateLinks, waitForLists } from './faults.ts';
import { list, markListWrites } from './list-apart.ts';
import { acceptTogether } from './together.ts';

/**
 * Counts billed operations at the platform's own storage, stubs and queues. Their prototypes count, so that the code
 * under test is unaffected.
 */
const counts = {
	rows: 0,
	calls: 0,
	/** Closed sockets, apart from the calls: their object hears of it some time after the client has its answer. */
	closings: 0,
	messages: 0,
	metrics: 0,
	deletedAlarms: 0,
	erasings: 0,
	requests: 0,
	batches: 0,
};

function count(prototype: object, method: string, field: keyof typeof counts): void {
	const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
	Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]) {
		if (!list.isWriting) counts[field]++;
		return original.apply(this, args);
	});
}

function countMessagesInBatches(prototype: Pick<Queue, 'sendBatch'>): void {
	const { sendBatch } = prototype;
	prototype.sendBatch = function (this: Queue, messages, options) {
		const all = [...messages];
		counts.messages += all.length;
		return sendBatch.call(this, all, options);
	};
}

beforeAll(async () => {
	const stub = env.JOBS.get(env.JOBS.newUniqueId());
	await runInDurableObject(stub, (object, { storage }) => {
		const kv = Object.getPrototypeOf(storage.kv) as object;
		for (const method of ['put', 'delete']) count(kv, method, 'rows');
		const store = Object.getPrototypeOf(storage) as object;
		for (const method of ['setAlarm', 'put', 'delete']) count(store, method, 'rows');
		count(store, 'deleteAlarm', 'deletedAlarms');
		count(store, 'deleteAll', 'erasings');
		const jobObject = Object.getPrototypeOf(object) as object;
		for (const method of Object.getOwnPropertyNames(jobObject)) {
			if (method === 'constructor' || method === 'readNews') continue;
			count(jobObject, method, method === 'webSocketClose' ? 'closings' : 'calls');
		}
	});
	await markListWrites();
	count(Object.getPrototypeOf(env.LANE_JOBS_1) as object, 'send', 'messages');
	count(Object.getPrototypeOf(env.LANE_JOBS_1) as object, 'metrics', 'metrics');
	countMessagesInBatches(Object.getPrototypeOf(env.LANE_JOBS_1) as Pick<Queue, 'sendBatch'>);
	count(worker, 'fetch', 'requests');
	count(worker, 'queue', 'batches');
});

beforeEach(() => {
	waitForLists();
	for (const field of Object.keys(counts) as (keyof typeof counts)[]) counts[field] = 0;
});

/** A day of retention and an hour of 410 have passed. */
const ERASED_AFTER_MS = 25 * 3_600_000 + 1_000;
/** A batch waits for those of its jobs that take a while. */
const BATCH_ERASED_AFTER_MS = ERASED_AFTER_MS + 15 * 60_000;
const BATCH_KEPT_MS = 15 * 86_400_000;

/** A message costs an operation to write, one to read and one to delete. */
const OPERATIONS_A_MESSAGE = 3;

describe('the ordinary job', () => {
	beforeEach(openNoLateLinks);

	it('costs at most 4 rows, 3 calls into its object and 3 queue operations', async () => {
		const { document } = await submit('labelled', {});
		await until(document, 'succeeded');
		const polls = counts.calls - 3;
		expect(polls).toBeGreaterThan(0);
		expect(counts.rows).toBe(4);
		expect(counts.messages * OPERATIONS_A_MESSAGE).toBe(3);
	});

	it('costs 3 calls when nobody polls, and one more for each poll', async () => {
		const { document } = await submit('labelled', {});
		await waitForRows(4);
		expect(counts).toMatchObject({ rows: 4, calls: 3, messages: 1 });
		expect((await call(document.links.self)).status).toBe(303);
		expect(counts.calls).toBe(4);
		expect((await call(document.links.result)).status).toBe(200);
		expect(counts.calls).toBe(5);
	});

	it('costs no row for being erased: one alarm finds its time over, and deletes everything at once', async () => {
		const { document } = await submit('labelled', {});
		await waitForRows(4);
		await evictDurableObject(objectOf(document));
		advanceClock(ERASED_AFTER_MS);
		await fireAlarm(document);
		expect(counts).toMatchObject({ rows: 4, calls: 3 + 1, messages: 1, erasings: 1 });
		expect((await call(`/v1/jobs/${document.id}`)).status).toBe(404);
		expect(counts).toMatchObject({ rows: 4, erasings: 1 });
	});

	it('costs no row for being read when its time is over and its alarm is late', async () => {
		const { document } = await submit('labelled', {});
		await waitForRows(4);
		advanceClock(ERASED_AFTER_MS);
		expect((await call(`/v1/jobs/${document.id}`)).status).toBe(404);
		expect((await call(document.links.self)).status).toBe(410);
		expect(counts).toMatchObject({ rows: 4, erasings: 0 });
		await fireAlarm(document);
		expect(counts).toMatchObject({ rows: 4, erasings: 1 });
	});

	it('costs one call more for a client that waits for its end, however long: as for one that asks once', async () => {
		const { document } = await submit('innocent', {}, { timeoutSeconds: 60 });
		const response = await call(document.links.self, { headers: { prefer: 'wait=25' } });
		expect(response.status).toBe(303);
		expect(await response.json()).toMatchObject({ status: 'succeeded', percentComplete: 100 });
		expect(counts.calls).toBe(4);
	});

	it('writes its start at once if its webhook is called then, because the delivery must not be lost', async () => {
		receiver('started.example');
		const { document } = await submit(
			'labelled',
			{},
			{ webhook: { url: 'https://started.example/', events: ['started'] } },
		);
		await until(document, 'succeeded');
		// The start, the outcome of the delivery, and the alarm that looks after it.
		await vi.waitFor(() => expect(counts.rows).toBe(4 + 3));
	});

	it('costs no row for being read', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const { rows } = counts;
		await eventsOf(document);
		await (await watch(document)).closed;
		await call(document.links.result);
		expect(counts.rows).toBe(rows);
	});

	it('has a message of less than 200 bytes', async () => {
		const sent: unknown[] = [];
		const prototype = Object.getPrototypeOf(env.LANE_JOBS_1) as { send: Queue['send'] };
		const { send } = prototype;
		prototype.send = function (this: Queue, body, options) {
			sent.push(body);
			return send.call(this, body, options);
		};
		const { document } = await submit('sleep', { seconds: 0 }, { tags: ['x'.repeat(64)] });
		await until(document, 'succeeded');
		prototype.send = send;
		expect(sent).toEqual([{ v: 1, id: document.id, epoch: 1, listed: true }]);
		expect(JSON.stringify(sent[0]).length).toBeLessThan(200);
	});
});

describe('an attempt with a link', () => {
	it('costs one row more, and a call for each opening, report and closing of the link', async () => {
		await submit('sleep', { seconds: 0, steps: 1 });
		await waitForRows(5);
		await scheduler.wait(100);
		expect(counts).toMatchObject({ rows: 5, messages: 1 });
		expect(counts.calls + counts.closings).toBeLessThanOrEqual(3 + 4);
	});

	it('costs no row for progress', async () => {
		const { document } = await submit('sleep', { seconds: 2.4, steps: 24 });
		const { events, closed } = await watch(document, 0);
		await closed;
		expect(events.filter(({ type }) => type === 'progress').length).toBeGreaterThanOrEqual(2);
		expect(counts.rows).toBe(5);
	});
});

/** No consumer sends jobs on that it could not start in time, which costs messages on a slow machine. */
function sendNothingOn(): void {
	const { setTimeout } = globalThis;
	const spy = vi
		.spyOn(globalThis, 'setTimeout')
		.mockImplementation(((act: () => void, ms?: number) =>
			ms === START_WITHIN_MS ? undefined : setTimeout(act, ms)) as typeof setTimeout);
	onTestFinished(() => spy.mockRestore());
}

describe('many jobs that come together', () => {
	beforeEach(() => {
		openNoLateLinks();
		sendNothingOn();
	});

	const MAX_OPERATIONS_A_JOB = 0.3;
	const MAX_BATCH_ROWS_A_JOB = 3.2;

	it('cost at most 0.3 queue operations each in a batch', async () => {
		const jobs = Array.from({ length: 200 }, () => ({ task: 'labelled', input: {} }));
		const response = await post('/v1/batches', { jobs });
		expect(response.status).toBe(202);
		const batch = await response.json<{ jobs: { id: string }[] }>();
		// Acceptance, start and outcome of each: to read the batch would call each job.
		await vi.waitFor(() => expect(counts.calls).toBeGreaterThanOrEqual(3 * jobs.length), { timeout: 90_000 });
		expect((counts.messages * OPERATIONS_A_MESSAGE) / jobs.length).toBeLessThanOrEqual(MAX_OPERATIONS_A_JOB);
		// Otherwise their watchdogs fire during a later test.
		for (const job of batch.jobs) await fireAlarm(job);
	});

	it('cost at most 3.2 rows each in a batch, to their erasing and that of the batch', async () => {
		const jobs = Array.from({ length: 100 }, () => ({ task: 'labelled', input: {} }));
		const batch = await (await post('/v1/batches', { jobs })).json<{ id: string; jobs: { id: string }[] }>();
		await vi.waitFor(() => expect(counts.calls).toBeGreaterThanOrEqual(3 * jobs.length), { timeout: 90_000 });
		// As after 20 s: the watchdog finds the job over, and sets no alarm.
		for (const job of batch.jobs) await fireAlarm(job);
		advanceClock(BATCH_ERASED_AFTER_MS);
		const batchObject = env.BATCHES.get(env.BATCHES.idFromString(batch.id));
		expect(await runDurableObjectAlarm(batchObject)).toBe(true);
		expect(counts.erasings).toBe(jobs.length);
		advanceClock(BATCH_KEPT_MS);
		expect(await runDurableObjectAlarm(batchObject)).toBe(true);
		expect(counts.erasings).toBe(jobs.length + 1);
		expect(counts.rows / jobs.length).toBeLessThanOrEqual(MAX_BATCH_ROWS_A_JOB);
	});

	it('cost at most 0.3 queue operations each as a burst of single submissions', async () => {
		const burst = 100;
		await acceptTogether(burst);
		const jobs = await Promise.all(Array.from({ length: burst }, () => submit('labelled', {})));
		await vi.waitFor(() => expect(counts.calls).toBeGreaterThanOrEqual(3 * burst));
		expect((counts.messages * OPERATIONS_A_MESSAGE) / jobs.length).toBeLessThanOrEqual(MAX_OPERATIONS_A_JOB);
	});
});

describe('a job of lane "now"', () => {
	beforeEach(openNoLateLinks);

	it('costs 4 rows, 3 calls and no queue operation when nobody polls', async () => {
		await submit('at-once', {});
		await waitForRows(4);
		await scheduler.wait(100);
		expect(counts).toMatchObject({ rows: 4, calls: 3, messages: 0, metrics: 0 });
	});

	it('costs one call more for a client that waits for its outcome', async () => {
		const response = await post('/v1/tasks/at-once/jobs', { ms: 50 }, { prefer: 'wait=25' });
		expect(await response.json()).toEqual({ attempt: 1 });
		expect(counts).toMatchObject({ rows: 4, calls: 3 + 1, messages: 0, metrics: 0 });
	});
});

describe('a million jobs that are polled twice, their erasing included,', () => {
	beforeEach(openNoLateLinks);

	/** CPU is not counted. This is more than `npm run bench:cost` measures for a job, objects and storage included. */
	const CPU_MS = 20;

	/** The price of a million jobs that cost as much as those of this test. */
	function dollars(jobs: number): number {
		const { rows, calls, messages, requests, batches } = counts;
		const total = {
			rowsWritten: rows,
			objectCalls: calls,
			queueOperations: messages * OPERATIONS_A_MESSAGE,
			workerRequests: requests + batches,
		};
		const each = Object.entries(total).map(([name, value]) => [name, value / jobs]);
		return dollarsAMillion(billedUsage(Object.fromEntries(each), { cpuMs: CPU_MS }));
	}

	async function poll(documents: readonly StatusDocument[]): Promise<void> {
		for (const { links } of documents) await call(links.self);
	}

	async function eraseLater(documents: readonly StatusDocument[]): Promise<void> {
		advanceClock(ERASED_AFTER_MS);
		for (const document of documents) await fireAlarm(document);
		expect(counts.erasings).toBe(documents.length);
	}

	it('cost at most $8.00 one at a time', async () => {
		const { document } = await submit('labelled', {}, { onComplete: 'inline' });
		await poll([document]);
		await waitForRows(4);
		await poll([document]);
		await eraseLater([document]);
		expect(counts).toMatchObject({ rows: 4, calls: 6, messages: 1, requests: 3, batches: 1 });
		expect(dollars(1)).toBeLessThanOrEqual(8);
	});

	it('cost at most $6.90 where a hundred come in a second', async () => {
		const burst = 100;
		sendNothingOn();
		await acceptTogether(burst);
		const submitted = await Promise.all(
			Array.from({ length: burst }, () => submit('labelled', {}, { onComplete: 'inline' })),
		);
		const documents = submitted.map(({ document }) => document);
		await poll(documents);
		await vi.waitFor(() => expect(counts.calls).toBeGreaterThanOrEqual((3 + 1) * burst));
		await poll(documents);
		await eraseLater(documents);
		expect(counts).toMatchObject({ calls: 6 * burst, requests: 3 * burst });
		expect(dollars(burst)).toBeLessThanOrEqual(6.9);
	});

	it('cost at most $6.60 on lane "now"', async () => {
		const { document } = await submit('at-once', {}, { onComplete: 'inline' });
		await poll([document]);
		await waitForRows(4);
		await poll([document]);
		await eraseLater([document]);
		expect(counts).toMatchObject({ rows: 4, calls: 6, messages: 0, requests: 3, batches: 0 });
		expect(dollars(1)).toBeLessThanOrEqual(6.6);
	});
});

describe('a retried job', () => {
	beforeEach(openNoLateLinks);

	it('costs two rows more for each attempt, and no second message', async () => {
		const { document } = await submit('sleep', { seconds: 0, failAttempts: 1 });
		await until(document, 'succeeded');
		expect(counts.rows).toBeLessThanOrEqual(7);
		expect(counts.messages).toBe(1);
	});
});

describe('a job that nobody starts', () => {
	it('costs one row, one message and no question to a queue at each look of its watchdog, also when its object has forgotten', async () => {
		const lost = dropMessages();
		const { document } = await submit('sleep', { seconds: 0 });
		await vi.waitFor(() => expect(lost()).toBe(1));
		for (const [looks, waitMs] of [20_000, 40_000, 80_000, 160_000].entries()) {
			await statusOf(document);
			await evictDurableObject(objectOf(document));
			advanceClock(waitMs);
			counts.rows = 0;
			await fireAlarm(document);
			// The test fires the alarm, and so deletes it first.
			expect(counts).toMatchObject({ rows: 1, metrics: 0, deletedAlarms: looks + 1 });
			expect(lost()).toBe(looks + 2);
		}
		// Another check before the next one is due sends no message.
		await fireAlarm(document);
		expect(lost()).toBe(5);
	});
});

/** Waits until the job's last row is written, without reading the job, because each read is a call. */
async function waitForRows(rows: number): Promise<void> {
	const deadline = Date.now() + 30_000;
	while (counts.rows < rows && Date.now() < deadline) await scheduler.wait(10);
}
