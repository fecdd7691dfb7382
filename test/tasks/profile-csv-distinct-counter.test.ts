import { describe, expect, it } from 'vitest';
import { DistinctBudget, DistinctCounter } from '../../src/tasks/profile-csv/distinct-counter.ts';
import { fingerprint } from '../../src/tasks/profile-csv/fingerprint.ts';

const AMPLE_BYTES = 64 * 1024 * 1024;

function counterOf(texts: Iterable<string>, maxDistinct = 100_000, budget = new DistinctBudget(AMPLE_BYTES)) {
	const counter = new DistinctCounter(maxDistinct, budget);
	for (const text of texts) counter.add(text);
	return counter;
}

function* numbered(count: number, prefix = ''): Generator<string> {
	for (let n = 0; n < count; n++) yield `${prefix}${n}`;
}

function outcome({ count, isLowerBound }: DistinctCounter): { count: number; isLowerBound: boolean } {
	return { count, isLowerBound };
}

function fingerprintOf(text: string): string {
	const out = new Uint32Array(2);
	fingerprint(text, out);
	return `${out[0]}:${out[1]}`;
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

	it.each([1, 51, 52, 63, 64, 65, 1000, 50_000])('counts %d different values exactly, twice over', (count) => {
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

	it('needs 1 MiB for 100,000 values, beside half as much while it grows', () => {
		const mib = 1024 * 1024;
		expect(counterOf(numbered(100_000), 100_000, new DistinctBudget(1.5 * mib)).isLowerBound).toBe(false);
		expect(counterOf(numbered(100_000), 100_000, new DistinctBudget(1.5 * mib - 1)).isLowerBound).toBe(true);
	});

	it('stops where the budget ends, and says so only when a new value came', () => {
		const tableOf64 = 64 * 8;
		expect(outcome(counterOf(numbered(52), 1000, new DistinctBudget(tableOf64)))).toEqual({
			count: 52,
			isLowerBound: false,
		});
		expect(outcome(counterOf(numbered(53), 1000, new DistinctBudget(tableOf64)))).toEqual({
			count: 52,
			isLowerBound: true,
		});
	});

	it('says that nothing is a lower bound when there is no budget at all', () => {
		expect(outcome(counterOf(['a'], 1000, new DistinctBudget(0)))).toEqual({ count: 0, isLowerBound: true });
	});

	it('gives its bytes back when it stops, so that another column can count', () => {
		const budget = new DistinctBudget(64 * 8);
		counterOf(numbered(11), 10, budget);
		expect(outcome(counterOf(numbered(10), 10, budget))).toEqual({ count: 10, isLowerBound: false });
	});

	it('gives back the smaller table each time it grows', () => {
		const budget = new DistinctBudget(64 * 1024);
		counterOf(numbered(1000), 5000, budget);
		// 1,000 values take 2,048 slots of 8 bytes.
		expect(budget.take(64 * 1024 - 2048 * 8 + 1)).toBe(false);
		expect(budget.take(64 * 1024 - 2048 * 8)).toBe(true);
	});

	it('gives up looking for a place among values that were made to collide', () => {
		const colliding = new CollidingTexts();
		expect(outcome(counterOf(colliding))).toEqual({ count: 2048, isLowerBound: true });
	});
});

/** 2,500 different texts whose fingerprints map to the same slot of any table of up to 4,096 slots. */
class CollidingTexts {
	*[Symbol.iterator](): Generator<string> {
		const out = new Uint32Array(2);
		let found = 0;
		for (let n = 0; found < 2500; n++) {
			fingerprint(String(n), out);
			if (((out[1] ?? 0) & 0xfff) !== 0) continue;
			found++;
			yield String(n);
		}
	}
}

describe('fingerprint', () => {
	it('is the same for the same text, and fills 64 bits', () => {
		expect(fingerprintOf('Wien')).toBe(fingerprintOf(['Wi', 'en'].join('')));
		const highs = new Set([...numbered(20_000)].map((text) => fingerprintOf(text).split(':')[0]));
		const lows = new Set([...numbered(20_000)].map((text) => fingerprintOf(text).split(':')[1]));
		// Of 20,000 random words of 32 bits, 20,000² / 2^33 = 0.05 pairs are expected to be equal.
		expect(highs.size).toBeGreaterThan(19_995);
		expect(lows.size).toBeGreaterThan(19_995);
	});

	it.each([
		['', '\0'],
		['a', 'a\0'],
		['ab', 'ba'],
		['abcd', 'cdab'],
		['\u0100', '\u0001'],
		['\u00e9', 'e\u0301'],
		['1', '1.0'],
	])('tells %j from %j', (one, other) => {
		expect(fingerprintOf(one)).not.toBe(fingerprintOf(other));
	});

	it.each([
		'',
		'row ',
		'ä',
		'https://example.com/items?id=',
	])('gives 200,000 texts that start with %j as many', (prefix) => {
		expect(new Set([...numbered(200_000, prefix)].map(fingerprintOf)).size).toBe(200_000);
	});

	it('spreads over the low bits that choose the slot', () => {
		const slots = new Uint32Array(256);
		const out = new Uint32Array(2);
		for (const text of numbered(25_600)) {
			fingerprint(text, out);
			const slot = (out[1] ?? 0) & 255;
			slots[slot] = (slots[slot] ?? 0) + 1;
		}
		// 100 expected in each, with a standard deviation of 10.
		expect(Math.max(...slots)).toBeLessThan(150);
		expect(Math.min(...slots)).toBeGreaterThan(50);
	});
});
