import { describe, expect, it } from 'vitest';
import { pollWaitMs } from '../../../src/core/upstream/poll.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** The waits, in seconds, of an operation that never ends, if each poll is sent when its wait has ended. */
function waitsOf(retryAfterMs: number | undefined, count: number): number[] {
	const waits: number[] = [];
	let elapsedMs = 0;
	for (let answers = 0; answers < count; answers++) {
		const named = retryAfterMs === undefined ? {} : { retryAfterMs };
		const waitMs = pollWaitMs({ answers, failures: 0, ...named }, elapsedMs);
		waits.push(waitMs / SECOND);
		elapsedMs += waitMs;
	}
	return waits;
}

describe('the wait before an upstream is asked again', () => {
	it('is a second at least, also when the upstream names zero', () => {
		expect(waitsOf(0, 10)).toEqual(Array(10).fill(1));
	});

	it('grows when the upstream names none', () => {
		expect(waitsOf(undefined, 8)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
	});

	it('is what the upstream names, but no longer than a message can wait', () => {
		expect(waitsOf(45 * SECOND, 3)).toEqual([45, 45, 45]);
		expect(waitsOf(99 * HOUR, 1)).toEqual([12 * 3_600]);
		expect(waitsOf(Number.POSITIVE_INFINITY, 1)).toEqual([12 * 3_600]);
	});

	it('is a share of the time gone by, so that an operation of a day is asked about 600 times', () => {
		expect(pollWaitMs({ answers: 9, failures: 0, retryAfterMs: SECOND }, 1 * HOUR)).toBe(72 * SECOND);
		expect(pollWaitMs({ answers: 9, failures: 0, retryAfterMs: SECOND }, 20 * HOUR)).toBe(300 * SECOND);
		const waits = waitsOf(0, 700);
		expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(24 * 3_600);
	});

	it('grows with each failure in a row, up to five minutes, and keeps to what was named', () => {
		const after = (failures: number) => pollWaitMs({ answers: 3, failures }, 0) / SECOND;
		expect([1, 2, 3, 9, 10, 19].map(after)).toEqual([1, 2, 4, 256, 300, 300]);
		expect(pollWaitMs({ answers: 3, failures: 1, retryAfterMs: 20 * SECOND }, 0)).toBe(20 * SECOND);
	});
});
