import { describe, expect, it } from 'vitest';
import type { RunningState } from '../../../src/core/job/record.ts';
import { liveProgressOf, numberedUntil, recover } from '../../../src/core/job/recover.ts';
import { applied, FENCE, running, succeeded, T0 } from './jobs.ts';

const stored = running();
const reported = applied(
	stored,
	{ type: 'progress', fence: FENCE, progress: { percentComplete: 40, message: 'm' } },
	T0 + 2_000,
);

describe('recover', () => {
	it('gives a job back the progress that its attempt kept, and when it was', () => {
		expect(recover(stored, liveProgressOf(reported))).toEqual(reported);
	});

	it('knows when that was, also by a clock that was set back since the attempt started', () => {
		const command = { type: 'progress', fence: FENCE, progress: { percentComplete: 40 } } as const;
		const earlier = applied(stored, command, T0 - 60_000);
		expect(recover(stored, liveProgressOf(earlier))).toEqual(earlier);
	});

	it('takes nothing from another attempt', () => {
		const other = { ...liveProgressOf(reported), attempt: 7 };
		expect(recover(stored, other).progress).toBeUndefined();
	});

	it('never gives a number twice when memory is lost: it goes on after the last that can have been given', () => {
		const { leaseEndsAt } = stored.state as RunningState;
		let job = stored;
		for (let now = T0 + 10; now < leaseEndsAt; now += 50) {
			job = applied(job, { type: 'progress', fence: FENCE, progress: { percentComplete: (now - T0) / 1_000 } }, now);
			expect(recover(stored, undefined).seq).toBeGreaterThanOrEqual(job.seq);
		}
		expect(recover(stored, undefined).seq).toBe(numberedUntil(stored));
	});

	it('leaves a job that is not running alone', () => {
		expect(recover(succeeded(), undefined)).toEqual(succeeded());
	});
});
