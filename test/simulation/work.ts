/** The tasks of the simulated deployment. They follow the plan of their job, and sign their results. */
import * as z from 'zod';
import { coatcheck } from '../../src/coatcheck.ts';
import { defineTask, type JobContext, TaskError, WaitingForWorker } from '../../src/work/task.ts';
import { ELSEWHERE as ELSEWHERE_URL } from './outside.ts';
import type { AttemptPlan } from './schedule.ts';

export const TASK_OF = { jobs: 'work', long: 'long-work', now: 'work-now' } as const;

/** Observes and controls the work. */
export interface Foreman {
	/** An attempt begins. @returns its plan and its number. */
	readonly begin: (job: number, id: string, attempt: number) => { readonly plan: AttemptPlan; readonly run: number };
	readonly end: (job: number, run: number, plan: AttemptPlan) => void;
	/** Passes the attempt to an external worker, which will report. */
	readonly handOver: (run: number, plan: AttemptPlan) => void;
	/** Kills the consumer that runs this attempt, with everything in it. */
	readonly kill: () => void;
}

let foreman: Foreman | undefined;

export function workFor(next: Foreman | undefined): void {
	foreman = next;
}

/** More than fits into a record. */
export const MUCH = 'x'.repeat(66_000);

/** Time limits of an external worker. */
const ELSEWHERE = { startWithinSeconds: 8, timeoutSeconds: 20 };

const Input = z.object({ job: z.number(), pad: z.string().optional() });

async function work({ job }: z.infer<typeof Input>, context: JobContext<Record<string, never>>) {
	if (!foreman) throw new TypeError('Expected a foreman, but none is set');
	const { kill, end, handOver } = foreman;
	const { plan, run } = foreman.begin(job, context.id, context.attempt);
	if (plan.ends.endsWith('elsewhere')) {
		handOver(run, plan);
		return new WaitingForWorker({ progress: '', complete: '', fail: '' }, ELSEWHERE);
	}
	await Promise.all(Array.from({ length: plan.calls ?? 0 }, () => context.fetch(`${ELSEWHERE_URL}/${job}`)));
	for (let report = 1; report <= plan.reports; report++) {
		await scheduler.wait(plan.ms / (plan.reports + 1), { signal: context.signal });
		context.progress((100 * report) / plan.reports, `run ${run} reports ${report}`);
	}
	await scheduler.wait(plan.ms / (plan.reports + 1), { signal: context.signal });
	end(job, run, plan);
	switch (plan.ends) {
		case 'answers':
			return { run };
		case 'answers much':
			return { run, pad: MUCH };
		case 'fails':
			throw new TaskError('Failed', `run ${run} failed`);
		case 'fails for good':
			throw new TaskError('Failed', `run ${run} failed`, { retryable: false, status: 422 });
		case 'kills':
			kill();
			return new Promise<never>(() => {});
		default:
			return new Promise<never>(() => {});
	}
}

export type Worker = ReturnType<typeof createWorker>;

export const createWorker = () =>
	coatcheck({
		tasks: [
			defineTask({ name: TASK_OF.jobs, description: 'Works.', input: Input, run: work }),
			defineTask({ name: TASK_OF.long, description: 'Works.', input: Input, lane: 'long', run: work }),
			defineTask({ name: TASK_OF.now, description: 'Works.', input: Input, lane: 'now', run: work }),
		],
	});
