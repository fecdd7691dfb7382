import { describe, expect, it } from 'vitest';
import { Turn } from '../../src/tasks/thumbnail/turn.ts';

const LONG_MS = 60_000;
const NEVER = new AbortController().signal;

describe('Turn', () => {
	it('gives the same resource to one after the other', async () => {
		const turn = new Turn(() => ({}), LONG_MS);
		let working = 0;
		const take = () =>
			turn.take(NEVER, async (resource) => {
				expect(++working).toBe(1);
				await new Promise((resolve) => setTimeout(resolve, 1));
				working--;
				return resource;
			});
		const resources = await Promise.all([take(), take(), take()]);
		expect(new Set(resources).size).toBe(1);
	});

	it('passes on when the work fails', async () => {
		const turn = new Turn(() => 1, LONG_MS);
		await expect(turn.take(NEVER, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
		expect(await turn.take(NEVER, async () => 'next')).toBe('next');
	});

	it('throws the reason of whoever gives up waiting, and is still there for the others', async () => {
		const turn = new Turn(() => 1, LONG_MS);
		let finish = () => {};
		const first = turn.take(NEVER, () => new Promise<void>((resolve) => (finish = resolve)));
		const controller = new AbortController();
		const second = turn.take(controller.signal, async () => 'second');
		const third = turn.take(NEVER, async () => 'third');
		controller.abort(new Error('gave up'));
		await expect(second).rejects.toThrow('gave up');
		finish();
		await first;
		expect(await third).toBe('third');
	});

	it('is not started by whoever has given up already', async () => {
		const turn = new Turn(() => 1, LONG_MS);
		const gone = AbortSignal.abort(new Error('gave up'));
		await expect(turn.take(gone, async () => 'worked')).rejects.toThrow('gave up');
	});

	it('goes on with a new resource when the holder never comes back', async () => {
		let made = 0;
		const turn = new Turn(() => ++made, 50);
		let comeBack = () => {};
		const lost = turn.take(NEVER, (resource) => new Promise<number>((resolve) => (comeBack = () => resolve(resource))));
		expect(await turn.take(NEVER, async (resource) => resource)).toBe(2);
		comeBack();
		expect(await lost).toBe(1);
		expect(await turn.take(NEVER, async (resource) => resource)).toBe(2);
	});
});
