/** This repository's deployment with a task that fails, and a count of how often it ran for each job. */
import * as z from 'zod';
import { coatcheck } from '../../src/coatcheck.ts';
import { tasks } from '../../src/tasks/index.ts';
import { defineTask, TaskError } from '../../src/work/task.ts';

export * from './objects.ts';

/** Number of runs of each job. Locally, all consumers are in one isolate. */
const runs = new Map<string, number>();

const broken = defineTask({
	name: 'broken',
	description: 'Fails at once.',
	input: z.strictObject({}),
	maxAttempts: 1,
	run: (_, { id }) => {
		runs.set(id, (runs.get(id) ?? 0) + 1);
		throw new TaskError('Broken', 'As asked', { retryable: false });
	},
});

const instant = defineTask({
	name: 'instant',
	description: 'Ends at once.',
	input: z.strictObject({}),
	run: () => 'done',
});

const deployment = coatcheck({ tasks: [...tasks, broken, instant] });

export default {
	...deployment,
	fetch(request, env, ctx) {
		if (new URL(request.url).pathname !== '/bench/runs') return deployment.fetch(request, env, ctx);
		const jobsByRuns: Record<string, number> = {};
		for (const times of runs.values()) jobsByRuns[times] = (jobsByRuns[times] ?? 0) + 1;
		return Response.json(jobsByRuns);
	},
} satisfies ExportedHandler<Env>;
