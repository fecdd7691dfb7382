import { describe, expect, it } from 'vitest';
import { RESERVATION_MARGIN_MS } from '../../../src/core/quota/limits.ts';
import { roomFor, verdictOn } from '../../../src/core/quota/quotas.ts';

const BOTH = { maxJobsInFlight: 3, maxStoredBytes: 100 };

describe('roomFor', () => {
	const used = { jobsInFlight: 2, storedBytes: 90 };
	it.each([
		['what fits exactly', used, { bytes: 10 }, BOTH, { bytes: 10 }],
		['one byte too many', used, { bytes: 11 }, BOTH, { quota: 'stored-bytes', used: 90, limit: 100 }],
		['nothing, when all is used', { jobsInFlight: 0, storedBytes: 100 }, { bytes: 0 }, BOTH, { bytes: 0 }],
		['an unknown size, as far as there is room', used, { bytes: 50, isUpTo: true }, BOTH, { bytes: 10 }],
		[
			'an unknown size, when all is used',
			{ jobsInFlight: 0, storedBytes: 100 },
			{ bytes: 50, isUpTo: true },
			BOTH,
			{ quota: 'stored-bytes', used: 100, limit: 100 },
		],
		[
			'what is stored already',
			{ jobsInFlight: 0, storedBytes: 130 },
			{ bytes: 50, isStored: true },
			BOTH,
			{ bytes: 50 },
		],
		[
			'one job too many',
			{ jobsInFlight: 3, storedBytes: 0 },
			{ bytes: 0, isStored: true },
			BOTH,
			{ quota: 'jobs-in-flight', used: 3, limit: 3 },
		],
		[
			'any number of bytes where they are not counted',
			used,
			{ bytes: 1_000 },
			{ maxJobsInFlight: 3 },
			{ bytes: 1_000 },
		],
		[
			'any number of jobs where they are not counted',
			{ jobsInFlight: 9, storedBytes: 0 },
			{ bytes: 1 },
			{ maxStoredBytes: 1 },
			{ bytes: 1 },
		],
	])('%s', (_, usage, wanted, quotas, expected) => {
		expect(roomFor(usage, wanted, quotas)).toEqual(expected);
	});
});

describe('verdictOn', () => {
	const HELD_UNTIL = 1_000;
	const reservation = { name: 'r', job: 'j', bytes: 5, heldUntil: HELD_UNTIL };
	const over = HELD_UNTIL + RESERVATION_MARGIN_MS;

	it('holds a place as long as its job may still come, whatever the clocks say', () => {
		expect(verdictOn(reservation, undefined, over)).toBe('keep');
		expect(verdictOn(reservation, { reservation: 'other', isInFlight: true, bytes: 1 }, over)).toBe('keep');
	});

	it('gives a place back that no job has taken in time', () => {
		expect(verdictOn(reservation, undefined, over + 1)).toBe('release');
		expect(verdictOn(reservation, { reservation: 'other', isInFlight: true, bytes: 1 }, over + 1)).toBe('release');
	});

	it('keeps the place of a job that is in flight, however long that takes', () => {
		expect(verdictOn(reservation, { reservation: 'r', isInFlight: true, bytes: 5 }, over * 1_000)).toBe('keep');
	});

	it('learns from a job that is over what it keeps', () => {
		const claim = { reservation: 'r', isInFlight: false, bytes: 7, keptUntil: 9_000 };
		expect(verdictOn(reservation, claim, 0)).toEqual({ bytes: 7, keptUntil: 9_000 });
	});
});
