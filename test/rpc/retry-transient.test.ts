import { describe, expect, it, vi } from 'vitest';
import { isTransientFailure, retryTransient, retryWaitMs } from '../../src/rpc/retry-transient.ts';
import { advanceClock } from '../flow/faults.ts';

const marked = (marks: object) => Object.assign(new Error('The object is away'), marks);

/** A call that fails with `error` until it has been made `failures` times. */
function failing(error: unknown, failures: number) {
	return vi.fn(async () => {
		if (failures-- > 0) throw error;
		return 'done';
	});
}

describe('a call of an object', () => {
	it('is repeated when the platform says that this may help', async () => {
		// The clock stands still: patience ends after two seconds.
		advanceClock(0);
		const call = failing(marked({ retryable: true }), 2);
		expect(await retryTransient(call)).toBe('done');
		expect(call).toHaveBeenCalledTimes(3);
	});

	it('is repeated after the errors of a shutdown, which carry no mark', async () => {
		advanceClock(0);
		const messages = [
			'Durable Object reset because its code was updated.',
			'Connection closed: this Durable Object instance is no longer active. Reconnect or retry the request.',
		];
		for (const message of messages) {
			const call = failing(new Error(message), 1);
			expect(await retryTransient(call)).toBe('done');
			expect(isTransientFailure(new Error(message))).toBe(true);
		}
		expect(isTransientFailure(new TypeError('x is undefined'))).toBe(false);
	});

	it('is not repeated after an error of the code, or when the object is overloaded', async () => {
		for (const error of [new TypeError('x is undefined'), marked({ retryable: true, overloaded: true }), undefined]) {
			const call = failing(error, 1);
			await expect(retryTransient(call)).rejects.toBe(error);
			expect(call).toHaveBeenCalledTimes(1);
		}
	});

	it('is repeated after every error until the time that its caller names', async () => {
		for (const error of [marked({ overloaded: true }), new Error('Durable Object was shut down'), undefined]) {
			const call = failing(error, 3);
			expect(await retryTransient(call, { untilMs: Date.now() + 60_000 })).toBe('done');
			expect(call).toHaveBeenCalledTimes(4);
		}
	});

	it('is given up at that time, with the last error', async () => {
		const call = failing(marked({ retryable: true }), Number.POSITIVE_INFINITY);
		const untilMs = Date.now() + 300;
		await expect(retryTransient(call, { untilMs })).rejects.toThrow('away');
		expect(call.mock.calls.length).toBeGreaterThan(1);
	});

	it('waits twice as long after each failure, up to 10 s, and never less than half of that', () => {
		const longest = [1, 2, 3, 4, 8, 20].map((tries) => retryWaitMs(tries, 1));
		expect(longest).toEqual([100, 200, 400, 800, 10_000, 10_000]);
		expect([1, 2, 20].map((tries) => retryWaitMs(tries, 0))).toEqual([50, 100, 5_000]);
	});
});
