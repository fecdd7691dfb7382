import { beforeEach, describe, expect, it, vi } from 'vitest';
import { bundle, type JobMessage } from '../../src/core/job/message.ts';
import { sendSubmission } from '../../src/queue/bundler.ts';
import { type Lanes, lanesOf } from '../../src/queue/lanes.ts';
import { fullForMs, noteJobWait, noteWait, usualWaitMs } from '../../src/queue/pressure.ts';
import { queuePurpose } from '../../src/queue/purpose.ts';
import { sendJob, sendJobs, sendMessage } from '../../src/queue/send.ts';
import { advanceClock } from '../flow/faults.ts';

const MESSAGE = { v: 1, id: 'a'.repeat(64), epoch: 1 } as const;

/** A queue that reports as in production: how many messages wait, and since when. */
function queue(backlog: () => { backlogCount: number; oldestMessageTimestamp?: Date }) {
	const send = vi.fn(async () => ({ metadata: { metrics: { ...backlog(), backlogBytes: 0 } } }));
	return { send } as unknown as Queue & { send: typeof send };
}

const lanesWith = (...queues: Queue[]): Lanes => new Map([['jobs', queues]]) as unknown as Lanes;

/** A lane of each kind with one queue. Records each call with the bodies of its messages. */
function lanesThatKeep() {
	const calls: unknown[][] = [];
	const only = {
		send: async (body: unknown) => {
			calls.push([body]);
			return {};
		},
		sendBatch: async (messages: Iterable<{ body: unknown }>) => {
			calls.push([...messages].map(({ body }) => body));
			return {};
		},
	};
	const lanes = new Map(['jobs', 'long', 'alone'].map((lane) => [lane, [only]])) as unknown as Lanes;
	return { lanes, calls };
}

function messagesOf(count: number): JobMessage[] {
	return Array.from({ length: count }, (_, index) => ({ v: 1, id: String(index).padStart(64, '0'), epoch: 1 }));
}

const sendingsOf = (messages: readonly JobMessage[]) => messages.map((message) => ({ message }));

