import { describe, expect, it } from 'vitest';
import { ReplyProgress } from '../../../src/core/upstream/progress.ts';

describe('the progress of a reply', () => {
	it('counts the time that the upstream thought', () => {
		const progress = new ReplyProgress(0, 1_000);
		expect(progress.percentAt(60_000, 100)).toBeUndefined();
		expect(progress.percentAt(60_500, 550)).toBeCloseTo(99.2, 1);
		expect(progress.percentAt(61_000, 1_000)).toBe(100);
	});

	it('is that of the bytes where nothing was thought about', () => {
		const progress = new ReplyProgress(0, 1_000);
		progress.percentAt(0, 0);
		expect([1_000, 2_000, 5_000].map((now) => progress.percentAt(now, now / 10))).toEqual([10, 20, 50]);
	});

	it('says nothing where there is nothing to go by', () => {
		const progress = new ReplyProgress(0, 1_000);
		expect([progress.percentAt(10, 400), progress.percentAt(50, 800), progress.percentAt(500, 400)]).toEqual([
			undefined,
			undefined,
			undefined,
		]);
	});
});
