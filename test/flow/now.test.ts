/** The lane `now`: the Worker that accepted a job makes its first attempt at once. */
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JobMessage } from '../../src/core/job/message.ts';
import { NOW_ATTEMPTS_AT_ONCE } from '../../src/queue/run-now.ts';
import { eventsOf, finalsOf, post, submit, until } from './client.ts';
import { holdCompletions, keepObjectsAway } from './faults.ts';

const PATH = '/v1/tasks/at-once/jobs';

interface SentMessage {
	readonly body: JobMessage;
	readonly delaySeconds: number;
}

/** Messages still arrive. @returns those sent so far, by any queue. */
function watchMessages(): SentMessage[] {
	const sent: SentMessage[] = [];
	const prototype = Object.getPrototypeOf(env.LANE_JOBS_1) as Queue<JobMessage>;
	const { send, sendBatch } = prototype;
	const spies = [
		vi.spyOn(prototype, 'send').mockImplementation(function (this: Queue<JobMessage>, body, options) {
			sent.push({ body, delaySeconds: options?.delaySeconds ?? 0 });
			return send.call(this, body, options);
		}),
		vi.spyOn(prototype, 'sendBatch').mockImplementation(function (this: Queue<JobMessage>, messages, options) {
			const all = [...messages];
			for (const { body, delaySeconds = 0 } of all) sent.push({ body, delaySeconds });
			return sendBatch.call(this, all, options);
		}),
	];
	onTestFinished(() => {
		for (const spy of spies) spy.mockRestore();
	});
	return sent;
}

describe('a job of lane "now"', () => {
	it('ends without a message', async () => {
		const sent = watchMessages();
		const { document } = await submit('at-once', {});
		expect(document.status).toBe('pending');
		expect((await until(document, 'succeeded')).attempt).toBe(1);
		expect((await eventsOf(document, 0)).map(({ type }) => type)).toEqual(['accepted', 'started', 'succeeded']);
		expect(sent).toEqual([]);
	});

	it('is answered with its outcome if the client waits', async () => {
		const sent = watchMessages();
		const response = await post(PATH, { ms: 50 }, { prefer: 'wait=25' });
		expect(response.status).toBe(200);
		expect(response.headers.get('preference-applied')).toBe('wait=25');
		expect(await response.json()).toEqual({ attempt: 1 });
		expect(sent).toEqual([]);
	});

	it('is answered 202 if it lasts longer than the client waits, and ends all the same', async () => {
		const release = holdCompletions();
		const response = await post(PATH, {}, { prefer: 'wait=1' });
		expect(response.status).toBe(202);
		release();
		expect(await until(await response.json(), 'succeeded')).toMatchObject({ attempt: 1 });
	});

	it('is retried by the queue after a failed attempt, after the wait that the job chose', async () => {
		const sent = watchMessages();
		const { document } = await submit('at-once', { fails: 1 });
		expect((await until(document, 'succeeded')).attempt).toBe(2);
		expect(sent.map(({ body }) => body)).toEqual([{ v: 1, id: document.id, epoch: 1 }]);
	});

	it('is answered with the outcome of its second attempt, too, if the client waits', async () => {
		const response = await post(PATH, { fails: 1 }, { prefer: 'wait=25' });
		expect(response.status).toBe(200);
		expect(await response.json()).toEqual({ attempt: 2 });
	});

	it('goes to the queue if its object is away when it starts', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const sent = watchMessages();
		keepObjectsAway({ methods: ['startAttempt'], awayMs: 700 });
		const { document } = await submit('at-once', {});
		expect((await until(document, 'succeeded')).attempt).toBe(1);
		expect(sent.map(({ body }) => body.id)).toEqual([document.id]);
		log.mockRestore();
	});

	it('goes to the queue if it is to start later', async () => {
		const sent = watchMessages();
		const { document } = await submit('at-once', {}, { delaySeconds: 1 });
		await until(document, 'succeeded');
		expect(sent).toMatchObject([{ body: { v: 1, id: document.id, epoch: 1 }, delaySeconds: 1 }]);
	});

	it('goes to the queue if its client gives it more time than an invocation has', async () => {
		const sent = watchMessages();
		const { document } = await submit('at-once', {}, { timeoutSeconds: 21 });
		await until(document, 'succeeded');
		expect(sent).toHaveLength(1);
	});

	it('goes to the queue if a client retries it', async () => {
		const { document } = await submit('at-once', { fails: 1 }, { maxAttempts: 1 });
		await until(document, 'failed');
		const sent = watchMessages();
		expect((await post(`/v1/jobs/${document.id}/retry`, undefined)).status).toBe(202);
		await until(document, 'failed');
		expect(sent.map(({ body }) => body)).toMatchObject([{ v: 1, id: document.id, epoch: 2 }]);
	});

	it('goes to the queue as part of a batch', async () => {
		const sent = watchMessages();
		const jobs = Array.from({ length: 3 }, () => ({ task: 'at-once', input: {} }));
		const response = await post('/v1/batches', { jobs });
		expect(response.status).toBe(202);
		await vi.waitFor(() => expect(sent).toHaveLength(3));
	});

	it('runs once if its submission is repeated', async () => {
		const sent = watchMessages();
		const key = { 'idempotency-key': crypto.randomUUID() };
		const answers = await Promise.all([post(PATH, { ms: 100 }, key), post(PATH, { ms: 100 }, key)]);
		const [first, second] = await Promise.all(answers.map((answer) => answer.json<{ id: string }>()));
		expect(second?.id).toBe(first?.id);
		const document = await until(first as never, 'succeeded');
		expect(document.attempt).toBe(1);
		const events = await eventsOf(document, 0);
		expect(events.map(({ type }) => type)).toEqual(['accepted', 'started', 'succeeded']);
		expect(finalsOf(events)).toHaveLength(1);
		expect(sent).toEqual([]);
	});
});

/** As many jobs as there are places. Each answer comes when its place is free again, which is a moment after the job's end. */
async function fillPlaces(): Promise<void> {
	const wait = { prefer: 'wait=25' };
	const answers = await Promise.all(Array.from({ length: NOW_ATTEMPTS_AT_ONCE }, () => post(PATH, {}, wait)));
	expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
}

describe('a burst of jobs of lane "now"', () => {
	const BURST = 60;

	/** The jobs of the test before have ended, but their attempts may hold their places for some milliseconds more. */
	const untilPlacesAreFree = (sent: SentMessage[]) =>
		vi.waitFor(async () => {
			sent.length = 0;
			await fillPlaces();
			expect(sent).toEqual([]);
		});

	it(`runs at once in ${NOW_ATTEMPTS_AT_ONCE} attempts, and sends the messages of the others`, async () => {
		const sent = watchMessages();
		await untilPlacesAreFree(sent);
		// No place is free again before all jobs have come.
		const release = holdCompletions();
		const burst = await Promise.all(Array.from({ length: BURST }, () => submit('at-once', {})));
		await vi.waitFor(() => expect(sent).toHaveLength(BURST - NOW_ATTEMPTS_AT_ONCE));
		release();
		for (const { document } of burst) expect((await until(document, 'succeeded')).attempt).toBe(1);
		expect(sent).toHaveLength(BURST - NOW_ATTEMPTS_AT_ONCE);
	});

	it('needs no queue when its places are free again', async () => {
		const sent = watchMessages();
		await untilPlacesAreFree(sent);
		for (let round = 0; round < 2; round++) await fillPlaces();
		expect(sent).toEqual([]);
	});
});
