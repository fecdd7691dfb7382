/** A deployment with one task that reports the time of its return, from which `notify.ts` measures. */
import * as z from 'zod';
import { coatcheck } from '../../src/coatcheck.ts';
import { defineTask } from '../../src/work/task.ts';

export * from './objects.ts';

const stamp = defineTask({
	name: 'stamp',
	description: 'Works for a while, and says when it was done.',
	input: z.strictObject({ workMs: z.int().min(0) }),
	run: async ({ workMs }) => {
		await scheduler.wait(workMs);
		return { returnedAt: Date.now() };
	},
});

export default coatcheck({ tasks: [stamp] });
