import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { bundle, type JobMessage, type ReceivedMessage } from '../../src/core/job/message.ts';
import type { Report } from '../../src/core/job/object-api.ts';
import { type Consumer, consume, putOff } from '../../src/queue/consume.ts';
import { consumeDeadLetters } from '../../src/queue/dead-letters.ts';
import type { Lanes } from '../../src/queue/lanes.ts';
import type { Jobs } from '../../src/rpc/jobs.ts';
import { advanceClock } from '../flow/faults.ts';

type Verdict = 'ack' | { readonly delaySeconds: number };

/** A batch that records when each verdict is given. On the platform, verdicts take effect at the end of the batch. */
function batchOf(bodies: readonly unknown[], attempts = 1) {
	const verdicts = new Map<number, Verdict>();
	const messages = bodies.map((body, index) => ({
		id: String(index),
		timestamp: new Date(),
		attempts,
		body,
		ack: () => void (verdicts.has(index) || verdicts.set(index, 'ack')),
		retry: (options: { delaySeconds: number }) => void (verdicts.has(index) || verdicts.set(index, options)),
	}));
	return { batch: { queue: 'coatcheck-jobs-2', messages } as unknown as MessageBatch, verdicts };
}

/** Lanes that record the messages sent to them. */
function lanesThatKeep() {
	const sent: { queue: string; body: unknown; delaySeconds?: number }[] = [];
	const queue = (name: string) => ({
		send: async (body: unknown, { delaySeconds }: { delaySeconds: number }) => {
			sent.push({ queue: name, body, delaySeconds });
			return {};
		},
		sendBatch: async (messages: Iterable<{ body: unknown; delaySeconds: number }>) => {
			for (const { body, delaySeconds } of messages) sent.push({ queue: name, body, delaySeconds });
			return {};
		},
	});
	const names = { jobs: ['jobs-1', 'jobs-2'], alone: ['alone-1'], webhooks: ['webhooks-1'] };
	const lanes = new Map(Object.entries(names).map(([lane, queues]) => [lane, queues.map(queue)]));
	return { lanes: lanes as unknown as Lanes, sent };
}

const SLOW = { v: 1, id: 'a'.repeat(64), epoch: 1 } as const;
const QUICK = { v: 1, id: 'b'.repeat(64), epoch: 1 } as const;

/** A consumer in which job a works until its signal aborts, and job b reports at once. */
function consumerOf(lanes: Lanes, report: Report, overrides: Partial<Consumer['handlers']> = {}) {
	const slow = Promise.withResolvers<Report>();
	const received: ReceivedMessage[] = [];
	const handlers: Consumer['handlers'] = {
		work: async (next) => {
			received.push(next);
			return next.message.id === SLOW.id ? slow.promise : report;
		},
		deliver: async () => report,
		serve: async () => report,
		...overrides,
	};
	const consumer: Consumer = { lanes, handlers, purpose: { type: 'lane', lane: 'jobs', index: 1 } };
	return { consumer, received, end: () => slow.resolve({}) };
}

describe('a message that has to come again', () => {
	it('is sent at once while a neighbour is still at work, by another queue of its lane than that of the batch', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([SLOW, QUICK]);
		const { consumer, end } = consumerOf(lanes, { retryInMs: 800 });
		const over = consume(batch, consumer);
		await vi.waitFor(() => expect(verdicts.get(1)).toBe('ack'));
		expect(sent).toEqual([{ queue: 'jobs-1', body: QUICK, delaySeconds: 1 }]);
		expect(verdicts.has(0)).toBe(false);
		end();
		await over;
		expect(verdicts.get(0)).toBe('ack');
	});

	it('goes by the lane that its job says', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch } = batchOf([SLOW, QUICK]);
		const { consumer, end } = consumerOf(lanes, { retryInMs: 5_000, lane: 'alone' });
		const over = consume(batch, consumer);
		await vi.waitFor(() => expect(sent).toHaveLength(1));
		expect(sent).toEqual([{ queue: 'alone-1', body: QUICK, delaySeconds: 5 }]);
		end();
		await over;
	});

	it('is handed back where nothing else of its batch is at work: that costs no message', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([QUICK]);
		await consume(batch, consumerOf(lanes, { retryInMs: 800 }).consumer);
		expect(verdicts.get(0)).toEqual({ delaySeconds: 1 });
		expect(sent).toEqual([]);
	});

	it('is handed back when no queue takes a new one, for what is left of its wait', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		advanceClock(0);
		const send = vi.fn(async () => {
			advanceClock(10_000);
			throw new Error('Queue is overloaded');
		});
		const failing = { send };
		const lanes = new Map([['jobs', [failing]]]) as unknown as Lanes;
		const { batch, verdicts } = batchOf([SLOW, QUICK]);
		const { consumer, end } = consumerOf(lanes, { retryInMs: 60_000 });
		const over = consume(batch, consumer);
		await vi.waitFor(() => expect(verdicts.get(1)).toEqual({ delaySeconds: 50 }));
		expect(failing.send).toHaveBeenCalledOnce();
		end();
		await over;
	});

	it('is replaced by a new one before the platform gives it up for its many deliveries', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([QUICK], 60);
		await consume(batch, consumerOf(lanes, { retryInMs: 800 }).consumer);
		expect(verdicts.get(0)).toBe('ack');
		expect(sent).toHaveLength(1);
	});

	it('says that the gate of its upstream is to be asked', async () => {
		const { lanes, sent } = lanesThatKeep();
		const upstream = { name: 'narrow', timeoutSeconds: 77 };
		const { batch } = batchOf([SLOW, { ...QUICK, upstream }]);
		const { consumer, end } = consumerOf(lanes, { retryInMs: 800 });
		const over = consume(batch, consumer);
		await vi.waitFor(() => expect(sent).toHaveLength(1));
		expect(sent[0]?.body).toEqual({ ...QUICK, upstream: { ...upstream, hasWaited: true } });
		end();
		await over;
	});

	it('tells a receiver by the lane of webhooks', async () => {
		const { lanes, sent } = lanesThatKeep();
		const delivery = { v: 1, id: QUICK.id, seq: 3 };
		const { batch } = batchOf([SLOW, delivery]);
		const { consumer, end } = consumerOf(lanes, { retryInMs: 5_000 });
		const over = consume(batch, consumer);
		await vi.waitFor(() => expect(sent).toEqual([{ queue: 'webhooks-1', body: delivery, delaySeconds: 5 }]));
		end();
		await over;
	});
});

