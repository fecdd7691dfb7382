import { describe, expect, it } from 'vitest';
import { DISTINCT_VALUE_BYTES, DistinctBudget, DistinctCounter } from '../../src/tasks/profile-csv/distinct-counter.ts';

const AMPLE_BYTES = 64 * 1024 * 1024;

function counterOf(texts: Iterable<string>, maxDistinct = 100_000, budget = new DistinctBudget(AMPLE_BYTES)) {
	const counter = new DistinctCounter(maxDistinct, budget);
	for (const text of texts) counter.add(text);
	return counter;
}

function* numbered(count: number, prefix = ''): Generator<string> {
	for (let n = 0; n < count; n++) yield `${prefix}${n}`;
}

/** Bytes of a value of one character. */
const VALUE_BYTES = DISTINCT_VALUE_BYTES + 1;

function outcome({ count, isLowerBound }: DistinctCounter): { count: number; isLowerBound: boolean } {
	return { count, isLowerBound };
}

describe('DistinctCounter', () => {
	it('starts with nothing', () => {
		expect(outcome(counterOf([]))).toEqual({ count: 0, isLowerBound: false });
	});

	it('counts a value once however often it comes', () => {
		expect(counterOf(['a', 'b', 'a', 'a', 'b', '']).count).toBe(3);
	});

	it('says whether a value was there before, as long as it can tell', () => {
		const counter = counterOf(['a'], 2);
		expect(['a', 'b', 'b', 'c', 'a', 'c'].map((text) => counter.add(text))).toEqual([
			false,
			true,
			false,
			true,
			true,
			true,
		]);
	});

	it.each([1, 1000, 50_000])('counts %d different values exactly, twice over', (count) => {
		expect(outcome(counterOf([...numbered(count), ...numbered(count)]))).toEqual({ count, isLowerBound: false });
	});

	it('is exact at 100,000 different values, and goes on knowing them', () => {
		expect(outcome(counterOf([...numbered(100_000), ...numbered(100_000)]))).toEqual({
			count: 100_000,
			isLowerBound: false,
		});
	});

	it('says that 100,000 is a lower bound at 100,001 different values', () => {
		expect(outcome(counterOf(numbered(100_001)))).toEqual({ count: 100_000, isLowerBound: true });
	});

	it.each([
		['', '\0'],
		['a', 'a\0'],
		['ab', 'ba'],
		['\u00e9', 'e\u0301'],
		['1', '1.0'],
	])('tells %j from %j', (one, other) => {
		expect(counterOf([one, other]).count).toBe(2);
	});

	it('stops where the budget ends, and says so only when a new value came', () => {
		const budget = () => new DistinctBudget(3 * VALUE_BYTES);
		expect(outcome(counterOf(['a', 'b', 'c', 'a'], 1000, budget()))).toEqual({ count: 3, isLowerBound: false });
		expect(outcome(counterOf(['a', 'b', 'c', 'd'], 1000, budget()))).toEqual({ count: 3, isLowerBound: true });
	});

	it.each([
		['x', 1],
		['ж', 2],
	])('counts the characters of long values: %s takes %d bytes', (character, bytes) => {
		const budget = new DistinctBudget(DISTINCT_VALUE_BYTES + 1000 * bytes);
		expect(outcome(counterOf([character.repeat(1000)], 1000, budget))).toEqual({ count: 1, isLowerBound: false });
		expect(budget.take(1)).toBe(false);
	});

	it('says that nothing is a lower bound when there is no budget at all', () => {
		expect(outcome(counterOf(['a'], 1000, new DistinctBudget(0)))).toEqual({ count: 0, isLowerBound: true });
	});

	it('gives its bytes back when it stops, so that another column can count', () => {
		const budget = new DistinctBudget(10 * VALUE_BYTES);
		counterOf(numbered(11), 9, budget);
		expect(outcome(counterOf(numbered(10), 10, budget))).toEqual({ count: 10, isLowerBound: false });
	});
});
