import { describe, expect, it } from 'vitest';
import { liveProgressOf, recover } from '../../src/job/recover.ts';
import { applied, FENCE, running, succeeded, T0 } from './jobs.ts';

const stored = running();
const reported = applied(
	stored,
	{ type: 'progress', fence: FENCE, progress: { percentComplete: 40, message: 'm' } },
	T0 + 2_000,
);

describe('recover', () => {
	it('gives a job back the progress that its attempt kept, and when it was', () => {
		expect(recover(stored, liveProgressOf(reported), T0 + 3_000)).toEqual(reported);
	});

	it('takes nothing from another attempt', () => {
		const other = { ...liveProgressOf(reported), attempt: 7 };
		expect(recover(stored, other, T0 + 3_000).progress).toBeUndefined();
	});

	it('never gives a number twice when memory is lost: it goes on after the last that can have been given', () => {
		let job = stored;
		for (let now = T0 + 10; now < T0 + 30_000; now += 50) {
			job = applied(job, { type: 'progress', fence: FENCE, progress: { percentComplete: (now - T0) / 300 } }, now);
			expect(recover(stored, undefined, now).seq).toBeGreaterThanOrEqual(job.seq);
		}
	});

	it('leaves a job that is not running alone', () => {
		expect(recover(succeeded(), undefined, T0 + 3_000)).toEqual(succeeded());
	});
});
