/** Progress of an external worker is written once a minute while it reports often, and no number is issued twice. */
import { describe, expect, it } from 'vitest';
import { advance } from '../../../src/core/job/advance.ts';
import { PROGRESS_EVENT_INTERVAL_MS, PROGRESS_WRITE_INTERVAL_MS } from '../../../src/core/job/limits.ts';
import type { JobRecord } from '../../../src/core/job/record.ts';
import { numberedUntil, recover } from '../../../src/core/job/recover.ts';
import { transition } from '../../../src/core/job/transition.ts';
import { applied, FENCE, running, T0 } from './jobs.ts';

const DAY_SECONDS = 86_400;
const waiting = () =>
	applied(running(), { type: 'wait', fence: FENCE, terms: { timeoutSeconds: DAY_SECONDS } }, T0 + 100);

/** Reports at this interval. @returns the written records, and the final job. */
function reported(everyMs: number, forMs: number, from: JobRecord = waiting(), begin = T0 + 1_000) {
	const written: JobRecord[] = [];
	let limit = numberedUntil(from);
	let job = from;
	// As in the job's object: a number that was not reserved is written, for every kind of change.
	const keep = (next: JobRecord, isVolatile: boolean) => {
		if (!isVolatile || next.seq > limit) {
			written.push(next);
			limit = numberedUntil(next);
		}
		job = next;
		expect(recover(written.at(-1) ?? from, undefined).seq).toBeGreaterThanOrEqual(job.seq);
	};
	for (let now = begin; now < begin + forMs; now += everyMs) {
		const advanced = advance(job, now, 0) ?? job;
		keep(advanced, advanced.unwritten === job.unwritten);
		const progress = { percentComplete: Math.min(100, (now - T0) / 10_000) };
		const result = transition(job, { type: 'progress', fence: FENCE, progress, isExternal: true }, now);
		keep(result.job, result.volatile === true);
	}
	return { written, job };
}

describe('the progress of an external worker that reports often', () => {
	it.each([
		100, 499, 700, 5_000,
	])('every %i ms is written once a minute, after the first few, and no number is ever given twice', (everyMs) => {
		const minutes = 10;
		const { written, job } = reported(everyMs, minutes * PROGRESS_WRITE_INTERVAL_MS);
		expect(written.length).toBeGreaterThan(minutes - 2);
		expect(written.length).toBeLessThanOrEqual(minutes + 3);
		const events = job.seq - waiting().seq;
		expect(events).toBeGreaterThan(60);
	});

	it('writes the first event after memory was lost', () => {
		const { written } = reported(700, 30_000);
		const stored = written.at(-1) as JobRecord;
		const found = recover(stored, undefined);
		expect(found.seq).toBeGreaterThan(stored.seq);
		expect(reported(700, 1, found, T0 + 60_000).written).toHaveLength(1);
	});
});

describe('the progress of an external worker that reports seldom', () => {
	it('is written each time: its object sleeps in between, and forgets', () => {
		const { written, job } = reported(15_000, 10 * 15_000);
		expect(written).toHaveLength(10);
		expect(recover(job, undefined)).toEqual(job);
	});
});

describe('progress that comes too soon after an event', () => {
	const soon = () => {
		const first = applied(waiting(), { type: 'progress', fence: FENCE, progress: { percentComplete: 1 } }, T0 + 1_000);
		return applied(first, { type: 'progress', fence: FENCE, progress: { percentComplete: 2 } }, T0 + 1_100);
	};

	it('becomes an event by time alone, once', () => {
		const job = soon();
		expect(advance(job, T0 + 1_000 + PROGRESS_EVENT_INTERVAL_MS - 1, 0)).toBe(job);
		const told = advance(job, T0 + 60_000, 0) as JobRecord;
		expect(told).toMatchObject({ seq: job.seq + 1, progress: { percentComplete: 2 } });
		expect(told.updatedAt).toBe(T0 + 1_000 + PROGRESS_EVENT_INTERVAL_MS);
		expect(advance(told, T0 + 120_000, 0)).toBe(told);
	});

	it('has no event of its own when another carries it', () => {
		const done = applied(soon(), { type: 'complete', fence: FENCE, reply: { status: 204, headers: [] } }, T0 + 1_200);
		expect(advance(done, T0 + 60_000, 0)).toBe(done);
		expect(done).not.toHaveProperty('isUntold');
	});
});
