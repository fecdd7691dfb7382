import { describe, expect, it, vi } from 'vitest';
import { MemoryBudget, memoryForJson } from '../../src/work/budget.ts';

/** Work that is over when it is told to be. */
function job() {
	const { promise, resolve } = Promise.withResolvers<void>();
	let hasStarted = false;
	return {
		start: () => {
			hasStarted = true;
			return promise;
		},
		end: resolve,
		hasStarted: () => hasStarted,
	};
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('a memory budget', () => {
	it('lets in what fits, and keeps the rest waiting until there is room', async () => {
		const budget = new MemoryBudget(100);
		const [first, second, third] = [job(), job(), job()];
		const all = [budget.use(60, first.start), budget.use(40, second.start), budget.use(1, third.start)];
		await turn();
		expect([first.hasStarted(), second.hasStarted(), third.hasStarted()]).toEqual([true, true, false]);
		second.end();
		await vi.waitFor(() => expect(third.hasStarted()).toBe(true));
		first.end();
		third.end();
		await Promise.all(all);
	});

	it('lets in what is larger than all of it when nobody else is there', async () => {
		const budget = new MemoryBudget(100);
		const [small, huge] = [job(), job()];
		const all = [budget.use(1, small.start), budget.use(1_000, huge.start)];
		await turn();
		expect(huge.hasStarted()).toBe(false);
		small.end();
		await vi.waitFor(() => expect(huge.hasStarted()).toBe(true));
		huge.end();
		await Promise.all(all);
	});

	it('gives the room back when the work fails', async () => {
		const budget = new MemoryBudget(10);
		await expect(budget.use(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
		expect(await budget.use(10, async () => 'yes')).toBe('yes');
	});

	it('has nothing to say about JSON that comes with its job', () => {
		expect(memoryForJson(65_536)).toBe(0);
		expect(memoryForJson(65_537)).toBeGreaterThan(65_537);
	});

	it('gives what there is to who can not wait, and says when there is no more', async () => {
		const budget = new MemoryBudget(100);
		const taken: boolean[] = [];
		for (const bytes of [60, 50, 40, 0, 1]) taken.push(await budget.take(bytes, 0));
		expect(taken).toEqual([true, false, true, true, false]);
		const later = budget.take(50, 10_000);
		budget.give(60);
		expect(await later).toBe(true);
	});
});
