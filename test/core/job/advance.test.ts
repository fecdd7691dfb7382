import { describe, expect, it } from 'vitest';
import { advance } from '../../../src/core/job/advance.ts';
import { nextAlarmAt } from '../../../src/core/job/alarm.ts';
import { MAX_LOST_ATTEMPTS, TOMBSTONE_MS } from '../../../src/core/job/limits.ts';
import { linked } from '../../../src/core/job/presence.ts';
import { type JobRecord, maxAttempts } from '../../../src/core/job/record.ts';
import { applied, canceling, failed, purged, queued, retryWaiting, running, succeeded, T0 } from './jobs.ts';

const LEASE_END = T0 + 10 + 80_000;

describe('advance', () => {
	it('changes nothing before its time, nor when the clock was set back', () => {
		for (const job of [queued(), running(), canceling(), retryWaiting(), succeeded(), failed(), purged()]) {
			expect(advance(job, T0 + 1_000, 0)).toBe(job);
			expect(advance(job, T0 - 86_400_000, 0)).toBe(job);
		}
	});

	it('fails a job that was not started by its deadline, at the deadline', () => {
		const job = advance(queued({ startWithinSeconds: 30 }), T0 + 90_000, 0);
		expect(job?.state).toMatchObject({ name: 'failed', phase: 'expired', finishedAt: T0 + 30_000 });
		expect(job?.state).toMatchObject({ error: { code: 'StartDeadlinePassed' } });
	});

	it('forgets the start deadline once the job was started', () => {
		const job = applied(
			running({ startWithinSeconds: 30 }),
			{
				type: 'fail',
				fence: { epoch: 1, attempt: 1 },
				failure: { error: { code: 'X', message: '', retryable: true }, status: 500 },
				random: 0,
			},
			T0 + 20,
		);
		expect(advance(job, T0 + 31_000, 0)).toBe(job);
	});

	it('gives a lost attempt back, and leaves it to the alarm to send for another', () => {
		const job = advance(linked(running()), LEASE_END, 0.5);
		expect(job).toMatchObject({ attempt: 1, lostAttempts: 1 });
		expect(job && maxAttempts(job)).toBe(5);
		expect(job?.state).toMatchObject({ name: 'pending', notBefore: LEASE_END + 500, checkAt: LEASE_END + 500 });
		expect(job?.state).not.toHaveProperty('sentAt');
	});

	it('fails a job whose attempts keep getting lost', () => {
		let job: JobRecord | undefined = running();
		for (let lost = 0; lost <= MAX_LOST_ATTEMPTS && job; lost++) {
			job = advance(job, nextAlarmAt(job, job.updatedAt), 0);
			if (job?.state.name === 'pending') job = applied(job, { type: 'start', epoch: 1 }, job.state.notBefore);
		}
		expect(job?.state).toMatchObject({ name: 'failed', phase: 'dead-lettered', error: { code: 'DeliveryFailed' } });
		expect(job).toMatchObject({ attempt: MAX_LOST_ATTEMPTS + 1 });
	});

	it('fails a job at the first lost attempt when doing its work twice would do harm', () => {
		const job = advance({ ...running(), isOnce: true }, LEASE_END, 0);
		expect(job?.state).toMatchObject({ name: 'failed', phase: 'dead-lettered' });
		expect(job?.state).toMatchObject({ error: { code: 'DeliveryFailed', retryable: false } });
	});

	it('ends a canceled job whose attempt never let go', () => {
		const job = advance(canceling(), T0 + 20 + 20_000, 0);
		expect(job?.state).toMatchObject({ name: 'canceled', finishedAt: T0 + 20_020 });
	});

	it('leaves a tombstone when retention is over, and nothing when its time is', () => {
		const over = T0 + 20 + 3_600_000;
		const tombstone = advance(succeeded(), over, 0);
		expect(tombstone?.state).toEqual({ name: 'tombstone', reason: 'expired', goneAt: over + TOMBSTONE_MS });
		expect(tombstone).toMatchObject({ options: { tags: [] }, parameters: {}, history: [] });
		expect(tombstone).not.toHaveProperty('input');
		expect(advance(succeeded(), over + TOMBSTONE_MS, 0)).toBeUndefined();
	});

	it('takes several steps at once when nobody has looked for long', () => {
		expect(advance(queued({ startWithinSeconds: 30 }), T0 + 30_000 + 3_600_000, 0)?.state.name).toBe('tombstone');
	});

	it('has an alarm for every change that it makes', () => {
		for (const start of [queued({ startWithinSeconds: 5 }), running(), canceling(), succeeded(), failed(), purged()]) {
			const at = nextAlarmAt(start, start.updatedAt);
			expect(advance(start, at, 0)).not.toBe(start);
		}
	});
});
