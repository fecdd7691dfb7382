import { describe, expect, it, vi } from 'vitest';
import { UNLINKED_MS } from '../../src/core/job/limits.ts';
import { linked } from '../../src/core/job/presence.ts';
import type { JobRecord } from '../../src/core/job/record.ts';
import { numberedUntil } from '../../src/core/job/recover.ts';
import type { Announcer } from '../../src/object/announcer.ts';
import { JobKeeper } from '../../src/object/job-keeper.ts';
import type { JobSockets } from '../../src/object/sockets.ts';
import type { JobStore } from '../../src/object/store.ts';
import { FENCE, REPLY, running, T0 } from '../core/job/jobs.ts';

/** An object that was reset: storage has the job, and no socket is left. */
function keeperOf(stored: JobRecord, save = vi.fn<(job: JobRecord) => void>()) {
	const store = { load: () => stored, save, setAlarm: () => {}, setAlarmBy: () => {}, deleteChunksExcept: () => {} };
	const sockets = { liveProgress: () => undefined, abort: () => {} };
	const announcer = { announce: () => {} };
	const keeper = new JobKeeper(
		store as unknown as JobStore,
		sockets as unknown as JobSockets,
		announcer as unknown as Announcer,
	);
	return { keeper, save };
}

describe('the keeper of a job', () => {
	it('writes an event whose number another reset would issue again', () => {
		const stored = linked(running());
		const { keeper, save } = keeperOf(stored);
		const report = { type: 'progress', fence: FENCE, progress: { percentComplete: 50 } } as const;
		const seq = keeper.apply(report, T0 + 1_000)?.job.seq ?? 0;
		expect(seq).toBeGreaterThan(numberedUntil(stored));
		expect(save).toHaveBeenCalledTimes(1);
		expect(save.mock.lastCall?.[0].seq).toBe(seq);
	});

	it('knows only what is stored, if storage rejects a change', () => {
		const save = vi.fn<(job: JobRecord) => void>().mockImplementationOnce(() => {
			throw new Error('string or blob too big');
		});
		const { keeper } = keeperOf(linked(running()), save);
		const complete = { type: 'complete', fence: FENCE, reply: REPLY } as const;
		expect(() => keeper.apply(complete, T0 + 1_000)).toThrow('too big');
		expect(keeper.current(T0 + 2_000)?.state.name).toBe('running');
		expect(keeper.apply(complete, T0 + 3_000)?.job.state).toMatchObject({ name: 'succeeded', finishedAt: T0 + 3_000 });
	});

	it('gives an attempt its time to return after a reset, even if its link broke and returned before', () => {
		const { keeper, save } = keeperOf(linked(running()));
		keeper.apply({ type: 'unlink', fence: FENCE, isClosed: false }, T0 + 10_000);
		keeper.apply({ type: 'link', fence: FENCE }, T0 + 10_500);
		const { keeper: next } = keeperOf(save.mock.lastCall?.[0] ?? running());
		expect(next.current(T0 + 60_000)?.state.name).toBe('running');
		expect(next.current(T0 + 60_000 + UNLINKED_MS.broken)?.state.name).toBe('pending');
	});
});
