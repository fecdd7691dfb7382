import { describe, expect, it } from 'vitest';
import {
	type BatchRecord,
	batchRetryAfterSeconds,
	countStatuses,
	goodForMs,
	isMoreSettled,
	type StatusUpdates,
	type Submitted,
	unsettled,
	withFindings,
	withJobs,
} from '../../../src/core/batch/batch.ts';

const NONE = { pending: 0, running: 0, succeeded: 0, failed: 0, canceled: 0, gone: 0 };
const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];

const submitted = (ids: readonly string[], isNew: boolean, keptUntil = 1_000_000): Submitted => ({
	tenant: 'acme',
	keptUntil,
	jobs: ids.map((id) => ({ id, found: 'pending', isNew })),
});
const BATCH: BatchRecord = withJobs(undefined, submitted(IDS, true), 100);
const FINDINGS: StatusUpdates = [
	[0, 'succeeded'],
	[1, 'failed'],
	[2, 'running'],
	[3, 'gone'],
	[4, 'pending'],
	[5, 'canceled'],
];
const found = (batch: BatchRecord, findings: StatusUpdates, countedAt = batch.countedAt + 1) =>
	withFindings(batch, { findings, countedAt, round: batch.round });

describe('a batch', () => {
	it('asks all of its jobs, and later those that may have changed: a failed or canceled one can be run again', () => {
		expect(unsettled(BATCH)).toEqual([0, 1, 2, 3, 4, 5]);
		expect(unsettled(found(BATCH, FINDINGS))).toEqual([1, 2, 4, 5]);
	});

	it('counts what is known and what was found, each job once', () => {
		const one = { pending: 1, running: 1, succeeded: 1, failed: 1, canceled: 1, gone: 1 };
		const later = found(BATCH, FINDINGS);
		expect(later.counts).toEqual(one);
		expect(countStatuses(later, FINDINGS)).toEqual(one);
		expect(countStatuses(later, [[2, 'succeeded']])).toEqual({ ...NONE, succeeded: 2, gone: 1 });
	});

	it('keeps what is certain through what was found before it, or comes in late', () => {
		const later = found(BATCH, FINDINGS);
		expect(
			withFindings(later, { findings: [[1, 'pending']], countedAt: later.countedAt - 1, round: later.round }),
		).toBe(later);
		expect(found(later, [[0, 'gone']]).succeeded).toEqual([0]);
		expect(isMoreSettled(later, BATCH)).toBe(true);
		expect(isMoreSettled(found(later, [[1, 'running']]), later)).toBe(false);
	});

	it('takes in what was not accepted before, asks for it, and forgets what was found out before that', () => {
		const first = withJobs(undefined, submitted(['a', 'b'], true), 100);
		const asked = first.round;
		const again: Submitted = {
			...submitted([], true, 2_000_000),
			jobs: [
				{ id: 'a', found: 'succeeded', isNew: false },
				{ id: 'c', found: 'pending', isNew: true },
				{ id: 'b', found: 'running', isNew: false },
			],
		};
		const both = withJobs(first, again, 200);
		expect(both).toMatchObject({ ids: ['a', 'b', 'c'], createdAt: 100, keptUntil: 2_000_000, countedAt: 200 });
		expect(both.counts).toEqual({ ...NONE, succeeded: 1, running: 1, pending: 1 });
		expect(withFindings(both, { findings: [[1, 'gone']], countedAt: 300, round: asked })).toBe(both);
		expect(unsettled(both)).toEqual([0, 1, 2]);
	});

	it('asks a job anew that was gone, and was accepted again under the same key', () => {
		const over = found(BATCH, [
			[0, 'gone'],
			[1, 'succeeded'],
		]);
		const again: Submitted = {
			...submitted(IDS.slice(1), false),
			jobs: [{ id: 'a', found: 'pending', isNew: true }, ...submitted(IDS.slice(1), false).jobs],
		};
		expect(unsettled(withJobs(over, again, 500))).toEqual([0, 2, 3, 4, 5]);
	});

	it('is another batch when nothing of it was there before, and its old links are not good for it', () => {
		const over = found(BATCH, FINDINGS);
		const next = withJobs(over, submitted(IDS, true), 900);
		expect(next).toMatchObject({ createdAt: 900, succeeded: [], gone: [], counts: { ...NONE, pending: 6 } });
		expect(next.round).toBeGreaterThan(over.round);
	});

	it('has to be asked at once about a job that was there before and was not sent again', () => {
		const repeat = withJobs(BATCH, submitted(IDS.slice(0, 3), false), 900);
		expect([repeat.ids.length, repeat.countedAt]).toEqual([6, 0]);
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
		expect(batchRetryAfterSeconds({ ...NONE, ...counts }, elapsedMs, 0)).toBe(seconds);
		const last = Math.min(60, seconds * 1.2 + 1);
		expect(batchRetryAfterSeconds({ ...NONE, ...counts }, elapsedMs, 0.999)).toBeLessThanOrEqual(last);
	});
});
