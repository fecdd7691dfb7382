import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { onTestFinished, vi } from 'vitest';
import type { JobObject } from '../../src/object/job-object.ts';

/**
 * Objects answer acceptances only when this many have come. Deployed objects accept jobs in parallel; locally they share the processor
 * with everything else, and accept one after the other.
 */
export async function acceptTogether(burst: number): Promise<void> {
	const { promise: areAll, resolve } = Promise.withResolvers<void>();
	let accepted = 0;
	const stub = env.JOBS.get(env.JOBS.newUniqueId());
	await runInDurableObject(stub, (object) => {
		const prototype = Object.getPrototypeOf(object) as JobObject;
		const { accept } = prototype;
		const spy = vi.spyOn(prototype, 'accept').mockImplementation(async function (this: JobObject, ...args) {
			const acceptance = await accept.apply(this, args);
			accepted++;
			if (accepted === burst) resolve();
			while (accepted < burst) await Promise.race([areAll, scheduler.wait(20)]);
			return acceptance;
		});
		onTestFinished(() => spy.mockRestore());
	});
}
