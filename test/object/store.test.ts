import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JobObject } from '../../src/object/job-object.ts';
import { JobStore } from '../../src/object/store.ts';

describe('an alarm', () => {
	it('that its own handler sets to now fires again: the platform would forget it', async () => {
		let runs = 0;
		const stub = env.JOBS.get(env.JOBS.newUniqueId());
		await runInDurableObject(stub, async (object: JobObject, state) => {
			const store = new JobStore(state.storage);
			const alarm = vi.spyOn(Object.getPrototypeOf(object) as JobObject, 'alarm').mockImplementation(async () => {
				runs++;
				if (runs < 3) store.setAlarm(Date.now());
			});
			onTestFinished(() => alarm.mockRestore());
			store.setAlarm(Date.now());
		});
		await vi.waitFor(() => expect(runs).toBe(3), { timeout: 5_000, interval: 20 });
	});
});
