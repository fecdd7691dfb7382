/** `sleep`: waits. For learning how a job behaves, and for testing clients. */
import * as z from 'zod';
import { defineTask, TaskError } from '../work/task.ts';

const MAX_SECONDS = 600;
const MAX_STEPS = 100;
const DEFAULT_STEPS = 10;
const MS_PER_SECOND = 1_000;
/** The job's progress when it begins to wait for an external worker. */
const PERCENT_BEFORE_WAIT = 50;

const Input = z.strictObject({
	seconds: z.number().min(0).max(MAX_SECONDS).describe('Time to sleep, in seconds'),
	steps: z.int().min(1).max(MAX_STEPS).optional().describe(`Number of progress reports. Default: ${DEFAULT_STEPS}`),
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
			'Afterwards wait until a client ends the attempt with one of the links in `progress.data`, at most one hour',
		),
});

/** Sleeps, reports each step, and ends as requested. */
export const sleep = defineTask({
	name: 'sleep',
	description: 'Sleeps and reports progress; fails on request. For learning and testing.',
	input: Input,
	lane: 'long',
	timeoutSeconds: 660,
	async run({ seconds, steps = DEFAULT_STEPS, failAttempts = 0, error, wait = false }, job) {
		for (let step = 1; step <= steps; step++) {
			await pause((seconds / steps) * MS_PER_SECOND, job.signal);
			job.progress((step / steps) * (wait ? PERCENT_BEFORE_WAIT : 100), `step ${step} of ${steps}`);
		}
		if (job.attempt <= failAttempts) {
			throw new TaskError('SleepFailed', `Attempt ${job.attempt} failed on request`);
		}
		if (error)
			throw new TaskError(error.code, error.message, {
				status: error.status ?? 500,
				retryable: error.retryable ?? false,
			});
		if (wait) {
			// For learning only: a real task gives the links to its worker, never to a client with read permission only.
			const waiting = await job.waitFor();
			job.progress(undefined, 'waiting for a client to use one of the links', waiting.links);
			return waiting;
		}
		return { sleptSeconds: seconds, attempt: job.attempt };
	},
});

async function pause(ms: number, signal: AbortSignal): Promise<void> {
	if (ms > 0) await scheduler.wait(ms, { signal });
	signal.throwIfAborted();
}
