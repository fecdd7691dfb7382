import { describe, expect, it } from 'vitest';
import { NumberSummary } from '../../src/tasks/profile-csv/number-summary.ts';
import { TextSummary } from '../../src/tasks/profile-csv/text-summary.ts';

function numbers(...values: number[]): NumberSummary {
	const summary = new NumberSummary();
	for (const value of values) summary.add(value);
	return summary;
}

function texts(maxShownCharacters: number, ...values: string[]): TextSummary {
	const summary = new TextSummary(maxShownCharacters);
	for (const value of values) summary.add(value);
	return summary;
}

describe('NumberSummary', () => {
	it('has no mean and no spread of nothing', () => {
		expect(numbers().mean).toBeUndefined();
		expect(numbers().stddev).toBeUndefined();
	});

	it('has a mean but no spread of one number', () => {
		expect(numbers(5).mean).toBe(5);
		expect(numbers(5).stddev).toBeUndefined();
	});

	it('divides the spread by n − 1', () => {
		const { min, max, mean, stddev } = numbers(2, 4, 4, 4, 5, 5, 7, 9);
		expect({ min, max, mean }).toEqual({ min: 2, max: 9, mean: 5 });
		expect(stddev).toBeCloseTo(Math.sqrt(32 / 7), 12);
	});

	it('stays exact where a sum of squares would lose everything', () => {
		const { mean, stddev } = numbers(1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16);
		expect(mean).toBe(1e9 + 10);
		expect(stddev).toBeCloseTo(Math.sqrt(30), 9);
	});

	it('leaves out what is too large for a double', () => {
		const summary = numbers(1.7e308, -1.7e308, 1.7e308);
		expect(summary.mean).toBeUndefined();
		expect(summary.stddev).toBeUndefined();
		expect(summary.max).toBe(1.7e308);
	});
});

describe('TextSummary', () => {
	it('knows first, last, shortest and longest', () => {
		const { min, max, minLength, maxLength } = texts(10, 'pear', 'fig', 'Apple', 'zucchini');
		expect({ min, max, minLength, maxLength }).toEqual({ min: 'Apple', max: 'zucchini', minLength: 3, maxLength: 8 });
	});

	it('cuts what is longer than it may show, and says so with an ellipsis', () => {
		const { min, max, maxLength } = texts(3, 'abcd', 'xyz', 'xyzz');
		expect({ min, max, maxLength }).toEqual({ min: 'abc…', max: 'xyz…', maxLength: 4 });
	});

	it('shows whole what is just as long as it may show', () => {
		expect(texts(3, 'abc', 'abcd').min).toBe('abc');
		expect(texts(3, 'abcd', 'abc').min).toBe('abc');
		expect(texts(3, 'abc').max).toBe('abc');
	});

	it('never cuts a character in half', () => {
		expect(texts(3, 'ab😀😀').min).toBe('ab…');
		expect(texts(4, 'ab😀😀').min).toBe('ab😀…');
	});

	it('orders long texts by what they start with', () => {
		const { min, max } = texts(2, `b${'x'.repeat(1000)}`, `a${'z'.repeat(1000)}`, `c${'a'.repeat(1000)}`);
		expect({ min, max }).toEqual({ min: 'az…', max: 'ca…' });
	});
});
