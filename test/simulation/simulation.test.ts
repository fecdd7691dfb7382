import { describe, expect, it } from 'vitest';
import { check, failureText, inThread, notExercised } from './check.ts';
import { EXAMPLES } from './examples.ts';

/** `npm run test:soak` runs any number. */
const RUNS = 400;
const SEED = 1;

describe('whatever goes wrong in whatever order', () => {
	it('keeps every promise', async () => {
		const { counts, failure } = await check({ runs: RUNS, seed: SEED });
		expect(failure && failureText(failure)).toBeUndefined();
		expect(counts.schedules).toBe(RUNS);
		expect(notExercised(counts)).toEqual([]);
	});

	it('keeps them where they were once broken', async () => {
		const examples = EXAMPLES.map(({ schedule }) => schedule);
		const { failure, counts } = await inThread({ runs: 0, seed: SEED, examples });
		expect(failure && `${EXAMPLES[failure.seed]?.shows}: ${failureText(failure)}`).toBeUndefined();
		expect(counts.schedules).toBe(EXAMPLES.length);
	});

	it('runs the same way twice', async () => {
		const [one, other] = await Promise.all([1, 2].map(() => inThread({ runs: 50, seed: SEED })));
		expect(one?.counts).toEqual(other?.counts);
	});
});
