import {
	createExecutionContext,
	createMessageBatch,
	evictDurableObject,
	getQueueResult,
	runInDurableObject,
} from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Jobs } from '../../src/rpc/jobs.ts';
import worker from '../worker.ts';
import { call, eventsOf, finalsOf, objectOf, statusOf, submit, until, watch } from './client.ts';
import { advanceClock, dropMessages, duplicateMessages, failSends, fireAlarm } from './faults.ts';

describe('the watchdog', () => {
	it('sends again what the queue lost', async () => {
		const lost = dropMessages();
		const { document } = await submit('sleep', { seconds: 0 });
		await vi.waitFor(() => expect(lost(document)).toBe(1));
		vi.restoreAllMocks();
		expect(await statusOf(document)).toMatchObject({ status: 'pending' });
		advanceClock(20_000);
		expect(await fireAlarm(document)).toBe(true);
		expect(await until(document, 'succeeded')).toMatchObject({ attempt: 1 });
	});

	it('sends what could not be sent, and the 202 did not wait for it', async () => {
		failSends();
		const { document } = await submit('sleep', { seconds: 0 });
		vi.restoreAllMocks();
		advanceClock(20_000);
		await fireAlarm(document);
		await until(document, 'succeeded');
	});

	it('does nothing for a job that was started in time', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const { seq } = await until(document, 'succeeded');
		const lost = dropMessages();
		await fireAlarm(document);
		expect(lost(document)).toBe(0);
		expect(await statusOf(document)).toMatchObject({ seq });
	});

	it('starts another attempt when one is lost, and gives the lost one back', async () => {
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 }, { maxAttempts: 1, timeoutSeconds: 5 });
		expect(await objectOf(document).startAttempt({ epoch: 1 })).toMatchObject({ started: true });
		vi.restoreAllMocks();
		advanceClock(25_000);
		expect(await statusOf(document)).toMatchObject({ status: 'running', phase: 'retrying', maxAttempts: 2 });
		advanceClock(2_000);
		await fireAlarm(document);
		const done = await until(document, 'succeeded');
		expect(done).toMatchObject({ attempt: 2, maxAttempts: 2 });
	});

	it('gives a job up after a bounded number of messages, and not before days have passed', async () => {
		const lost = dropMessages();
		const { document } = await submit('sleep', { seconds: 0 });
		const start = Date.now();
		let alarms = 0;
		while ((await statusOf(document)).status === 'pending' && alarms < 100) {
			advanceClock(4 * 3_600_000);
			await fireAlarm(document);
			alarms++;
		}
		expect(lost(document)).toBeLessThanOrEqual(30);
		expect((Date.now() - start) / 86_400_000).toBeGreaterThan(4);
		expect(await statusOf(document)).toMatchObject({
			status: 'failed',
			phase: 'dead-lettered',
			error: { code: 'DeliveryFailed' },
		});
	});
});

