import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { JobMessage } from '../../src/core/job/message.ts';
import { type Answer, type Received, receiver } from '../webhook/receiver.ts';
import worker from '../worker.ts';
import { call, objectOf, statusOf, until } from './client.ts';
import { advanceClock, fireAlarm, keepObjectsAway } from './faults.ts';
import { list, markListWrites } from './list-apart.ts';

/** The upstream's wait, longer than a consumer polls by itself. */
const LATER = { 'operation-location': '/operations/1', 'retry-after': '30' };
/** The watchdog has checked the message of the poll by then. */
const LOST_MS = 52_000;

const goesOn = (retryAfter: string) => Response.json({ status: 'Running' }, { headers: { 'retry-after': retryAfter } });
const done = () => Response.json({ status: 'Succeeded', answer: 42 });

/** An upstream whose POST starts an operation; `answer` responds to the polls of it. */
function upstream(started: Record<string, string>, answer: Answer): Received[] {
	const received: Received[] = receiver('lasting.example', (visit) =>
		received.at(-1)?.method === 'GET' ? answer(visit - 1) : new Response(null, { status: 202, headers: started }),
	);
	return received;
}

/** A job that is canceled with its test: else it would poll the upstream of the next one. */
async function submit(): Promise<StatusDocument> {
	const response = await call('/v1/upstreams/lasting/x', { method: 'POST', body: '{}' });
	expect(response.status).toBe(202);
	const job = await response.json<StatusDocument>();
	onTestFinished(async () => {
		await call(`/v1/jobs/${job.id}`, { method: 'DELETE' });
	});
	return job;
}

/** Withholds the messages that trigger polls of operations. */
function keepQuestions(): { body: JobMessage; delaySeconds: number }[] {
	const prototype = Object.getPrototypeOf(env.LANE_JOBS_1) as Queue;
	const original = prototype.send;
	const kept: { body: JobMessage; delaySeconds: number }[] = [];
	const spy = vi.spyOn(prototype, 'send').mockImplementation(function (this: Queue, body, options) {
		if (!(body as JobMessage).ask) return original.call(this, body, options);
		kept.push({ body: body as JobMessage, delaySeconds: options?.delaySeconds ?? 0 });
		return Promise.resolve({}) as never;
	});
	onTestFinished(() => spy.mockRestore());
	return kept;
}

/** Delivers a batch with one message to a consumer. @returns the outcome of the message. */
async function deliver(body: unknown): Promise<'acked' | 'handed back' | undefined> {
	let verdict: 'acked' | 'handed back' | undefined;
	const message = {
		id: '1',
		timestamp: new Date(),
		attempts: 1,
		body,
		ack: () => {
			verdict ??= 'acked';
		},
		retry: () => {
			verdict ??= 'handed back';
		},
	};
	await worker.queue({ queue: 'coatcheck-jobs', messages: [message] } as unknown as MessageBatch, env as never);
	return verdict;
}

const methodsOf = (received: readonly Received[]) => received.map(({ method }) => method).join(' ');

