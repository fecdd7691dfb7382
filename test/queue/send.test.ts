import { describe, expect, it, vi } from 'vitest';
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
		await sendJobs(lanesWith(...(queues as unknown as Queue[])), 'jobs', sendings);
		expect(batches.map(({ length }) => length)).toEqual([100, 100, 50]);
		expect(
			Math.abs((queues[0]?.sendBatch.mock.calls.length ?? 0) - (queues[1]?.sendBatch.mock.calls.length ?? 0)),
		).toBe(1);
		expect(batches.flat()).toEqual(
			sendings.map(({ message, delaySeconds }) => ({ body: message, contentType: 'json', delaySeconds })),
		);
	});

	it('gives up many at once without a word to who sent them, but for the log', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const sendBatch = vi.fn(async () => {
			throw new Error('Queue is overloaded');
		});
		const lanes = lanesWith({ sendBatch } as unknown as Queue);
		await sendJobs(lanes, 'jobs', [{ message: MESSAGE, delaySeconds: 0 }]);
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

describe('a lane', () => {
	const MAX_BACKLOG = 100;
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
