/** A deployment with one task that reports the time of its return, from which `notify.ts` measures. */
import * as z from 'zod';
import { coatcheck } from '../../src/coatcheck.ts';
import { defineTask } from '../../src/work/task.ts';

export { BatchObject } from '../../src/object/batch-object.ts';
export { JobObject } from '../../src/object/job-object.ts';
export { TenantObject } from '../../src/object/tenant-object.ts';
export { TopicObject } from '../../src/object/topic-object.ts';
export { UpstreamGate } from '../../src/object/upstream-gate.ts';

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