describe('an operation that an upstream works on', () => {
	it('is asked about once a second where the upstream names a wait of zero', async () => {
		const soon = { ...LATER, 'retry-after': '0' };
		const times: number[] = [];
		const received = upstream(soon, (question) => {
			times.push(Date.now());
			return question <= 4 ? goesOn('0') : done();
		});
		expect(await until(await submit(), 'succeeded')).toMatchObject({ attempt: 1 });
		expect(methodsOf(received)).toBe('POST GET GET GET GET GET');
		const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
		expect(Math.min(...waits)).toBeGreaterThanOrEqual(990);
	});

	it('is kept with its job: the time of the attempt passes, and nothing is lost or begun again', async () => {
		const received = upstream(LATER, done);
		const questions = keepQuestions();
		const job = await submit();
		expect(await until(job, 'waiting')).toMatchObject({ status: 'running', attempt: 1 });
		await vi.waitFor(() => expect(questions).toHaveLength(1));
		expect(questions[0]).toEqual({
			body: { v: 1, id: job.id, epoch: 1, ask: { attempt: 1, asks: 0 } },
			delaySeconds: 30,
		});
		advanceClock(400_000);
		expect(await statusOf(job)).toMatchObject({ phase: 'waiting', attempt: 1 });
		expect(await deliver(questions[0]?.body)).toBe('acked');
		const over = await until(job, 'succeeded');
		expect(await (await call(over.links.result)).json()).toEqual({ status: 'Succeeded', answer: 42 });
		expect(methodsOf(received)).toBe('POST GET');
	});

	it('is asked about again when the message is lost and the object was put out of memory', async () => {
		const received = upstream(LATER, done);
		const questions = keepQuestions();
		const job = await submit();
		await vi.waitFor(() => expect(questions).toHaveLength(1));
		await evictDurableObject(objectOf(job));
		advanceClock(LOST_MS);
		await fireAlarm(job);
		expect(questions).toHaveLength(2);
		expect(questions[1]?.body).toEqual(questions[0]?.body);
		expect(await deliver(questions[1]?.body)).toBe('acked');
		expect(await until(job, 'succeeded')).toMatchObject({ attempt: 1 });
		expect(methodsOf(received)).toBe('POST GET');
	});

	it('is asked about by another consumer when the one that asks is gone', async () => {
		const held = Promise.withResolvers<Response>();
		onTestFinished(() => held.resolve(done()));
		const received = upstream(LATER, (question) => (question === 1 ? held.promise : done()));
		const questions = keepQuestions();
		const job = await submit();
		await vi.waitFor(() => expect(questions).toHaveLength(1));
		void deliver(questions[0]?.body);
		await vi.waitFor(() => expect(methodsOf(received)).toBe('POST GET'));
		advanceClock(61_000 + LOST_MS);
		await fireAlarm(job);
		expect(questions).toHaveLength(2);
		expect(await deliver(questions[1]?.body)).toBe('acked');
		expect(await until(job, 'succeeded')).toMatchObject({ attempt: 1 });
		expect(methodsOf(received)).toBe('POST GET GET');
	});

	it('costs two calls, at most two rows and one message for each question that is asked later', async () => {
		upstream(LATER, () => goesOn('30'));
		const questions = keepQuestions();
		const job = await submit();
		await vi.waitFor(() => expect(questions).toHaveLength(1));
		const counts = { rows: 0, calls: 0 };
		await markListWrites();
		await runInDurableObject(objectOf(job), (object, { storage }) => {
			const counted: [object, string[], keyof typeof counts][] = [
				[storage.kv, ['put', 'delete'], 'rows'],
				[storage, ['setAlarm'], 'rows'],
				[object, Object.getOwnPropertyNames(Object.getPrototypeOf(object)), 'calls'],
			];
			for (const [target, methods, field] of counted) {
				const prototype = Object.getPrototypeOf(target) as Record<string, (...args: unknown[]) => unknown>;
				for (const method of methods.filter((name) => name !== 'constructor')) {
					const original = prototype[method] as (...args: unknown[]) => unknown;
					prototype[method] = function (this: object, ...args) {
						const isOfJob = this === target;
						if (isOfJob && !list.isWriting && method !== 'readNews') counts[field]++;
						return original.apply(this, args);
					};
					onTestFinished(() => {
						prototype[method] = original;
					});
				}
			}
		});
		for (let question = 0; question < 3; question++) {
			advanceClock(30_000 * (question + 1));
			expect(await deliver(questions.at(-1)?.body)).toBe('acked');
		}
		expect(questions.map(({ body }) => body.ask?.asks)).toEqual([0, 1, 2, 3]);
		expect(counts.calls).toBe(6);
		expect(counts.rows).toBeGreaterThan(0);
		expect(counts.rows).toBeLessThanOrEqual(6);
	});

	it('is asked about once for each message, however often it is delivered', async () => {
		const received = upstream(LATER, () => goesOn('30'));
		const questions = keepQuestions();
		const job = await submit();
		await vi.waitFor(() => expect(questions).toHaveLength(1));
		const first = questions[0]?.body;
		for (let delivery = 0; delivery < 3; delivery++) expect(await deliver(first)).toBe('acked');
		expect(questions).toHaveLength(2);
		expect(methodsOf(received)).toBe('POST GET');
		// An earlier version reads the message as one that starts an attempt.
		const { ask: _, ...old } = first ?? { ask: undefined };
		expect(await deliver(old)).toBe('acked');
		expect(await statusOf(job)).toMatchObject({ phase: 'waiting', attempt: 1 });
		expect(methodsOf(received)).toBe('POST GET');
	});

	it('is left alone at once when its job is canceled', async () => {
		const received = upstream(LATER, done);
		const questions = keepQuestions();
		const job = await submit();
		await vi.waitFor(() => expect(questions).toHaveLength(1));
		expect((await call(job.links.cancel ?? '', { method: 'POST' })).status).toBe(200);
		expect(await statusOf(job)).toMatchObject({ status: 'canceled' });
		expect(await deliver(questions[0]?.body)).toBe('acked');
		expect(methodsOf(received)).toBe('POST');
	});

	it('outlives answers that fail: the upstream is asked again later', async () => {
		const answers = [new Response(null, { status: 500 }), Response.error(), done()];
		const received = upstream(LATER, (question) => {
			const answer = answers[question - 1];
			if (answer?.type === 'error') throw new Error('connection reset');
			return answer ?? done();
		});
		const questions = keepQuestions();
		const job = await submit();
		for (let question = 1; question <= 3; question++) {
			await vi.waitFor(() => expect(questions).toHaveLength(question));
			expect(await deliver(questions.at(-1)?.body)).toBe('acked');
		}
		expect(await until(job, 'succeeded')).toMatchObject({ attempt: 1 });
		expect(methodsOf(received)).toBe('POST GET GET GET');
	});

	it('fails as timed out after `followSeconds`, and no second one is begun', async () => {
		const received = upstream(LATER, done);
		const questions = keepQuestions();
		const job = await submit();
		await vi.waitFor(() => expect(questions).toHaveLength(1));
		advanceClock(7_201_000);
		expect(await until(job, 'failed')).toMatchObject({
			phase: 'timed-out',
			attempt: 1,
			error: { code: 'ExecutionTimeout', retryable: false },
		});
		expect(await deliver(questions[0]?.body)).toBe('acked');
		expect(methodsOf(received)).toBe('POST');
	});

	it('is told to its job when the object is back: it is not begun again', async () => {
		const received = upstream(LATER, done);
		const questions = keepQuestions();
		const failed = keepObjectsAway({ methods: ['followOperation'], awayMs: 1_500, failures: 2 });
		const job = await submit();
		await vi.waitFor(() => expect(questions).toHaveLength(1), { timeout: 15_000 });
		expect(failed()).toBeGreaterThan(1);
		expect(await deliver(questions[0]?.body)).toBe('acked');
		expect(await until(job, 'succeeded')).toMatchObject({ attempt: 1 });
		expect(methodsOf(received)).toBe('POST GET');
	});
});
