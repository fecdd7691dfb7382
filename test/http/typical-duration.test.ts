import { describe, expect, it } from 'vitest';
import { recordDuration, typicalMs } from '../../src/http/typical-duration.ts';

const run = (id: string, seconds: number) => ({
	id,
	task: 'measured',
	startedAt: '2026-11-20T12:00:00.000Z',
	finishedAt: new Date(Date.UTC(2026, 10, 20, 12, 0, seconds)).toISOString(),
});

describe('the usual duration of a task', () => {
	it('is learnt once from each run of a job, however often the job is asked for', () => {
		recordDuration(run('slow', 50));
		for (let poll = 0; poll < 100; poll++) recordDuration(run('fast', 0));
		expect(typicalMs('measured')).toBe(40_000);
		// The same job, run again.
		recordDuration(run('fast', 40));
		expect(typicalMs('measured')).toBe(40_000);
		recordDuration(run('fast', 50));
		expect(typicalMs('measured')).toBe(42_000);
	});
});