describe('a message whose job cannot be reached', () => {
	it.each([
		[1, 5, 10],
		[2, 10, 20],
		[5, 80, 160],
		[8, 450, 900],
		[100, 450, 900],
	])('at its delivery %i comes back after %i to %i seconds', async (attempts, atLeast, atMost) => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([QUICK], attempts);
		const unreachable = () => Promise.reject(new Error('The object is away'));
		await consume(batch, consumerOf(lanes, {}, { work: unreachable }).consumer);
		const { delaySeconds } = verdicts.get(0) as { delaySeconds: number };
		expect(delaySeconds).toBeGreaterThanOrEqual(atLeast);
		expect(delaySeconds).toBeLessThanOrEqual(atMost);
		expect(sent).toEqual([]);
	});

	it('is tried for more than twelve hours before the platform gives it up', () => {
		let seconds = 0;
		for (let attempts = 1; attempts <= 100; attempts++) {
			const { batch, verdicts } = batchOf([QUICK], attempts);
			putOff(batch);
			seconds += (verdicts.get(0) as { delaySeconds: number }).delaySeconds;
		}
		expect(seconds).toBeGreaterThan(12 * 3_600);
	});
});

describe('a received message', () => {
	it('comes with whether its consumer has other jobs, by the batch that it came in', async () => {
		const { lanes } = lanesThatKeep();
		const alone = consumerOf(lanes, {});
		await consume(batchOf([QUICK]).batch, alone.consumer);
		expect(alone.received).toEqual([{ message: QUICK, isRepeat: false, isShared: false }]);
		const together = consumerOf(lanes, {});
		await consume(batchOf([QUICK, QUICK]).batch, together.consumer);
		expect(together.received.map(({ isShared }) => isShared)).toEqual([true, true]);
	});

	it('comes with whether it was delivered before', async () => {
		const { lanes } = lanesThatKeep();
		const { consumer, received } = consumerOf(lanes, {});
		await consume(batchOf([QUICK], 2).batch, consumer);
		expect(received.map(({ isRepeat }) => isRepeat)).toEqual([true]);
	});
});

function jobsOf(count: number, first = 0): JobMessage[] {
	return Array.from({ length: count }, (_, index) => ({ v: 1, id: String(first + index).padStart(64, '0'), epoch: 1 }));
}

