import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobObject } from '../../src/object/job-object.ts';
import { objectOf, submit } from './client.ts';
import { dropMessages } from './faults.ts';

const FENCE = { epoch: 1, attempt: 1 } as const;
const REPLY = { status: 204, headers: [] };
const FAILURE = { error: { code: 'Failed', message: 'so', retryable: true }, status: 500 };
const FOLLOWING = {
	operation: { url: 'https://service.example/operations/1', kind: 'location' },
	answers: 0,
	failures: 0,
} as const;

/** A job that no consumer starts, and the creation time that its links are signed for. */
async function waitingJob() {
	dropMessages();
	const { document } = await submit('sleep', { seconds: 0 });
	return { job: objectOf(document), createdAt: Date.parse(document.createdAt) };
}

describe('a Worker of version 0.1.0 calls a job’s object of this version', () => {
	let job: DurableObjectStub<JobObject>;
	let createdAt: number;
	beforeEach(async () => {
		({ job, createdAt } = await waitingJob());
	});

	it('it reads: the tenant or the bearer of a token, with and without the outcome', async () => {
		expect(await job.read('default')).toMatchObject({ found: 'job', view: { epoch: 1 } });
		expect(await job.read(undefined, false, createdAt)).toMatchObject({ found: 'job' });
		for (const found of [await job.read('other'), await job.read(undefined), await job.read('default', true, 1)])
			expect(found).toEqual({ found: 'nothing', knowsTokens: true });
		await job.start(1);
		await job.complete(FENCE, REPLY);
		expect(await job.read('default')).not.toHaveProperty('outcome');
		expect(await job.read('default', true)).toMatchObject({ outcome: { kind: 'reply', reply: REPLY } });
	});

	it('it reads the events after a cursor', async () => {
		await job.start(1);
		expect(await job.events('default', 1)).toMatchObject({ events: [{ seq: 2, type: 'started' }] });
		expect(await job.events(undefined, 0, createdAt)).toMatchObject({ events: [{ seq: 1 }, { seq: 2 }] });
		expect(await job.events('other', 0)).toMatchObject({ found: 'nothing' });
	});

	it('it cancels, retries with a reservation and purges', async () => {
		expect(await job.cancel('other')).toMatchObject({ found: 'nothing' });
		expect(await job.cancel(undefined, createdAt)).toMatchObject({ view: { facts: { status: 'canceled' } } });
		expect(await job.retry('default', { reservation: 'r', acceptBy: 0 })).toMatchObject({ refusal: 'late' });
		expect(await job.retry('default')).toMatchObject({ view: { epoch: 2 } });
		await job.cancel('default');
		expect(await job.purge('default', createdAt)).toMatchObject({ found: 'tombstone', reason: 'purged' });
	});

	it('it starts an attempt, which belongs to one delivery of a message', async () => {
		expect(await job.start(1, true, 'one')).toMatchObject({ started: true, lease: { fence: FENCE } });
		expect(await job.start(1, true, 'one')).toMatchObject({ started: true, lease: { fence: FENCE } });
		expect(await job.start(1, true, 'another')).toMatchObject({ started: false, refusal: 'leased' });
	});

	it('it defers an attempt', async () => {
		expect(await job.defer(1, 5_000, 'full')).toMatchObject({ retryInMs: expect.any(Number) });
		expect(await job.read('default')).toMatchObject({ view: { facts: { phase: 'waiting' } } });
	});

	it('it reports progress, of its own and of an external worker', async () => {
		await job.start(1);
		await job.progress(FENCE, { percentComplete: 10 });
		await job.progress(FENCE, { percentComplete: 20 }, true);
		expect(await job.read('default')).toMatchObject({ view: { facts: { percentComplete: 20 } } });
		const stored = await runInDurableObject(job, (_, { storage }) => storage.kv.get('job'));
		expect(stored).toMatchObject({ progress: { percentComplete: 20 }, state: { isHeard: true } });
	});

	it('it hands an attempt to an external worker', async () => {
		await job.start(1);
		expect(await job.wait(FENCE, { timeoutSeconds: 600 }, { message: 'elsewhere' })).toEqual({
			news: expect.anything(),
		});
		const facts = { phase: 'waiting', progress: { message: 'elsewhere' } };
		expect(await job.read('default')).toMatchObject({ view: { facts } });
	});

	it('it follows an operation, asks for the lease of a poll, and reports that the operation continues', async () => {
		await job.start(1);
		const terms = { following: FOLLOWING, waitMs: 1_000, timeoutSeconds: 600 } as never;
		expect(await job.follow(FENCE, terms)).toMatchObject({ next: { ask: { attempt: 1, asks: 0 } } });
		expect(await job.ask(1, 1, 0, 'one')).toMatchObject({ asking: true, following: FOLLOWING });
		expect(await job.ask(1, 1, 0, 'another')).toMatchObject({ asking: false, refusal: 'leased' });
		const next = await job.asked(FENCE, 0, { following: FOLLOWING, waitMs: 2_000 } as never, { percentComplete: 50 });
		expect(next).toMatchObject({ retryInMs: 2_000, next: { ask: { asks: 1 } } });
		expect(await job.read('default')).toMatchObject({ view: { facts: { percentComplete: 50 } } });
	});

	it('it completes an attempt, with its last progress', async () => {
		await job.start(1);
		expect(await job.complete({ ...FENCE, attempt: 2 }, REPLY)).toEqual({ refusal: 'stale' });
		expect(await job.complete(FENCE, REPLY, { message: 'done' })).toEqual({ news: expect.anything() });
		const facts = { status: 'succeeded', progress: { message: 'done' } };
		expect(await job.read('default')).toMatchObject({ view: { facts } });
	});

	it('it fails an attempt, whose retry waits as long as the task asked for', async () => {
		await job.start(1);
		const { retryInMs } = await job.fail(FENCE, FAILURE, 100);
		expect(retryInMs).toBeGreaterThan(90_000);
	});

	it('it fails an attempt of an external worker, for which no message is under way', async () => {
		await job.start(1);
		await job.fail(FENCE, FAILURE, 0, true);
		const stored = await runInDurableObject(job, (_, { storage }) => storage.kv.get<{ state: object }>('job'));
		expect(stored?.state).not.toHaveProperty('sentAt');
	});
});

