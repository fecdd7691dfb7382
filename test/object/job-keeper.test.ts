import { describe, expect, it, vi } from 'vitest';
import { linked } from '../../src/core/job/presence.ts';
import type { JobRecord } from '../../src/core/job/record.ts';
import { numberedUntil } from '../../src/core/job/recover.ts';
import type { Announcer } from '../../src/object/announcer.ts';
import { JobKeeper } from '../../src/object/job-keeper.ts';
import type { JobSockets } from '../../src/object/sockets.ts';
import type { JobStore } from '../../src/object/store.ts';
import { FENCE, running, T0 } from '../core/job/jobs.ts';

/** An object that was reset: storage has the job, and no socket is left. */
function keeperOf(stored: JobRecord) {
	const save = vi.fn<(job: JobRecord) => void>();
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
});