describe('delivery', () => {
	it('twice starts one attempt', async () => {
		duplicateMessages();
		const { document } = await submit('sleep', { seconds: 0.2 });
		await until(document, 'succeeded');
		const types = (await eventsOf(document)).map(({ type }) => type);
		expect(types.filter((type) => type === 'started')).toHaveLength(1);
		expect(finalsOf(await eventsOf(document))).toEqual(['succeeded']);
	});

	it('of a message whose job is to be tried again is repeated at once, also beside a neighbour that works on', async () => {
		const lost = dropMessages();
		const slow = await submit('patient', {});
		const quick = await submit('sleep', { seconds: 0, failAttempts: 1 });
		for (const { document } of [slow, quick]) await vi.waitFor(() => expect(lost(document)).toBe(1));
		vi.restoreAllMocks();
		const messages = [slow, quick].map(({ document: { id } }) => ({
			id,
			timestamp: new Date(),
			attempts: 1,
			body: { v: 1, id, epoch: 1 },
		}));
		const over = worker.queue(createMessageBatch('coatcheck-jobs', messages), env);
		expect(await until(quick.document, 'succeeded')).toMatchObject({ attempt: 2 });
		expect(await statusOf(slow.document)).toMatchObject({ status: 'running', attempt: 1 });
		await call(slow.document.links.self, { method: 'DELETE' });
		await over;
	});

	it('that never hears that its job was started gets the same attempt when it asks again', async () => {
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 });
		vi.restoreAllMocks();
		const original = Jobs.prototype.callOnce;
		let calls = 0;
		const spy = vi.spyOn(Jobs.prototype, 'callOnce').mockImplementation(async function (this: Jobs, id, ask) {
			const answer = await original.call(this, id, ask);
			if (id !== document.id || ++calls > 1) return answer as never;
			throw Object.assign(new Error('The object was reset'), { retryable: true });
		});
		onTestFinished(() => spy.mockRestore());
		expect(await deliver('coatcheck-jobs', { v: 1, id: document.id, epoch: 1 })).toMatchObject({ explicitAcks: ['m'] });
		expect(await statusOf(document)).toMatchObject({ status: 'succeeded', attempt: 1 });
		expect((await eventsOf(document)).map(({ type }) => type)).toEqual(['accepted', 'started', 'succeeded']);
	});

	it('of a message before its time puts it off', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 50 });
		expect(await deliver('coatcheck-long', { v: 1, id: document.id, epoch: 1 })).toMatchObject({
			explicitAcks: [],
			retryMessages: [{ msgId: 'm' }],
		});
		await call(document.links.self, { method: 'DELETE' });
	});

	it.each([
		['for a job that is over', async () => (await finished()).id, 1],
		['of an earlier epoch', async () => (await waiting()).id, 7],
		['for a job that never was', async () => env.JOBS.newUniqueId().toString(), 1],
	])('%s is settled and forgotten', async (_, idOf, epoch) => {
		expect(await deliver('coatcheck-long', { v: 1, id: await idOf(), epoch })).toMatchObject({ explicitAcks: ['m'] });
	});

	it('of something that is none of our messages is settled and forgotten', async () => {
		const error = vi.spyOn(console, 'error').mockImplementation(() => {});
		expect(await deliver('coatcheck-long', { hello: 'world' })).toMatchObject({ explicitAcks: ['m'] });
		const lines = error.mock.calls.filter(([line]) => String(line).includes('unknown format'));
		expect(lines).toHaveLength(1);
		error.mockRestore();
	});

	it('that fails around the job comes back, and the job loses nothing', async () => {
		const error = vi.spyOn(console, 'error').mockImplementation(() => {});
		expect(await deliver('coatcheck-long', { v: 1, id: 'f'.repeat(64), epoch: 1 })).toMatchObject({
			explicitAcks: [],
			retryMessages: [{ msgId: 'm' }],
		});
		error.mockRestore();
	});

	it('to a Worker that is not configured is put off, and uses up nothing', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 600 });
		const result = await deliver('coatcheck-long', { v: 1, id: document.id, epoch: 1 }, { PUBLIC_URL: 'nowhere' });
		expect(result).toMatchObject({ outcome: 'ok', explicitAcks: [], retryMessages: [{ msgId: 'm' }] });
		log.mockRestore();
	});

	it.each([
		'coatcheck-long',
		'coatcheck-dead-letters',
	])('by %s to a Worker that does not reach its objects is put off, and says why', async (queue) => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		// The objects have no bindings, and the queue's context was not passed on.
		const result = await deliver(queue, { v: 1, id: 'f'.repeat(64), epoch: 1 }, { JOBS: undefined });
		expect(result).toMatchObject({ outcome: 'ok', explicitAcks: [], retryMessages: [{ msgId: 'm' }] });
		expect(JSON.stringify(log.mock.calls)).toContain('Expected the class JobObject');
		log.mockRestore();
	});

	it.each(['my-queue', 'coatcheck-nojobs'])('by the unknown queue %s is logged and handed back', async (queue) => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 600 });
		const result = await deliver(queue, { v: 1, id: document.id, epoch: 1 });
		expect(result).toMatchObject({ explicitAcks: [], retryMessages: [{ msgId: 'm' }] });
		expect(JSON.stringify(log.mock.calls)).toContain(queue);
		log.mockRestore();
	});

	it.each([
		'coatcheck-dead-letters',
		'staging-coatcheck-dead-letters',
	])('given up by the queue, to %s, fails the job, visibly and retryable', async (queue) => {
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 });
		vi.restoreAllMocks();
		expect(await deliver(queue, { v: 1, id: document.id, epoch: 1 })).toMatchObject({
			explicitAcks: ['m'],
		});
		expect(await statusOf(document)).toMatchObject({
			status: 'failed',
			phase: 'dead-lettered',
			error: { code: 'DeliveryFailed', retryable: true },
		});
		expect((await call(`/v1/jobs/${document.id}/retry`, { method: 'POST' })).status).toBe(202);
		await until(document, 'succeeded');
	});
});