describe('a Worker of version 0.1.0 calls another object of this version', () => {
	it('a batch: it compares the key, reads the list and notes the statuses', async () => {
		const batch = env.BATCHES.get(env.BATCHES.newUniqueId());
		const id = env.JOBS.newUniqueId().toString();
		const keptUntil = Date.now() + 60_000;
		const jobs = [{ id, found: 'pending', isNew: false } as const];
		await batch.add({ tenant: 'acme', fingerprint: 'f', keptUntil, jobs });
		expect([await batch.isFor('acme', 'f'), await batch.isFor('acme', 'g')]).toEqual([true, false]);
		expect(await batch.look('other')).toMatchObject({ found: 'nothing' });
		const look = await batch.look('acme');
		expect(look).toMatchObject({ view: { total: 1 } });
		const { view } = look as Extract<typeof look, { view: unknown }>;
		expect(await batch.look(undefined, view.createdAt)).toMatchObject({ view: { total: 1 } });
		expect(await batch.note([[0, 'succeeded']], Date.now(), 1)).toMatchObject({ view: { counts: { succeeded: 1 } } });
	});

	it('a gate: it leaves, and its slot is free again', async () => {
		const gate = env.GATES.getByName(crypto.randomUUID());
		const enter = (pass: string) => gate.enter({ job: pass, name: 'g', pass, leaseMs: 60_000, concurrency: 1 });
		expect([(await enter('one')).admitted, (await enter('two')).admitted]).toEqual([true, false]);
		expect(await gate.leave('one', { isWell: true }, false, 'job')).toEqual({ isCalm: true });
		expect((await enter('two')).admitted).toBe(true);
	});
});
