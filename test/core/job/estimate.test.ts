import { describe, expect, it } from 'vitest';
import { retryAfterSeconds } from '../../../src/core/job/estimate.ts';

describe('Retry-After', () => {
	it('follows the percentage of a running job', () => {
		const facts = { status: 'running', elapsedMs: 10_000, usualMs: 1_000 } as const;
		expect(retryAfterSeconds({ ...facts, percentComplete: 25 }, 0)).toBe(30);
		expect(retryAfterSeconds({ ...facts, percentComplete: 50 }, 0)).toBe(10);
		expect(retryAfterSeconds({ ...facts, percentComplete: 99 }, 0)).toBe(1);
	});

	it('knows that a percentage is as old as its report', () => {
		const facts = { status: 'running', usualMs: 1_000, percentComplete: 10, reportedMs: 100 } as const;
		expect(retryAfterSeconds({ ...facts, elapsedMs: 844 }, 0)).toBe(1);
		expect(retryAfterSeconds({ ...facts, reportedMs: 1_000, elapsedMs: 4_000 }, 0)).toBe(6);
	});

	it('makes nothing of the first percent', () => {
		expect(retryAfterSeconds({ status: 'running', elapsedMs: 2_000, usualMs: 1_000, percentComplete: 1 }, 0)).toBe(2);
	});

	it('counts on the usual time of a job that says nothing, and doubles its patience past that', () => {
		const facts = { status: 'running', usualMs: 20_000 } as const;
		expect(retryAfterSeconds({ ...facts, elapsedMs: 5_000 }, 0)).toBe(15);
		expect(retryAfterSeconds({ ...facts, elapsedMs: 25_000 }, 0)).toBe(25);
	});

	it('adds delay, usual wait and usual time for a pending job', () => {
		const facts = { status: 'pending', elapsedMs: 0, usualMs: 2_000, untilStartMs: 5_000, usualWaitMs: 3_000 } as const;
		expect(retryAfterSeconds(facts, 0)).toBe(10);
	});

	it('counts what a pending job has waited already, and doubles its patience past the usual wait', () => {
		const facts = { status: 'pending', usualMs: 1_000, usualWaitMs: 10_000 } as const;
		expect(retryAfterSeconds({ ...facts, elapsedMs: 8_000 }, 0)).toBe(3);
		expect(retryAfterSeconds({ ...facts, elapsedMs: 20_000 }, 0)).toBe(21);
	});

	it('spreads clients over a fifth more', () => {
		const facts = { status: 'pending', elapsedMs: 0, usualMs: 40_000 } as const;
		expect(retryAfterSeconds(facts, 0)).toBe(40);
		expect(retryAfterSeconds(facts, 0.999)).toBe(48);
	});

	it('is a whole number from 1 to 60', () => {
		for (const usualMs of [0, 1, 400, 59_000, 1e9]) {
			const seconds = retryAfterSeconds({ status: 'pending', elapsedMs: 0, usualMs }, 0.5);
			expect(Number.isInteger(seconds)).toBe(true);
			expect(seconds).toBeGreaterThanOrEqual(1);
			expect(seconds).toBeLessThanOrEqual(60);
		}
	});
});
