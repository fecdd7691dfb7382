/**
 * A deployment in which attempts and objects die on request. It works with any version of the source in the same folder:
 * it doesn't know how a job's object is written.
 */
import * as z from 'zod';
import { coatcheck } from '../../src/coatcheck.ts';
import { JobObject as TheJobObject } from '../../src/object/job-object.ts';
import { defineTask } from '../../src/work/task.ts';

export * from './objects.ts';

/** The job's object, which can be reset: its memory and its sockets are lost, as after a deploy. */
export class JobObject extends TheJobObject {
	reset(): void {
		this.ctx.abort('reset by the bench');
	}
}

const mortal = defineTask({
	name: 'mortal',
	description: 'Works for some seconds. The first attempt dies on request, and takes its consumer along.',
	input: z.strictObject({ workMs: z.int().min(0), diesAfterMs: z.int().min(0).optional() }),
	lane: 'long',
	timeoutSeconds: 660,
	run: async ({ workMs, diesAfterMs }, job) => {
		if (job.attempt > 1) return { attempt: job.attempt };
		if (diesAfterMs !== undefined) {
			await scheduler.wait(diesAfterMs);
			// The invocation ends at once, as when an isolate runs out of memory.
			process.exit(1);
		}
		await scheduler.wait(workMs);
		return { attempt: job.attempt };
	},
});

const service = coatcheck({ tasks: [mortal] });

interface RecoveryEnv {
	readonly JOBS: DurableObjectNamespace<JobObject>;
}

export default {
	async fetch(request, env, ctx) {
		const [, first, id = ''] = new URL(request.url).pathname.split('/');
		if (first !== 'reset') return service.fetch(request as never, env as never, ctx);
		const job = env.JOBS.get(env.JOBS.idFromString(id));
		// The call fails, because the object is reset.
		await job.reset().catch(() => {});
		return new Response(null, { status: 204 });
	},
	queue: (batch, env, ctx) => service.queue(batch, env as never, ctx),
} satisfies ExportedHandler<RecoveryEnv>;
