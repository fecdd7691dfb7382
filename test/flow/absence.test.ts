/** Finished work while its job's object is unreachable: a deploy, a crash, a move to another machine. */
import { describe, expect, it } from 'vitest';
import { eventsOf, submit, until } from './client.ts';
import { type Absence, keepObjectsAway } from './faults.ts';

/** So long that a call fails more than once. */
const AWAY = { awayMs: 700, failures: 2 };

const MARKS: Record<string, Absence['marks']> = {
	'that the platform calls retryable': { retryable: true },
	'that the platform calls overloaded': { overloaded: true },
	'without any mark': {},
};

describe('finished work', () => {
	for (const [name, marks = {}] of Object.entries(MARKS)) {
		it(`is reported when its object is back from an error ${name}`, async () => {
			const failed = keepObjectsAway({ ...AWAY, methods: ['completeAttempt'], marks });
			const { document } = await submit('context', null);
			const { status, attempt } = await until(document, 'succeeded', 'failed');
			expect({ status, attempt }).toEqual({ status: 'succeeded', attempt: 1 });
			expect(failed()).toBeGreaterThan(1);
			const types = (await eventsOf(document, 0)).map(({ type }) => type);
			expect(types).toEqual(['accepted', 'started', 'succeeded']);
		});
	}

	it('is stored piece by piece though the object is away between two pieces', async () => {
		const failed = keepObjectsAway({ ...AWAY, methods: ['writeChunk'] });
		const { document } = await submit('produce', { bytes: 5_000_000 });
		const { status, attempt } = await until(document, 'succeeded', 'failed');
		expect({ status, attempt }).toEqual({ status: 'succeeded', attempt: 1 });
		expect(failed()).toBeGreaterThan(1);
	});

	it('that failed for good is reported too', async () => {
		const failed = keepObjectsAway({ ...AWAY, methods: ['failAttempt'] });
		const { document } = await submit('leak', null);
		const { status, attempt } = await until(document, 'succeeded', 'failed');
		expect({ status, attempt }).toEqual({ status: 'failed', attempt: 1 });
		expect(failed()).toBeGreaterThan(1);
	});
});
