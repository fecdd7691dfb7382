/**
 * Random schedules of faults on the real runtime: real objects with their storage, sockets and alarms, the real consumer.
 * The test controls only the queue, which loses, repeats, delays and reorders its messages. The simulation in
 * `test/simulation` runs many more of them on a model of the platform. These few show that the model is realistic.
 */
import { createExecutionContext, createMessageBatch, evictDurableObject, getQueueResult } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { call, eventsOf, finalsOf, objectOf, statusOf, submit } from '../flow/client.ts';
import { advanceClock, fireAlarm } from '../flow/faults.ts';
import worker from '../worker.ts';

const SCHEDULES = 150;
const FINALS = ['succeeded', 'failed', 'canceled'];

/** Sent messages that are not settled. */
type Mail = { readonly queue: string; readonly body: unknown }[];

type Step =
	| { readonly do: 'deliver' | 'deliver twice' | 'lose' | 'throw after the work'; readonly which: number }
	| { readonly do: 'alarm' | 'jump'; readonly seconds: number }
	| { readonly do: 'evict' | 'die after start' | 'sends fail' | 'sends work' | 'cancel' | 'retry' };

const step: fc.Arbitrary<Step> = fc.oneof(
	fc.record({
		do: fc.constantFrom('deliver', 'deliver twice', 'lose', 'throw after the work'),
		which: fc.nat(3),
	}),
	fc.record({ do: fc.constantFrom('alarm', 'jump'), seconds: fc.constantFrom(1, 25, 90) }),
	fc.record({ do: fc.constantFrom('evict', 'die after start', 'sends fail', 'sends work', 'cancel', 'retry') }),
);

let mail: Mail;
let doSendsFail: boolean;
beforeEach(() => {
	vi.spyOn(console, 'error').mockImplementation(() => {});
	const prototype = Object.getPrototypeOf(env.LANE_JOBS_1) as Queue;
	const spy = vi.spyOn(prototype, 'send').mockImplementation(async function (this: Queue, body: unknown) {
		if (doSendsFail) throw new Error('Queue is overloaded');
		mail.push({
			queue: this === env.LANE_ALONE_1 || this === env.LANE_ALONE_2 ? 'coatcheck-alone' : 'coatcheck-jobs',
			body,
		});
		return {} as QueueSendResponse;
	});
	onTestFinished(() => {
		spy.mockRestore();
		vi.restoreAllMocks();
	});
});

describe('a job under random faults', () => {
	it('ends, once an epoch, as soon as the faults stop', async () => {
		const done = new Map<string, number>();
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
				mail = [];
				doSendsFail = false;
				const { document } = await submit('sleep', { seconds: 0, failAttempts: 1 }, { timeoutSeconds: 1 });
				for (const next of steps) {
					await carryOut(next, document);
					done.set(next.do, (done.get(next.do) ?? 0) + 1);
				}
				await settle(document);
				await check(document);
			}),
			{ numRuns: SCHEDULES, seed: 4, endOnFailure: false },
		);
		expect([...done.keys()].sort()).toHaveLength(12);
	});
});

async function carryOut(next: Step, job: StatusDocument): Promise<void> {
	switch (next.do) {
		case 'deliver':
			return deliver(next.which, 1);
		case 'deliver twice':
			return deliver(next.which, 2);
		case 'throw after the work':
			return throwingAfterTheWork(() => deliver(next.which, 1));
		case 'lose':
			mail.splice(next.which, 1);
			return;
		case 'jump':
			return advanceClock(next.seconds * 1_000);
		case 'alarm':
			advanceClock(next.seconds * 1_000);
			await fireAlarm(job);
			return;
		case 'evict':
			// An evicted object can't be evicted again: a read loads it first.
			await statusOf(job);
			return evictDurableObject(objectOf(job));
		case 'die after start':
			await objectOf(job).startAttempt({ epoch: (mail.at(-1)?.body as { epoch: number } | undefined)?.epoch ?? 1 });
			return;
		case 'sends fail':
		case 'sends work':
			doSendsFail = next.do === 'sends fail';
			return;
		case 'cancel':
		case 'retry':
			await (await call(`/v1/jobs/${job.id}/${next.do}`, { method: 'POST' })).text();
	}
}

/** Delivers a message to the real consumer, as the platform does: a message that it hands back is delivered again. */
async function deliver(which: number, times: number): Promise<void> {
	const [message] = mail.splice(which % Math.max(1, mail.length), 1);
	if (!message) return;
	const copies = Array.from({ length: times }, (_, copy) => ({
		id: String(copy),
		timestamp: new Date(),
		attempts: 1,
		body: message.body,
	}));
	const batch = createMessageBatch(message.queue, copies);
	const ctx = createExecutionContext();
	await worker.queue(batch, env);
	const { retryMessages } = await getQueueResult(batch, ctx);
	for (const _ of retryMessages) mail.push(message);
}

/** An attempt's report reaches its object, but the response is lost. */
async function throwingAfterTheWork(action: () => Promise<void>): Promise<void> {
	const original = Jobs.prototype.call;
	const spy = vi.spyOn(Jobs.prototype, 'call').mockImplementation(async function (this: Jobs, id, ask) {
		await original.call(this, id, ask);
		throw new Error('The consumer lost its connection');
	});
	try {
		await action();
	} finally {
		spy.mockRestore();
	}
}

/** Ends the faults: messages arrive, alarms fire when they are due, time passes. */
async function settle(job: StatusDocument): Promise<void> {
	doSendsFail = false;
	for (let round = 0; round < 60; round++) {
		while (mail.length > 0) {
			await deliver(0, 1);
			if (mail.length > 0) advanceClock(2_000);
		}
		if (FINALS.includes((await statusOf(job)).status)) return;
		advanceClock(90_000);
		await fireAlarm(job);
	}
}

async function check(job: StatusDocument): Promise<void> {
	const events = await eventsOf(job, 0);
	const seqs = events.map(({ seq }) => seq);
	expect(FINALS, JSON.stringify(events.map(({ type }) => type))).toContain((await statusOf(job)).status);
	expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
	// Each life begins with `accepted`, and has one end.
	const lives = events.filter(({ type }) => type === 'accepted').length;
	expect(finalsOf(events)).toHaveLength(lives);
	expect(FINALS).toContain(events.at(-1)?.type);
}