describe('sending', () => {
	it('takes turns over the queues of a lane', async () => {
		const queues = [
			queue(() => ({ backlogCount: 0 })),
			queue(() => ({ backlogCount: 0 })),
			queue(() => ({ backlogCount: 0 })),
		];
		const lanes = lanesWith(...queues);
		for (let message = 0; message < 9; message++) await sendJob(lanes, 'jobs', { message: MESSAGE });
		expect(queues.map(({ send }) => send.mock.calls.length)).toEqual([3, 3, 3]);
	});

	it('hands over many at once, a hundred to a call, and takes turns with the calls', async () => {
		const batches: { body: unknown; delaySeconds?: number }[][] = [];
		const sendBatch = async (messages: Iterable<{ body: unknown }>) => {
			batches.push([...messages]);
			return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
		};
		const queues = [0, 1].map(() => ({ sendBatch: vi.fn(sendBatch) }));
		const sendings = Array.from({ length: 250 }, (_, index) => ({
			message: { ...MESSAGE, epoch: index + 1 },
			delaySeconds: index,
		}));
		await sendJobs({ lanes: lanesWith(...(queues as unknown as Queue[])), lane: 'jobs' }, sendings);
		expect(batches.map(({ length }) => length)).toEqual([100, 100, 50]);
		expect(
			Math.abs((queues[0]?.sendBatch.mock.calls.length ?? 0) - (queues[1]?.sendBatch.mock.calls.length ?? 0)),
		).toBe(1);
		expect(batches.flat()).toEqual(
			sendings.map(({ message, delaySeconds }) => ({ body: message, contentType: 'json', delaySeconds })),
		);
	});

	it('sends many jobs with one delay in messages of twenty, and a job without others in its usual message', async () => {
		const { lanes, calls } = lanesThatKeep();
		const messages = messagesOf(41);
		expect(await sendJobs({ lanes, lane: 'jobs' }, sendingsOf(messages))).toBe(true);
		const bodies = [
			{ v: 1, jobs: messages.slice(0, 20).map(({ id, epoch }) => ({ id, epoch })) },
			{ v: 1, jobs: messages.slice(20, 40).map(({ id, epoch }) => ({ id, epoch })) },
			messages[40],
		];
		expect(calls).toEqual([bodies]);
	});

	it('sends bundles that fit into one call of the platform', async () => {
		const { lanes, calls } = lanesThatKeep();
		await sendJobs({ lanes, lane: 'jobs' }, sendingsOf(messagesOf(2_400)));
		expect(calls.map(({ length }) => length)).toEqual([100, 20]);
		expect(JSON.stringify(calls[0]).length).toBeLessThan(256_000);
	});

	it('bundles only jobs of one delay', async () => {
		const { lanes, calls } = lanesThatKeep();
		const [one, two, three] = messagesOf(3);
		const sendings = [
			{ message: one, delaySeconds: 5 },
			{ message: two, delaySeconds: 7 },
			{ message: three, delaySeconds: 5 },
		] as never;
		await sendJobs({ lanes, lane: 'jobs' }, sendings);
		expect(calls.flat()).toEqual([bundle([one, three] as never), two]);
	});

	it('bundles neither requests to an upstream nor polls', async () => {
		const { lanes, calls } = lanesThatKeep();
		const [one, two] = messagesOf(2);
		const upstream = { ...one, upstream: { name: 'narrow', timeoutSeconds: 5 } } as never;
		const poll = { ...two, ask: { attempt: 1, asks: 0 } } as never;
		await sendJobs({ lanes, lane: 'jobs' }, sendingsOf([upstream, poll, upstream]));
		expect(calls).toEqual([[upstream, poll, upstream]]);
	});

	it.each(['long', 'alone'])('bundles nothing in the lane %s: few of its jobs may be in one consumer', async (lane) => {
		const { lanes, calls } = lanesThatKeep();
		const messages = messagesOf(3);
		await sendJobs({ lanes, lane }, sendingsOf(messages));
		expect(calls).toEqual([messages]);
	});

	it('reports it when no queue takes many at once, and throws nothing', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const send = vi.fn(async () => {
			throw new Error('Queue is overloaded');
		});
		const lanes = lanesWith({ send } as unknown as Queue);
		expect(await sendJobs({ lanes, lane: 'jobs' }, sendingsOf(messagesOf(2)))).toBe(false);
		expect(String(log.mock.calls[0])).toContain('Queue is overloaded');
		log.mockRestore();
	});

	it('offers a message to the other queues of its lane when one fails', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const queues = [0, 1, 2].map(() => queue(() => ({ backlogCount: 0 })));
		const lanes = lanesWith(...queues);
		const [first, second, third] = queues;
		first?.send.mockRejectedValue(new Error('Queue is overloaded'));
		second?.send.mockRejectedValue(new Error('Queue is overloaded'));
		for (let message = 0; message < 3; message++) {
			expect(await sendMessage({ lanes, lane: 'jobs' }, MESSAGE, 7)).toBe(true);
		}
		expect(third?.send.mock.calls).toHaveLength(3);
		expect(third?.send).toHaveBeenLastCalledWith(MESSAGE, { contentType: 'json', delaySeconds: 7 });
		third?.send.mockRejectedValue(new Error('Queue is overloaded'));
		expect(await sendMessage({ lanes, lane: 'jobs' }, MESSAGE, 7)).toBe(false);
		log.mockRestore();
	});

	it('takes the queue that it is told to take last only when the others fail', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const queues = [0, 1].map(() => queue(() => ({ backlogCount: 0 })));
		const to = { lanes: lanesWith(...queues), lane: 'jobs', lastIndex: 1 };
		for (let message = 0; message < 4; message++) await sendMessage(to, MESSAGE, 0);
		expect(queues.map(({ send }) => send.mock.calls.length)).toEqual([4, 0]);
		queues[0]?.send.mockRejectedValue(new Error('Queue is overloaded'));
		expect(await sendMessage(to, MESSAGE, 0)).toBe(true);
		expect(queues[1]?.send).toHaveBeenCalledOnce();
		log.mockRestore();
	});

	it('makes no wait of what a queue says of its oldest message: it may be at work, or delayed', async () => {
		const lane = 'unacknowledged';
		const busy = queue(() => ({ backlogCount: 5, oldestMessageTimestamp: new Date(Date.now() - 300_000) }));
		await sendJob(new Map([[lane, [busy]]]) as unknown as Lanes, lane, { message: MESSAGE });
		expect(busy.send).toHaveBeenCalledOnce();
		expect(usualWaitMs(lane, Date.now())).toBe(0);
	});

	it('learns how long jobs wait from those that were started, and forgets it when it is no longer news', () => {
		const now = Date.now();
		noteWait('learnt', 8_000, now);
		expect(usualWaitMs('learnt', now)).toBe(8_000);
		noteWait('learnt', 3_000, now + 1_000);
		expect(usualWaitMs('learnt', now + 1_000)).toBe(7_000);
		expect(usualWaitMs('learnt', now + 32_000)).toBe(0);
	});

	it('learns from a job that clients ask for once, and only while its start is news', () => {
		const now = Date.now();
		const job = { id: crypto.randomUUID(), lane: 'asked', waitedMs: 8_000, startedAt: now - 1_000 };
		noteWait('asked', 0, now);
		noteJobWait(job, now);
		noteJobWait(job, now);
		noteJobWait({ ...job, id: crypto.randomUUID(), startedAt: now - 60_000 }, now);
		expect(usualWaitMs('asked', now)).toBe(1_600);
	});

	it('to a lane that is not there goes by the default one', async () => {
		const only = queue(() => ({ backlogCount: 0 }));
		await sendJob(lanesWith(only), 'alone', { message: MESSAGE });
		expect(only.send).toHaveBeenCalledOnce();
	});

	it('to a lane that has no queue is logged, and nothing is thrown', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		await sendJob(new Map(), 'jobs', { message: MESSAGE });
		expect(String(log.mock.calls[0])).toContain('the lane has no queue');
		log.mockRestore();
	});

	it('finds the queues of each lane by the names of their bindings', () => {
		const env = { LANE_JOBS_10: 'd', LANE_JOBS_2: 'b', LANE_JOBS_1: 'a', LANE_LONG_1: 'c', JOBS: 'no', LANE_: 'no' };
		expect([...lanesOf(env)]).toEqual([
			['jobs', ['a', 'b', 'd']],
			['long', ['c']],
		]);
	});

	it.each([
		['coatcheck-jobs', { type: 'lane', lane: 'jobs', index: 0 }],
		['staging-coatcheck-jobs-2', { type: 'lane', lane: 'jobs', index: 1 }],
		['jobs-12', { type: 'lane', lane: 'jobs', index: 11 }],
		['coatcheck-dead-letters', { type: 'dead letters' }],
		['staging-coatcheck-dead-letters', { type: 'dead letters' }],
		['coatcheck-letters', { type: 'unknown' }],
		['coatcheck-nojobs', { type: 'unknown' }],
		['coatcheck-long', { type: 'unknown' }],
		['my-queue', { type: 'unknown' }],
	])('knows by the end of its name what queue %s is for', (name, purpose) => {
		expect(queuePurpose(name, lanesWith())).toEqual(purpose);
	});
});