describe('Retry-After', () => {
	it('of a short job is short, whatever waits, works or is delayed in its queue', async () => {
		// The waits of other jobs are no longer news.
		advanceClock(31_000);
		const prototype = Object.getPrototypeOf(env.LANE_JOBS_1) as Queue;
		const oldestMessageTimestamp = new Date(Date.now() - 300_000);
		const metrics = { backlogCount: 40, backlogBytes: 4_000, oldestMessageTimestamp };
		const send = vi.spyOn(prototype, 'send').mockResolvedValue({ metadata: { metrics } });
		onTestFinished(() => send.mockRestore());
		const first = await submit('context', {});
		await vi.waitFor(() => expect(JSON.stringify(send.mock.calls)).toContain(first.document.id));
		const { response } = await submit('context', {});
		expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(2);
		expect(Number((await call(first.document.links.self)).headers.get('retry-after'))).toBeLessThanOrEqual(3);
	});
});

describe('a job that lost an attempt', () => {
	it('has a consumer to itself from then on, also when it is run again', async () => {
		const { document, sends } = await withLostAttempt();
		expect(sends('LANE_ALONE_1') + sends('LANE_ALONE_2')).toBe(1);
		expect(sends('LANE_LONG_1')).toBe(0);
		await call(document.links.self, { method: 'DELETE' });
		expect((await call(`/v1/jobs/${document.id}/retry`, { method: 'POST' })).status).toBe(202);
		await vi.waitFor(() => expect(sends('LANE_ALONE_1') + sends('LANE_ALONE_2')).toBe(2));
	});

	it('is not started among others: its own message is on the way', async () => {
		const { document } = await withLostAttempt();
		const message = { v: 1, id: document.id, epoch: 1 };
		expect(await deliver('coatcheck-long', message, {}, 2)).toMatchObject({ explicitAcks: ['m', 'm2'] });
		expect(await statusOf(document)).toMatchObject({ phase: 'retrying', attempt: 1 });
		expect(await deliver('staging-coatcheck-alone', message)).toMatchObject({ explicitAcks: ['m'] });
		expect(await statusOf(document)).toMatchObject({ status: 'succeeded', attempt: 2, maxAttempts: 5 });
	});
});

describe('an attempt that lost its job', () => {
	it('changes nothing any more', async () => {
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 }, { timeoutSeconds: 1 });
		const job = objectOf(document);
		await job.startAttempt({ epoch: 1 });
		advanceClock(30_000);
		await statusOf(document);
		const second = await job.startAttempt({ epoch: 1 });
		expect(second).toMatchObject({ started: true, lease: { fence: { epoch: 1, attempt: 2 } } });
		const reply = { status: 200, headers: [] };
		const stale = { epoch: 1, attempt: 1 };
		expect(await job.complete(stale, reply)).toEqual({ refusal: 'stale' });
		expect(await job.progress(stale, { percentComplete: 99 })).toEqual({ refusal: 'stale' });
		expect(await job.writeChunk({ upload: 'x', index: 0 }, new Uint8Array(1), stale)).toEqual({ refusal: 'stale' });
		expect(await statusOf(document)).toMatchObject({ status: 'running', attempt: 2 });
		expect(await job.complete({ epoch: 1, attempt: 2 }, reply)).toEqual({ news: expect.anything() });
		expect(await job.complete({ epoch: 1, attempt: 2 }, reply)).toMatchObject({ refusal: 'settled' });
		expect(finalsOf(await eventsOf(document))).toEqual(['succeeded']);
	});
});

