/** This repository's deployment with the two tasks of the comparison. */
import * as z from 'zod';
import { coatcheck } from '../../src/coatcheck.ts';
import { tasks } from '../../src/tasks/index.ts';
import { defineTask } from '../../src/work/task.ts';

export { BatchObject } from '../../src/object/batch-object.ts';
export { JobObject } from '../../src/object/job-object.ts';
export { TenantObject } from '../../src/object/tenant-object.ts';
export { TopicObject } from '../../src/object/topic-object.ts';
export { UpstreamGate } from '../../src/object/upstream-gate.ts';

const wait = defineTask({
	name: 'wait',
	description: 'Waits, as for a slow service, and returns the time of its end. With 0 ms it is an instant job.',
	input: z.strictObject({ ms: z.int().min(0) }),
	run: async ({ ms }) => {
		if (ms > 0) await scheduler.wait(ms);
		return { returnedAt: Date.now() };
	},
});

const echo = defineTask({
	name: 'echo',
	description: 'Answers with the bytes it was sent.',
	input: { mediaTypes: ['application/octet-stream'] },
	run: (input) => new Response(input.stream(), { headers: { 'content-type': input.mediaType } }),
});

export default coatcheck({ tasks: [...tasks, wait, echo] });
