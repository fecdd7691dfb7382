import { describe, expect, it } from 'vitest';
import {
	countsOfWalk,
	endOfWalk,
	refusalOfListed,
	START_OF_WALK,
	type Verdict,
	verdictOnChange,
	walkProgress,
	withListed,
	withVerdicts,
} from '../../../src/core/action/walk.ts';
import type { ListedJob } from '../../../src/core/job/news.ts';
import type { Change } from '../../../src/core/job/object-api.ts';
import type { Status } from '../../../src/core/job/record.ts';
import type { Refusal } from '../../../src/core/job/transition.ts';
import { foundJob } from '../../../src/core/job/view.ts';
import { canceled, canceling, failed, queued, succeeded, T0 } from '../job/jobs.ts';

const listed = (id: string, status: Status, task = 'sleep') => ({
	job: { id, status, task } as ListedJob,
	epoch: 1,
	readableUntil: 0,
});

function answer(refusal?: Refusal, job = queued()): Change {
	return { ...foundJob('a', job, T0), ...(refusal && { refusal }) };
}

describe('withListed', () => {
	it('takes the jobs that may be changed, counts the others, and leaves out the jobs of the service itself', () => {
		const entries = [
			listed('a', 'failed'),
			listed('b', 'running'),
			listed('c', 'succeeded'),
			listed('d', 'canceled'),
			listed('e', 'failed', 'coatcheck.action'),
		];
		expect(withListed(START_OF_WALK, 'retry', { entries, nextCursor: 'x' })).toEqual({
			page: [
				['a', 1],
				['d', 1],
			],
			cursor: 'x',
			done: 0,
			refused: { unfinished: 1, succeeded: 1 },
		});
	});

	it('ends with the last page, and forgets the cursor before it', () => {
		const before = { ...START_OF_WALK, cursor: 'x' };
		expect(withListed(before, 'cancel', { entries: [] })).toEqual({ ...START_OF_WALK, isLast: true });
	});
});

describe('refusalOfListed', () => {
	it.each([
		['cancel', 'running', undefined],
		['cancel', 'failed', 'finished'],
		['retry', 'pending', 'unfinished'],
		['retry', 'failed', undefined],
		['retry', 'succeeded', 'succeeded'],
		['purge', 'running', 'unfinished'],
		['purge', 'succeeded', undefined],
	] as const)('says for %s of a job that is %s: %s', (action, status, expected) => {
		expect(refusalOfListed(action, { status })).toBe(expected);
	});
});

describe('verdictOnChange', () => {
	const CASES: [string, Parameters<typeof verdictOnChange>, Verdict][] = [
		['a retry', ['retry', answer()], 'done'],
		['a retry that the same action made before', ['retry', answer('settled')], 'done'],
		['a retry of a job with a newer epoch', ['retry', answer('stale')], 'changed'],
		['a retry of a job that runs', ['retry', answer('unfinished')], 'unfinished'],
		['a retry with a reservation that has expired', ['retry', answer('late')], 'again'],
		['a cancel of a job that is canceled', ['cancel', answer('settled', canceled())], 'done'],
		['a cancel of a job that is being canceled', ['cancel', answer('settled', canceling())], 'done'],
		['a cancel of a job that has failed', ['cancel', answer('settled', failed())], 'finished'],
		['a cancel of a job that has succeeded', ['cancel', answer('settled', succeeded())], 'finished'],
		['a purge', ['purge', { found: 'tombstone', reason: 'purged' }], 'done'],
		['a purge of an expired job', ['purge', { found: 'tombstone', reason: 'expired' }], 'gone'],
		['a retry of a purged job', ['retry', { found: 'tombstone', reason: 'purged' }], 'gone'],
		['a cancel of nothing', ['cancel', { found: 'nothing' }], 'gone'],
	];

	it.each(CASES)('%s', (_, parameters, expected) => {
		expect(verdictOnChange(...parameters)).toBe(expected);
	});
});

describe('the counts', () => {
	it('add what became of the jobs, and keep those that must be asked again', () => {
		const walk = withVerdicts(START_OF_WALK, ['done', 'changed', 'done', 'again'], [['z', 3]]);
		expect(walk).toEqual({ page: [['z', 3]], done: 2, refused: { changed: 1 } });
	});

	it('count the jobs that left the list before the action came to them as changed', () => {
		const walk = { ...START_OF_WALK, done: 5, refused: { changed: 1, gone: 1 } };
		expect(countsOfWalk(endOfWalk(walk, 10), 10)).toEqual({
			matched: 10,
			done: 5,
			refused: 5,
			refusals: { changed: 4, gone: 1 },
		});
	});

	it('never show more done than matched, where the list was late', () => {
		expect(countsOfWalk({ done: 7, refused: {} }, 5)).toEqual({ matched: 7, done: 7, refused: 0 });
	});

	it('reach 100 % only at the end', () => {
		const walk = { ...START_OF_WALK, done: 10 };
		expect(walkProgress(walk, 10, false).percentComplete).toBe(99);
		expect(walkProgress(walk, 10, true)).toEqual({
			percentComplete: 100,
			message: '10 of 10 jobs done, 0 refused',
			data: { matched: 10, done: 10, refused: 0 },
		});
		expect(walkProgress(START_OF_WALK, 0, false).percentComplete).toBe(0);
	});
});
