/**
 * The factory: a Worker's handlers over the tasks of a deployment. An existing Worker can take it in: call `fetch` for the
 * paths under `/v1` and `queue` for its queues, and export the object classes.
 */
import { configOf, DEAD_LETTER_QUEUE } from './config.ts';
import { answer, type DoorEnv } from './http/door.ts';
import { consumeDeadLetters, consumeJobs } from './queue/consume.ts';
import { Jobs } from './rpc/jobs.ts';
import { runAttempt } from './work/attempt.ts';
import { registryOf } from './work/registry.ts';
import type { AnyTask } from './work/task.ts';

export interface CoatcheckOptions {
	/** The tasks of this deployment. */
	readonly tasks: readonly AnyTask[];
}

/** @throws {TypeError} at once, naming the task that can't be registered and why. */
export function coatcheck({ tasks }: CoatcheckOptions) {
	const registry = registryOf(tasks);
	return {
		fetch: (request, env, ctx) => answer(request, env, ctx, registry),
		async queue(batch, env) {
			const jobs = new Jobs(env.JOBS);
			if (batch.queue === DEAD_LETTER_QUEUE) return consumeDeadLetters(batch, jobs);
			const { maxResultBytes, allowPrivateTargets } = configOf(env);
			const workshop = { tasks: registry, jobs, maxResultBytes, allowPrivateTargets };
			await consumeJobs(batch, jobs, (id, lease) => runAttempt(workshop, id, lease));
		},
	} satisfies ExportedHandler<DoorEnv>;
}
