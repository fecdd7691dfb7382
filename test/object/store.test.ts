import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JobObject } from '../../src/object/job-object.ts';
import { JobStore } from '../../src/object/store.ts';

describe('an alarm', () => {
	it.each([
		['now', () => Date.now()],
		['a moment that has passed', () => Date.now() - 5_000],
	])('that its own handler sets to %s is set later than now, and fires: the platform may forget another', async (_, at) => {
		const set: boolean[] = [];
		let runs = 0;
		const stub = env.JOBS.get(env.JOBS.newUniqueId());
		await runInDurableObject(stub, async (object: JobObject, { storage }) => {
			const store = new JobStore(storage);
			const alarm = vi.spyOn(object, 'alarm').mockImplementation(async () => {
				runs++;
				if (runs >= 3) return;
				const now = Date.now();
				store.setAlarm(at());
				set.push(((await storage.getAlarm()) ?? 0) > now);
			});
			onTestFinished(() => alarm.mockRestore());
			store.setAlarm(at());
		});
		await vi.waitFor(() => expect(runs).toBe(3), { timeout: 5_000, interval: 20 });
		expect(set).toEqual([true, true]);
	});
});
