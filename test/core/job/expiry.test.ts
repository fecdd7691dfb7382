import { describe, expect, it } from 'vitest';
import { advance } from '../../../src/core/job/advance.ts';
import { readableUntil } from '../../../src/core/job/expiry.ts';
import type { JobRecord } from '../../../src/core/job/record.ts';
import { applied, failed, failure, queued, succeeded, T0 } from './jobs.ts';

describe('a link', () => {
	it('works until nothing is left of a finished job, tombstone and all', () => {
		for (const job of [succeeded(), failed()]) {
			expect(advance(job, readableUntil(job) - 1, 0)?.state.name).toBe('tombstone');
			expect(advance(job, readableUntil(job), 0)).toBeUndefined();
		}
	});

	it('given out at submission outlives the slowest way that the job can go', () => {
		for (const options of [
			{},
			{ startWithinSeconds: 60, retainSeconds: 60 },
			{ delaySeconds: 86_400, maxAttempts: 50 },
		]) {
			let job: JobRecord = queued(options);
			const until = readableUntil(job);
			for (let attempt = 1; job.state.name === 'pending'; attempt++) {
				const now: number = job.state.notBefore;
				job = applied(job, { type: 'start', epoch: 1 }, now);
				const end = now + job.options.timeoutSeconds * 1_000;
				const command = {
					type: 'fail',
					fence: { epoch: 1, attempt },
					failure: failure(true),
					retryAfterSeconds: 43_200,
					random: 1,
				} as const;
				job = applied(job, command, end);
			}
			expect(job.state.name).toBe('failed');
			expect(readableUntil(job)).toBeLessThanOrEqual(until);
			expect(until).toBeGreaterThan(T0);
		}
	});
});