describe('a single submission', () => {
	// The clock stands still, so that submissions come together on a busy machine, too.
	beforeEach(() => advanceClock(0));

	/** Whether a wait is one for other submissions. What the files before left at work waits, too. */
	const isForOthers = ([ms]: readonly unknown[]) => ms === 30;
	const submitAll = (lanes: Lanes, messages: readonly JobMessage[]) =>
		Promise.all(messages.map((message) => sendSubmission(lanes, 'jobs', { message })));

	it('is sent at once when no other came before it', async () => {
		const { lanes, calls } = lanesThatKeep();
		const [message] = messagesOf(1);
		const wait = vi.spyOn(scheduler, 'wait');
		void sendSubmission(lanes, 'jobs', { message } as never);
		expect(calls).toEqual([[message]]);
		expect(wait).not.toHaveBeenCalled();
		wait.mockRestore();
	});

	it('is sent at once after a pause', async () => {
		const { lanes, calls } = lanesThatKeep();
		const [one, two] = messagesOf(2);
		await sendSubmission(lanes, 'jobs', { message: one } as never);
		advanceClock(31);
		void sendSubmission(lanes, 'jobs', { message: two } as never);
		expect(calls).toEqual([[one], [two]]);
	});

	it('is sent at once when a client submits one job after the other', async () => {
		const { lanes, calls } = lanesThatKeep();
		const messages = messagesOf(5);
		for (const message of messages) {
			await sendSubmission(lanes, 'jobs', { message });
			advanceClock(16);
		}
		expect(calls).toEqual(messages.map((message) => [message]));
	});

	it('shares a message of at most twenty with those that come with it', async () => {
		const { lanes, calls } = lanesThatKeep();
		const messages = messagesOf(46);
		await submitAll(lanes, messages);
		expect(calls).toEqual([
			[messages[0]],
			[messages[1]],
			[bundle(messages.slice(2, 22))],
			[bundle(messages.slice(22, 42))],
			[bundle(messages.slice(42))],
		]);
	});

	it('waits for no more when none has come for a moment', async () => {
		const { lanes, calls } = lanesThatKeep();
		const messages = messagesOf(3);
		const wait = vi.spyOn(scheduler, 'wait');
		await submitAll(lanes, messages);
		expect(calls).toEqual(messages.map((message) => [message]));
		expect(wait.mock.calls.filter(isForOthers)).toEqual([[30]]);
		wait.mockRestore();
	});

	it('waits for others for 120 ms at most, also when the clock is set back', async () => {
		const { lanes, calls } = lanesThatKeep();
		const messages = messagesOf(9);
		const { wait: original } = scheduler;
		const wait = vi.spyOn(scheduler, 'wait').mockImplementation(async (...args) => {
			if (!isForOthers(args)) return original.apply(scheduler, args);
			advanceClock(-1_000);
			const waits = wait.mock.calls.filter(isForOthers).length;
			void sendSubmission(lanes, 'jobs', { message: messages[waits + 2] } as never);
		});
		await submitAll(lanes, messages.slice(0, 3));
		expect(wait.mock.calls.filter(isForOthers)).toEqual([[30], [30], [30], [30]]);
		wait.mockRestore();
		expect(calls).toEqual([[messages[0]], [messages[1]], [bundle(messages.slice(2, 7))]]);
	});

	it('never joins a message whose request was canceled long ago', async () => {
		const { lanes, calls } = lanesThatKeep();
		const messages = messagesOf(4);
		const wait = vi.spyOn(scheduler, 'wait').mockReturnValue(new Promise(() => {}));
		void submitAll(lanes, messages.slice(0, 3));
		wait.mockRestore();
		advanceClock(301);
		await submitAll(lanes, messages.slice(3));
		expect(calls).toEqual([[messages[0]], [messages[1]], [messages[3]]]);
	});

	it('has a message of its own if it is delayed, a request to an upstream or in another lane', async () => {
		const { lanes, calls } = lanesThatKeep();
		const [message] = messagesOf(1) as [JobMessage];
		const forwarded = { ...message, upstream: { name: 'narrow', timeoutSeconds: 5 } };
		for (let time = 0; time < 3; time++) {
			void sendSubmission(lanes, 'jobs', { message, delaySeconds: 1 });
			void sendSubmission(lanes, 'jobs', { message: forwarded });
			void sendSubmission(lanes, 'long', { message });
		}
		expect(calls).toHaveLength(9);
	});
});

