/** Jobs in every state, created by the state machine itself. */
import { accepted, type Failure, type Submission } from '../../../src/core/job/lifecycle.ts';
import type { Fence, Following, JobOptions, JobRecord, StoredReply } from '../../../src/core/job/record.ts';
import { type Command, transition } from '../../../src/core/job/transition.ts';

export const T0 = Date.UTC(2026, 0, 1);
export const FENCE: Fence = { epoch: 1, attempt: 1 };
export const REPLY: StoredReply = { status: 200, headers: [] };

/** An operation that an upstream has started. */
export const BEGUN: Following = {
	operation: { method: 'POST', askAt: 'https://report.example/operations/1', asksFor: 'status' },
	answers: 0,
	failures: 0,
};

export const OPTIONS: JobOptions = {
	correlationId: 'order-42',
	delaySeconds: 0,
	timeoutSeconds: 60,
	maxAttempts: 4,
	retainSeconds: 3_600,
	tags: ['order'],
};

export function submission(options: Partial<JobOptions> = {}): Submission {
	return {
		submission: 'a',
		tenant: 'default',
		task: 'sleep',
		lane: 'long',
		options: { ...OPTIONS, ...options },
		parameters: {},
		input: { sizeBytes: 2, mediaType: 'application/json', inline: new Uint8Array([0x7b, 0x7d]), form: 'json' },
		sent: true,
	};
}

export function failure(retryable: boolean, code = 'Broken'): Failure {
	return { error: { code, message: 'It broke', retryable }, status: 500 };
}

/** Applies a command that must be accepted. */
export function applied(job: JobRecord, command: Command, now: number): JobRecord {
	const result = transition(job, command, now);
	if (result.job === job) throw new Error(`${command.type} changed nothing: ${result.refusal}`);
	return result.job;
}

export const queued = (options?: Partial<JobOptions>) => accepted(submission(options), T0);
export const running = (options?: Partial<JobOptions>) =>
	applied(queued(options), { type: 'start', epoch: 1 }, T0 + 10);
export const canceling = () => applied(running(), { type: 'cancel' }, T0 + 20);
export const retryWaiting = () =>
	applied(running(), { type: 'fail', fence: FENCE, failure: failure(true), random: 0.5 }, T0 + 20);
export const succeeded = () => applied(running(), { type: 'complete', fence: FENCE, reply: REPLY }, T0 + 20);
export const failed = () =>
	applied(running(), { type: 'fail', fence: FENCE, failure: failure(false), random: 0 }, T0 + 20);
export const canceled = () => applied(queued(), { type: 'cancel' }, T0 + 20);
export const purged = () => applied(succeeded(), { type: 'purge' }, T0 + 30);