describe('an object that was put out of memory', () => {
	it('knows everything that mattered', async () => {
		const { document } = await submit('sleep', { seconds: 2, steps: 2 });
		await until(document, 'running');
		await evictDurableObject(objectOf(document));
		const done = await until(document, 'succeeded');
		expect(done.attempt).toBe(1);
		await evictDurableObject(objectOf(document));
		expect(await statusOf(document)).toEqual(done);
		expect(await (await call(document.links.result)).json()).toEqual({ sleptSeconds: 2, attempt: 1 });
	});
});

describe('retention', () => {
	it('that is over before anybody looked again leaves no reader without the end', async () => {
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 }, { startWithinSeconds: 60, retainSeconds: 60 });
		const { events, closed } = await watch(document);
		advanceClock(200_000);
		await fireAlarm(document);
		expect((await closed).code).toBe(1000);
		expect(events.map(({ type }) => type)).toEqual(['snapshot', 'failed']);
	});

	it('ends in a tombstone that answers 410, and then in nothing', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { retainSeconds: 60 });
		await until(document, 'succeeded');
		advanceClock(61_000);
		for (const url of [document.links.self, document.links.operation, document.links.result]) {
			const response = await call(url);
			expect(response.status).toBe(410);
			expect(await response.json()).toMatchObject({ code: 'JobExpired' });
		}
		advanceClock(3_600_000);
		await fireAlarm(document);
		expect((await call(`/v1/jobs/${document.id}`)).status).toBe(404);
		expect(await storedKeys(document)).toEqual([]);
	});

	it('of an idempotency key ends with its job: the key may be used again', async () => {
		const key = crypto.randomUUID();
		const first = await submit('sleep', { seconds: 0 }, { idempotencyKey: key, retainSeconds: 60 });
		await until(first.document, 'succeeded');
		advanceClock(61_000);
		const second = await submit('sleep', { seconds: 0.01 }, { idempotencyKey: key, retainSeconds: 60 });
		expect(second.document.id).toBe(first.document.id);
		expect(second.response.headers.get('idempotent-replayed')).toBeNull();
		expect(await until(second.document, 'succeeded')).toMatchObject({ attempt: 1 });
		expect(second.document.seq).toBeGreaterThan(3);
	});
});

/** A job whose first consumer died, and whose next message was lost as well. */
async function withLostAttempt() {
	const sent: unknown[] = [];
	const prototype = Object.getPrototypeOf(env.LANE_JOBS_1) as Queue;
	const spy = vi.spyOn(prototype, 'send').mockImplementation(async function (this: Queue) {
		sent.push(this);
		return {} as QueueSendResponse;
	});
	onTestFinished(() => spy.mockRestore());
	const { document } = await submit('sleep', { seconds: 0 }, { timeoutSeconds: 1 });
	await objectOf(document).startAttempt({ epoch: 1 });
	sent.length = 0;
	advanceClock(25_000);
	await fireAlarm(document);
	advanceClock(2_000);
	await fireAlarm(document);
	return { document, sends: (binding: keyof Env) => sent.filter((queue) => queue === env[binding]).length };
}

async function finished() {
	const { document } = await submit('sleep', { seconds: 0 });
	return until(document, 'succeeded');
}

async function waiting() {
	const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 600 });
	return document;
}

/** Delivers one message to the Worker's queue handler, or the same one several times in a batch, as the platform does. */
async function deliver(queue: string, body: unknown, variables: Record<string, string | undefined> = {}, copies = 1) {
	const ids = Array.from({ length: copies }, (_, copy) => (copy === 0 ? 'm' : `m${copy + 1}`));
	const batch = createMessageBatch(
		queue,
		ids.map((id) => ({ id, timestamp: new Date(), attempts: 1, body })),
	);
	const ctx = createExecutionContext();
	await worker.queue(batch, { ...env, ...variables });
	return getQueueResult(batch, ctx);
}

async function storedKeys(job: { id: string }): Promise<string[]> {
	return runInDurableObject(objectOf(job), (_, state) => [...state.storage.kv.list()].map(([key]) => key));
}
