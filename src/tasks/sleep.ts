/** `sleep`: nothing but time. For learning what a job does, and for testing what a client makes of it. */
import { z } from 'zod';
import { defineTask, TaskError } from '../work/task.ts';

const MAX_SECONDS = 600;
const MAX_STEPS = 100;
const DEFAULT_STEPS = 10;
const MS_PER_SECOND = 1_000;
/** How far the job is when it begins to wait for somebody else. */
const PERCENT_BEFORE_WAIT = 50;

const Input = z.strictObject({
	seconds: z.number().min(0).max(MAX_SECONDS).describe('How long to sleep'),
	steps: z.int().min(1).max(MAX_STEPS).optional().describe(`How often to report progress; ${DEFAULT_STEPS} times`),
	failAttempts: z.int().min(0).optional().describe('Fail this many attempts first, with a retryable error'),
	error: z
		.strictObject({
			code: z.string().min(1).max(64),
			message: z.string().max(500),
			status: z.int().min(400).max(599).optional(),
			retryable: z.boolean().optional(),
		})
		.optional()
		.describe('End with this error'),
	wait: z
		.boolean()
		.optional()
		.describe(
			'Then wait for somebody to end the attempt with one of the links in `progress.data`, for an hour at most',
		),
});

/** Sleeps, reports each step, and ends as it was asked to. */
export const sleep = defineTask({
	name: 'sleep',
	description: 'Sleeps for a while, reporting progress; fails when asked to. For learning and testing.',
	input: Input,
	lane: 'long',
	timeoutSeconds: 660,
	async run({ seconds, steps = DEFAULT_STEPS, failAttempts = 0, error, wait = false }, job) {
		for (let step = 1; step <= steps; step++) {
			await pause((seconds / steps) * MS_PER_SECOND, job.signal);
			job.progress((step / steps) * (wait ? PERCENT_BEFORE_WAIT : 100), `step ${step} of ${steps}`);
		}
		if (job.attempt <= failAttempts) {
			throw new TaskError('SleepFailed', `Attempt ${job.attempt} was asked to fail`);
		}
		if (error)
			throw new TaskError(error.code, error.message, {
				status: error.status ?? 500,
				retryable: error.retryable ?? false,
			});
		if (wait) {
			// For learning: a real task hands the links to its worker, and to nobody who may only read the job.
			const waiting = await job.waitFor();
			job.progress(undefined, 'waiting for somebody to use one of the links', waiting.links);
			return waiting;
		}
		return { sleptSeconds: seconds, attempt: job.attempt };
	},
});

async function pause(ms: number, signal: AbortSignal): Promise<void> {
	if (ms > 0) await scheduler.wait(ms, { signal });
	signal.throwIfAborted();
}