describe('a lane', () => {
	const MAX_BACKLOG = 100;
	// A lane is full for some seconds.
	beforeEach(() => advanceClock(0));
	const full = (lanes: Lanes) => fullForMs({ lanes, lane: 'jobs', maxBacklog: MAX_BACKLOG }, Date.now());

	it('is full when all of its queues have refused several messages in a row, and is tried again after a while', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const queues = [0, 1].map(() => queue(() => ({ backlogCount: 0 })));
		const lanes = lanesWith(...queues);
		for (const { send } of queues) send.mockRejectedValue(new Error('Queue is overloaded'));
		for (let message = 1; message <= 2; message++) await sendJob(lanes, 'jobs', { message: MESSAGE });
		expect(full(lanes)).toBe(0);
		await sendJob(lanes, 'jobs', { message: MESSAGE });
		expect(full(lanes)).toBeGreaterThan(0);
		advanceClock(3_001);
		expect(full(lanes)).toBe(0);
		log.mockRestore();
	});

	it('takes jobs again as soon as one of its queues took one', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const only = queue(() => ({ backlogCount: 0 }));
		const lanes = lanesWith(only);
		only.send.mockRejectedValue(new Error('Queue is overloaded'));
		for (let message = 1; message <= 3; message++) await sendJob(lanes, 'jobs', { message: MESSAGE });
		expect(full(lanes)).toBeGreaterThan(0);
		only.send.mockResolvedValue({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } });
		await sendJob(lanes, 'jobs', { message: MESSAGE });
		expect(full(lanes)).toBe(0);
		log.mockRestore();
	});

	it('is full when more messages wait in all of its queues than may', async () => {
		let backlogCount = 101;
		const lanes = lanesWith(
			queue(() => ({ backlogCount: 101 })),
			queue(() => ({ backlogCount })),
		);
		await sendJob(lanes, 'jobs', { message: MESSAGE });
		await sendJob(lanes, 'jobs', { message: MESSAGE });
		expect(full(lanes)).toBeGreaterThan(0);
		backlogCount = 100;
		await sendJob(lanes, 'jobs', { message: MESSAGE });
		await sendJob(lanes, 'jobs', { message: MESSAGE });
		expect(full(lanes)).toBe(0);
	});
});
