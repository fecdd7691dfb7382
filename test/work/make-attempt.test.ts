import { describe, expect, it, onTestFinished, vi } from 'vitest';
import * as z from 'zod';
import type { ArgumentsOf, Lease } from '../../src/core/job/object-api.ts';
import type { AttemptDependencies } from '../../src/work/attempt.ts';
import { makeAttempt } from '../../src/work/make-attempt.ts';
import { type AnyTask, defineTask, type JobContext, TaskError, WaitingForWorker } from '../../src/work/task.ts';
import { type Call, dependenciesWith, leaseFor, MESSAGE, recordingJobs } from './attempt-parts.ts';

const RECEIVED = { message: MESSAGE, isRepeat: false, isShared: true };

function taskThat(run: (input: unknown, job: JobContext) => unknown): AnyTask {
	return defineTask({ name: 'work', description: 'Works.', input: z.object({}), run: run as never });
}

/** Attempts a job whose task is `run`. @returns the calls to its object after the start. */
async function attempt(
	run: Parameters<typeof taskThat>[0],
	{
		lease = leaseFor('work'),
		answers = {},
	}: { readonly lease?: Lease; readonly answers?: Readonly<Record<string, unknown>> } = {},
) {
	const { jobs, calls } = recordingJobs({ startAttempt: { started: true, lease }, ...answers });
	const made = await makeAttempt(dependenciesWith(jobs, [taskThat(run)]), RECEIVED);
	return { ...made, calls: calls.slice(1) };
}

/** The failure of an attempt whose only report is that it failed. */
function reportedFailure(calls: readonly Call[]): unknown {
	expect(calls.map(({ method }) => method)).toEqual(['failAttempt']);
	return (calls[0]?.arg as ArgumentsOf<'fail'>).failure;
}

function silenceLog() {
	const log = vi.spyOn(console, 'error').mockImplementation(() => {});
	onTestFinished(() => log.mockRestore());
	return log;
}

describe('the start of an attempt', () => {
	it('tells the job its epoch, whether its consumer has other jobs, and an id of this delivery', async () => {
		const { jobs, calls } = recordingJobs({ startAttempt: { started: false, refusal: 'stale' } });
		await makeAttempt(dependenciesWith(jobs), RECEIVED);
		await makeAttempt(dependenciesWith(jobs), { ...RECEIVED, isShared: false });
		const starts = calls.map(({ arg }) => arg as ArgumentsOf<'start'>);
		expect(starts).toEqual([
			{ epoch: 1, isShared: true, delivery: expect.any(String) },
			{ epoch: 1, isShared: false, delivery: expect.any(String) },
		]);
		expect(starts[0]?.delivery).not.toBe(starts[1]?.delivery);
	});

	it.each([
		['that may start later is tried again by the lane that it says', 'early', { retryInMs: 700, lane: 'alone' }],
		['that is finished needs no other message', 'finished', {}],
	])('of a job %s', async (_, refusal, report) => {
		const { jobs } = recordingJobs({ startAttempt: { started: false, refusal, waitMs: 700, lane: 'alone' } });
		expect(await makeAttempt(dependenciesWith(jobs), RECEIVED)).toEqual({ report });
	});

	it('says how long the job waited before its task runs', async () => {
		const order: string[] = [];
		const noteWait: AttemptDependencies['noteWait'] = (waitedMs) => void order.push(`waited ${waitedMs}`);
		const { jobs } = recordingJobs({ startAttempt: { started: true, lease: leaseFor('work', { waitedMs: 800 }) } });
		const task = taskThat(() => void order.push('ran'));
		await makeAttempt(dependenciesWith(jobs, [task], { noteWait }), RECEIVED);
		expect(order).toEqual(['waited 800', 'ran']);
	});
});

describe('an attempt', () => {
	it('completes its job with what its task returned, and with the progress that was not sent', async () => {
		const { calls, report } = await attempt((_, job) => {
			job.progress(40, 'nearly');
			return { done: true };
		});
		expect(calls.map(({ method }) => method)).toEqual(['completeAttempt']);
		expect(calls[0]?.arg).toMatchObject({
			fence: { epoch: 1, attempt: 1 },
			reply: { status: 200, body: { mediaType: 'application/json' } },
			progress: { percentComplete: 40, message: 'nearly' },
		});
		expect(report).toEqual({});
	});

	it('passes its job to an external worker, with the progress that was not sent', async () => {
		const terms = { timeoutSeconds: 9 };
		const { calls } = await attempt((_, job) => {
			job.progress(1);
			return new WaitingForWorker({ progress: '', complete: '', fail: '' }, terms);
		});
		expect(calls).toMatchObject([
			{ method: 'waitForWorker', arg: { fence: { attempt: 1 }, terms, progress: { percentComplete: 1 } } },
		]);
	});

	it('returns what the job decides about a failure, and logs no error that the client sees', async () => {
		const log = silenceLog();
		const { calls, report } = await attempt(
			() => {
				throw new TaskError('Busy', 'Come again', { retryAfterSeconds: 7 });
			},
			{ answers: { failAttempt: { retryInMs: 7_000 } } },
		);
		expect(reportedFailure(calls)).toMatchObject({ error: { code: 'Busy' } });
		expect(calls[0]?.arg).toMatchObject({ retryAfterSeconds: 7 });
		expect(report).toEqual({ retryInMs: 7_000 });
		expect(log).not.toHaveBeenCalled();
	});

	it('logs any other error, and keeps it from the client', async () => {
		const log = silenceLog();
		const { calls } = await attempt(() => {
			throw new Error('the password is wrong');
		});
		expect(reportedFailure(calls)).toMatchObject({ error: { code: 'TaskFailed' } });
		expect(JSON.stringify(calls)).not.toContain('password');
		expect(String(log.mock.calls)).toContain('task failed');
	});

	it('fails for good when its task is not part of the deployment', async () => {
		const { calls } = await attempt(() => {}, { lease: leaseFor('removed') });
		expect(reportedFailure(calls)).toMatchObject({ error: { code: 'UnknownTask', retryable: false } });
	});

	it('fails for good when its upstream is not part of the deployment', async () => {
		const { calls } = await attempt(() => {}, { lease: leaseFor('upstreams/removed') });
		expect(reportedFailure(calls)).toMatchObject({ error: { code: 'UnknownTask', retryable: false } });
	});

	it('that times out is reported after its task has cleaned up, and what the task throws then is no failure', async () => {
		const log = silenceLog();
		const order: string[] = [];
		const { calls } = await attempt(
			async (_, { signal }) => {
				await new Promise((resolve) => signal.addEventListener('abort', resolve));
				await scheduler.wait(20);
				order.push('cleaned up');
				throw new Error('aborted');
			},
			{ lease: leaseFor('work', { timeoutSeconds: 0.02 }) },
		);
		expect(order).toEqual(['cleaned up']);
		expect(reportedFailure(calls)).toMatchObject({ status: 504, phase: 'timed-out' });
		expect(log).not.toHaveBeenCalled();
	});

	it('that times out is reported without its task if the task does not stop', async () => {
		const startedAt = Date.now();
		const { calls } = await attempt(() => new Promise(() => {}), { lease: leaseFor('work', { timeoutSeconds: 0.02 }) });
		expect(reportedFailure(calls)).toMatchObject({ status: 504, phase: 'timed-out' });
		expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_900);
	});
});
