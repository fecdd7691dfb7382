/** Finished work while its job's object is unreachable: a deploy, a crash, a move to another machine. */
import { describe, expect, it } from 'vitest';
import { eventsOf, submit, until } from './client.ts';
import { type Absence, keepObjectsAway } from './faults.ts';

const AWAY_MS = 700;

const MARKS: Record<string, Absence['marks']> = {
	'that the platform calls retryable': { retryable: true },
	'that the platform calls overloaded': { overloaded: true },
	'without any mark': {},
};

describe('finished work', () => {
	for (const [name, marks = {}] of Object.entries(MARKS)) {
		it(`is reported when its object is back from an error ${name}`, async () => {
			const { document } = await submit('context', null, { delaySeconds: 1 });
			const failed = keepObjectsAway({ methods: ['completeAttempt'], awayMs: AWAY_MS, marks });
			const { status, attempt } = await until(document, 'succeeded', 'failed');
			expect({ status, attempt }).toEqual({ status: 'succeeded', attempt: 1 });
			expect(failed()).toBeGreaterThan(1);
			const types = (await eventsOf(document, 0)).map(({ type }) => type);
			expect(types).toEqual(['accepted', 'started', 'succeeded']);
		});
	}

	it('is stored piece by piece though the object is away between two pieces', async () => {
		const { document } = await submit('produce', { bytes: 5_000_000 }, { delaySeconds: 1 });
		const failed = keepObjectsAway({ methods: ['writeChunk'], awayMs: AWAY_MS });
		const { status, attempt } = await until(document, 'succeeded', 'failed');
		expect({ status, attempt }).toEqual({ status: 'succeeded', attempt: 1 });
		expect(failed()).toBeGreaterThan(1);
	});

	it('that failed for good is reported too', async () => {
		const { document } = await submit('leak', null, { delaySeconds: 1 });
		const failed = keepObjectsAway({ methods: ['failAttempt'], awayMs: AWAY_MS });
		const { status, attempt } = await until(document, 'succeeded', 'failed');
		expect({ status, attempt }).toEqual({ status: 'failed', attempt: 1 });
		expect(failed()).toBeGreaterThan(1);
	});
});
