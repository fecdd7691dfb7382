import { describe, expect, it, vi } from 'vitest';
import { backlogMs, type Lanes, lanesOf, sendJob } from '../../src/queue/send.ts';
import { advanceClock } from '../flow/faults.ts';

const MESSAGE = { v: 1, id: 'a'.repeat(64), epoch: 1 } as const;

/** A queue that says what production's say: how many messages wait, and since when. */
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
		for (let message = 0; message < 9; message++) await sendJob(lanes, 'jobs', MESSAGE);
		expect(queues.map(({ send }) => send.mock.calls.length)).toEqual([3, 3, 3]);
	});

	it('learns how long messages wait, and forgets it when it is no longer news', async () => {
		const lanes = lanesWith(queue(() => ({ backlogCount: 5, oldestMessageTimestamp: new Date(Date.now() - 8_000) })));
		await sendJob(lanes, 'jobs', MESSAGE);
		expect(backlogMs(lanes, 'jobs', Date.now())).toBeGreaterThanOrEqual(8_000);
		expect(backlogMs(lanes, 'jobs', Date.now())).toBeLessThan(9_000);
		advanceClock(31_000);
		expect(backlogMs(lanes, 'jobs', Date.now())).toBe(0);
	});

	it('to a lane that has no queue is logged, and nothing is thrown', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		await sendJob(new Map(), 'jobs', MESSAGE);
		expect(String(log.mock.calls[0])).toContain('the lane has no queue');
		log.mockRestore();
	});

	it('finds the queues of each lane by the names of their bindings', () => {
		const env = { LANE_JOBS_2: 'b', LANE_JOBS_1: 'a', LANE_LONG_1: 'c', JOBS: 'no', LANE_: 'no' };
		expect([...lanesOf(env)]).toEqual([
			['jobs', ['a', 'b']],
			['long', ['c']],
		]);
	});
});