describe('a message of several jobs', () => {
	const ONE_AND_TWO = bundle([SLOW, QUICK]);

	it('gives each of its jobs to the work, as shared', async () => {
		const { lanes } = lanesThatKeep();
		const { consumer, received, end } = consumerOf(lanes, {});
		end();
		await consume(batchOf([ONE_AND_TWO]).batch, consumer);
		expect(received).toEqual([
			{ message: SLOW, isRepeat: false, isShared: true },
			{ message: QUICK, isRepeat: false, isShared: true },
		]);
	});

	it('is acknowledged when each of its jobs is settled, and not before', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([ONE_AND_TWO, QUICK]);
		const { consumer, end } = consumerOf(lanes, {});
		const over = consume(batch, consumer);
		await vi.waitFor(() => expect(verdicts.get(1)).toBe('ack'));
		expect(verdicts.has(0)).toBe(false);
		end();
		await over;
		expect(verdicts.get(0)).toBe('ack');
		expect(sent).toEqual([]);
	});

	it('is acknowledged when one of its jobs has to come again: that job gets a message of its own', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([ONE_AND_TWO]);
		const work = async ({ message }: ReceivedMessage) => {
			if (message.id === SLOW.id) return {};
			// The last of its batch.
			await scheduler.wait(10);
			return { retryInMs: 800 };
		};
		await consume(batch, consumerOf(lanes, {}, { work }).consumer);
		expect(verdicts.get(0)).toBe('ack');
		expect(sent).toEqual([{ queue: 'jobs-1', body: QUICK, delaySeconds: 1 }]);
	});

	it('sends a job that must run alone to its lane, in a message of its own', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([ONE_AND_TWO]);
		const { consumer, end } = consumerOf(lanes, { retryInMs: 0, lane: 'alone' });
		end();
		await consume(batch, consumer);
		expect(verdicts.get(0)).toBe('ack');
		expect(sent).toEqual([{ queue: 'alone-1', body: QUICK, delaySeconds: 0 }]);
	});

	it('is acknowledged when one of its jobs cannot be reached: that job gets a message of its own, later', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([ONE_AND_TWO]);
		const work = async ({ message }: ReceivedMessage) => {
			if (message.id === QUICK.id) throw new Error('The object is away');
			return {};
		};
		await consume(batch, consumerOf(lanes, {}, { work }).consumer);
		expect(verdicts.get(0)).toBe('ack');
		expect(sent).toEqual([{ queue: 'jobs-1', body: QUICK, delaySeconds: expect.any(Number) }]);
		expect(sent[0]?.delaySeconds).toBeGreaterThanOrEqual(5);
	});

	it('is acknowledged even if no queue takes the message of its job: the watchdog of the job sends one', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const failing = { send: vi.fn(async () => Promise.reject(new Error('Queue is overloaded'))) };
		const lanes = new Map([['jobs', [failing]]]) as unknown as Lanes;
		const { batch, verdicts } = batchOf([ONE_AND_TWO]);
		const { consumer, end } = consumerOf(lanes, { retryInMs: 800 });
		end();
		await consume(batch, consumer);
		expect(failing.send).toHaveBeenCalledOnce();
		expect(verdicts.get(0)).toBe('ack');
	});

	it('fails each of its jobs as a dead letter, and comes again if one of them cannot be reached', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const failed: string[] = [];
		let isAway = true;
		const jobs = {
			call: async (id: string) => {
				if (isAway && id === QUICK.id) throw new Error('The object is away');
				failed.push(id);
			},
		} as unknown as Jobs;
		const first = batchOf([ONE_AND_TWO]);
		await consumeDeadLetters(first.batch, jobs);
		expect(first.verdicts.get(0)).toEqual({ delaySeconds: expect.any(Number) });
		isAway = false;
		const second = batchOf([ONE_AND_TWO]);
		await consumeDeadLetters(second.batch, jobs);
		expect(second.verdicts.get(0)).toBe('ack');
		expect(failed).toEqual([SLOW.id, SLOW.id, QUICK.id]);
	});
});

describe('more jobs than a consumer runs at once', () => {
	/** Three messages with twenty jobs each. */
	const SIXTY = [0, 20, 40].map((first) => bundle(jobsOf(20, first)));

	it('run twenty at a time when they are quick', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf(SIXTY);
		let running = 0;
		let most = 0;
		const work = async () => {
			most = Math.max(most, ++running);
			// Ends before any timer: on a machine that stood still, the jobs would count as slow.
			await Promise.resolve();
			running--;
			return {};
		};
		await consume(batch, consumerOf(lanes, {}, { work }).consumer);
		expect(most).toBe(20);
		expect([...verdicts.values()]).toEqual(['ack', 'ack', 'ack']);
		expect(sent).toEqual([]);
	});

	it('are sent on by another queue, in bundles again, when those before them are slow', async () => {
		const { lanes, sent } = lanesThatKeep();
		const { batch, verdicts } = batchOf([...SIXTY, ...jobsOf(2, 60)]);
		const slow = Promise.withResolvers<Report>();
		const over = consume(batch, consumerOf(lanes, {}, { work: () => slow.promise }).consumer);
		await vi.waitFor(() => expect(sent).toHaveLength(3), { timeout: 10_000 });
		const bodies = [bundle(jobsOf(20, 20)), bundle(jobsOf(20, 40)), bundle(jobsOf(2, 60))];
		expect(sent).toEqual(bodies.map((body) => ({ queue: 'jobs-1', body, delaySeconds: 0 })));
		await vi.waitFor(() => expect([...verdicts]).toEqual([1, 2, 3, 4].map((message) => [message, 'ack'])));
		slow.resolve({});
		await over;
		expect(verdicts.get(0)).toBe('ack');
	});

	it('come again at once when no queue takes them and their message is theirs alone', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const lanes = new Map([['jobs', [{}]]]) as unknown as Lanes;
		const { batch, verdicts } = batchOf([...SIXTY, ...jobsOf(1, 60)]);
		const slow = Promise.withResolvers<Report>();
		const over = consume(batch, consumerOf(lanes, {}, { work: () => slow.promise }).consumer);
		await vi.waitFor(() => expect(verdicts.get(3)).toEqual({ delaySeconds: 0 }), { timeout: 10_000 });
		expect([verdicts.get(1), verdicts.get(2)]).toEqual(['ack', 'ack']);
		slow.resolve({});
		await over;
	});
});
