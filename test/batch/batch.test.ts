import { describe, expect, it } from 'vitest';
import {
	type BatchRecord,
	countsOf,
	type Findings,
	goodForMs,
	retryAfterSeconds,
	unsettled,
	withFindings,
} from '../../src/batch/batch.ts';

const BATCH: BatchRecord = {
	version: 1,
	tenant: 'acme',
	createdAt: 0,
	keptUntil: 1_000_000,
	ids: ['a', 'b', 'c', 'd', 'e', 'f'],
	succeeded: [],
	gone: [],
};
const FINDINGS: Findings = [
	[0, 'succeeded'],
	[1, 'failed'],
	[2, 'running'],
	[3, 'gone'],
	[4, 'pending'],
	[5, 'canceled'],
];
const NONE = { pending: 0, running: 0, succeeded: 0, failed: 0, canceled: 0, gone: 0 };

describe('a batch', () => {
	it('asks all of its jobs, and later those that may have changed: a failed or canceled one can be run again', () => {
		expect(unsettled(BATCH)).toEqual([0, 1, 2, 3, 4, 5]);
		expect(unsettled(withFindings(BATCH, FINDINGS))).toEqual([1, 2, 4, 5]);
	});

	it('counts what is known and what was found, each job once', () => {
		const one = { pending: 1, running: 1, succeeded: 1, failed: 1, canceled: 1, gone: 1 };
		expect(countsOf(BATCH, FINDINGS)).toEqual(one);
		const later = withFindings(BATCH, FINDINGS);
		expect(countsOf(later, FINDINGS)).toEqual(one);
		expect(countsOf(later, [[2, 'succeeded']])).toEqual({ ...NONE, succeeded: 2, gone: 1 });
	});

	it('keeps what is certain through a finding that came too late', () => {
		const later = withFindings(BATCH, FINDINGS);
		expect(withFindings(later, [[0, 'gone']])).toBe(later);
		expect(withFindings(later, [[1, 'running']])).toBe(later);
	});

	it.each([
		[0, 1_000],
		[250, 2_500],
		[1_000, 10_000],
	])('with %i jobs to ask is asked again after %i ms at the earliest', (jobs, ms) => {
		expect(goodForMs(jobs)).toBe(ms);
	});

	it.each([
		['nothing has ended', { pending: 10 }, 5_000, 5],
		['half has', { pending: 5, succeeded: 5 }, 8_000, 8],
		['most has', { running: 10, succeeded: 90 }, 45_000, 5],
		['it takes hours', { pending: 900, succeeded: 100 }, 3_600_000, 60],
		['asking takes many calls', { pending: 900, succeeded: 100 }, 100, 9],
	])('says when all will have ended, going by those that have: %s', (_, counts, elapsedMs, seconds) => {
		expect(retryAfterSeconds({ ...NONE, ...counts }, elapsedMs, 0)).toBe(seconds);
		expect(retryAfterSeconds({ ...NONE, ...counts }, elapsedMs, 0.999)).toBeLessThanOrEqual(
			Math.min(60, seconds * 1.2 + 1),
		);
	});
});
