import { describe, expect, it } from 'vitest';
import { learn, usualMs } from '../../src/http/usual.ts';

const run = (id: string, seconds: number) => ({
	id,
	task: 'measured',
	startedAt: '2026-11-20T12:00:00.000Z',
	finishedAt: new Date(Date.UTC(2026, 10, 20, 12, 0, seconds)).toISOString(),
});

describe('the usual duration of a task', () => {
	it('is learnt once from each run of a job, however often the job is asked for', () => {
		learn(run('slow', 50));
		for (let poll = 0; poll < 100; poll++) learn(run('fast', 0));
		expect(usualMs('measured')).toBe(40_000);
		// The same job, run again.
		learn(run('fast', 40));
		expect(usualMs('measured')).toBe(40_000);
		learn(run('fast', 50));
		expect(usualMs('measured')).toBe(42_000);
	});
});
