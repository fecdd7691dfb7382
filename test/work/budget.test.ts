import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MemoryBudget, memoryForJson, NoMemory } from '../../src/work/budget.ts';

const PATIENCE_MS = 20_000;

/** Work that ends when the test says. */
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

function moveClock(ms: number): void {
	vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
	onTestFinished(() => {
		vi.useRealTimers();
	});
}

describe('a memory budget', () => {
	it('lets in what fits, and keeps the rest waiting until there is room', async () => {
		const budget = new MemoryBudget(100);
		const [first, second, third] = [job(), job(), job()];
		const all = [
			budget.use(60, PATIENCE_MS, first.start),
			budget.use(40, PATIENCE_MS, second.start),
			budget.use(1, PATIENCE_MS, third.start),
		];
		await turn();
		expect([first.hasStarted(), second.hasStarted(), third.hasStarted()]).toEqual([true, true, false]);
		second.end();
		await vi.waitFor(() => expect(third.hasStarted()).toBe(true));
		first.end();
		third.end();
		await Promise.all(all);
	});

	it('lets in work that is larger than the budget when nothing else runs', async () => {
		const budget = new MemoryBudget(100);
		const [small, huge] = [job(), job()];
		const all = [budget.use(1, PATIENCE_MS, small.start), budget.use(1_000, PATIENCE_MS, huge.start)];
		await turn();
		expect(huge.hasStarted()).toBe(false);
		small.end();
		await vi.waitFor(() => expect(huge.hasStarted()).toBe(true));
		huge.end();
		await Promise.all(all);
	});

	it('gives the room back when the work fails', async () => {
		const budget = new MemoryBudget(10);
		await expect(budget.use(10, 0, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
		expect(await budget.use(10, 0, () => 'yes')).toBe('yes');
	});

	it('says that there is no memory when a reader has waited long enough', async () => {
		const budget = new MemoryBudget(10);
		const holder = job();
		const held = budget.use(10, 0, holder.start);
		await expect(budget.use(1, 40, () => 'never')).rejects.toBeInstanceOf(NoMemory);
		holder.end();
		await held;
	});

	it('takes back what an invocation held that ended without giving it back', async () => {
		const budget = new MemoryBudget(10, { holdMs: 30_000 });
		void budget.use(10, 0, () => new Promise(() => {}));
		await expect(budget.use(1, 0, () => 'never')).rejects.toBeInstanceOf(NoMemory);
		moveClock(30_001);
		expect(await budget.use(10, 0, () => 'room')).toBe('room');
	});

	it('starts the time of a hold anew each time that it grows', async () => {
		const budget = new MemoryBudget(10, { holdMs: 30_000 });
		const hold = budget.hold();
		expect(await hold.grow(5, 0)).toBe(true);
		moveClock(20_000);
		expect(await hold.grow(5, 0)).toBe(true);
		moveClock(20_000);
		expect(await budget.hold().grow(1, 0)).toBe(false);
		hold.release();
		expect(await budget.hold().grow(10, 0)).toBe(true);
	});

	it('has nothing to say about JSON that comes with its job', () => {
		expect(memoryForJson(65_536)).toBe(0);
		expect(memoryForJson(65_537)).toBeGreaterThan(65_537);
	});
});
