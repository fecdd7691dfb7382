import { describe, expect, it } from 'vitest';
import {
	batchErasureAt,
	type Erasure,
	erasureAfter,
	isErasureHopeless,
	mergeErasures,
	nextErased,
	postponeErasure,
} from '../../../src/core/batch/erasure.ts';
import { ERASE_AGAIN_MS, ERASED_AT_ONCE, MAX_ERASURE_ALARMS } from '../../../src/core/batch/limits.ts';
import { nextAlarmAt } from '../../../src/core/job/alarm.ts';
import { MAX_UNERASED_MS, TOMBSTONE_MS } from '../../../src/core/job/limits.ts';
import { failed, OPTIONS, queued, running, succeeded, T0 } from '../job/jobs.ts';

const many = (count: number) => Array.from({ length: count }, (_, index) => `job-${index}`);
const HOUR_MS = 3_600_000;

describe('a batch', () => {
	it('erases its jobs an hour and a quarter after the retention of one that ends at once', () => {
		expect(batchErasureAt(T0, 60)).toBe(T0 + 60_000 + 1.25 * HOUR_MS);
	});

	it('that is submitted again erases the jobs of both submissions, at the later time', () => {
		const before = { at: T0 + 5, ids: ['a', 'b'], alarms: 3 };
		expect(mergeErasures(before, { at: T0, ids: ['b', 'c'] })).toEqual({ at: T0 + 5, ids: ['a', 'b', 'c'] });
		expect(mergeErasures(undefined, { at: T0, ids: ['a'] })).toEqual({ at: T0, ids: ['a'] });
	});

	it('erases many jobs in portions, one after the other', () => {
		const ids = many(ERASED_AT_ONCE + 1);
		const erasure = postponeErasure({ at: T0, ids }, T0);
		const tried = nextErased(erasure);
		expect(tried).toHaveLength(ERASED_AT_ONCE);
		const left = erasureAfter(erasure, { tried, failed: [], now: T0 });
		expect(left).toMatchObject({ at: T0, ids: ids.slice(ERASED_AT_ONCE) });
		expect(erasureAfter(left as Erasure, { tried: nextErased(left as Erasure), failed: [], now: T0 })).toBeUndefined();
	});

	it('tries a job again after an hour to a day when it could not be reached, and gives up after a year', () => {
		let erasure: Erasure = { at: T0, ids: ['a', 'b'] };
		let alarms = 0;
		for (; !isErasureHopeless(erasure); alarms++) {
			const now = erasure.at;
			const left = erasureAfter(postponeErasure(erasure, now), { tried: erasure.ids, failed: ['b'], now });
			expect(left).toMatchObject({
				at: now + Math.min(ERASE_AGAIN_MS.first * 2 ** alarms, ERASE_AGAIN_MS.max),
				ids: ['b'],
			});
			erasure = left as Erasure;
		}
		expect(alarms).toBe(MAX_ERASURE_ALARMS);
	});

	it('erases the jobs that replace those that it is erasing, when their time has come', () => {
		const planned = postponeErasure({ at: T0, ids: ['a', 'b'] }, T0);
		const merged = mergeErasures(planned, { at: T0 + HOUR_MS * 30, ids: ['a', 'b'] });
		const left = erasureAfter(merged, { tried: ['a', 'b'], failed: [], now: T0 });
		expect(left).toEqual({ at: T0 + HOUR_MS * 30, ids: ['a', 'b'] });
	});
});

describe('a job of a batch', () => {
	const goneAt = T0 + OPTIONS.retainSeconds * 1_000 + TOMBSTONE_MS;

	it('sets no alarm for its erasure when its batch erases it soon afterwards', () => {
		for (const job of [succeeded(), failed()]) {
			const { expiresAt } = job.state as { expiresAt: number };
			const isGoneAt = expiresAt + TOMBSTONE_MS;
			expect(nextAlarmAt({ ...job, batchErasesAt: isGoneAt }, T0)).toBe(Number.POSITIVE_INFINITY);
			expect(nextAlarmAt({ ...job, batchErasesAt: isGoneAt + MAX_UNERASED_MS }, T0)).toBe(Number.POSITIVE_INFINITY);
		}
	});

	it('erases itself when its batch does so before it is gone, or much later', () => {
		const job = succeeded();
		const { expiresAt } = job.state as { expiresAt: number };
		const isGoneAt = expiresAt + TOMBSTONE_MS;
		for (const batchErasesAt of [isGoneAt - 1, isGoneAt + MAX_UNERASED_MS + 1, 0])
			expect(nextAlarmAt({ ...job, batchErasesAt }, T0)).toBe(isGoneAt);
	});

	it('erases itself when its batch has come already', () => {
		const job = succeeded();
		const { expiresAt } = job.state as { expiresAt: number };
		const isGoneAt = expiresAt + TOMBSTONE_MS;
		expect(nextAlarmAt({ ...job, batchErasesAt: isGoneAt }, isGoneAt)).toBe(isGoneAt);
	});

	it('keeps its watchdog and its lease as long as it is not over', () => {
		for (const job of [queued(), running()])
			expect(nextAlarmAt({ ...job, batchErasesAt: goneAt }, T0)).toBe(nextAlarmAt(job, T0));
	});
});
