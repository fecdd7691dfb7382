import { describe, expect, it } from 'vitest';
import { parseRetryAfter, retryAfterMs } from '../../../src/core/operation/retry-after.ts';

describe('retryAfterSeconds', () => {
	const now = Date.UTC(2026, 10, 20, 12, 0, 0);
	it.each([
		[null, undefined],
		['0', 0],
		[' 17 ', 17],
		['Fri, 20 Nov 2026 12:00:30 GMT', 30],
		['Fri, 20 Nov 2026 11:00:00 GMT', 0],
		['soon', undefined],
		['-5', undefined],
		['1.5', undefined],
	])('of %j is %j', (header, expected) => {
		expect(parseRetryAfter(header, now)).toBe(expected);
		expect(retryAfterMs(header, now)).toBe(expected === undefined ? undefined : expected * 1_000);
	});
});
