/** The commands of bulk actions to jobs, and the job of an action itself. */
import { describe, expect, it } from 'vitest';
import { START_OF_WALK } from '../../../src/core/action/walk.ts';
import { advance } from '../../../src/core/job/advance.ts';
import { jobFacts } from '../../../src/core/job/document.ts';
import { accepted } from '../../../src/core/job/lifecycle.ts';
import { CANCEL_GRACE_MS } from '../../../src/core/job/limits.ts';
import type { JobRecord } from '../../../src/core/job/record.ts';
import { relationTo } from '../../../src/core/job/repeat.ts';
import { ACTION_TASK, quotaAccount } from '../../../src/core/job/system-task.ts';
import { type ClientCommand, type Command, transition } from '../../../src/core/job/transition.ts';
import { applied, FENCE, failed, failure, queued, REPLY, submission, succeeded, T0 } from './jobs.ts';

const AT = T0 + 100;
const RETRY = { type: 'retry', ifEpoch: 1, by: 'action/1' } as const;

describe('a command that names an epoch', () => {
	it.each([
		[{ type: 'cancel', ifEpoch: 2 }, queued()],
		[{ type: 'retry', ifEpoch: 2 }, failed()],
		[{ type: 'purge', ifEpoch: 2 }, succeeded()],
	] as [ClientCommand, JobRecord][])('%j is refused by a job of another one', (command, job) => {
		expect(transition(job, command, AT)).toEqual({ job, refusal: 'stale', effects: [] });
	});

	it('is obeyed by a job of this epoch', () => {
		expect(transition(queued(), { type: 'cancel', ifEpoch: 1 }, AT).job.state.name).toBe('canceled');
		expect(transition(succeeded(), { type: 'purge', ifEpoch: 1 }, AT).job.state.name).toBe('tombstone');
		expect(transition(failed(), RETRY, AT).job).toMatchObject({ epoch: 2, retriedBy: 'action/1' });
	});

	it('is recognised when the same action repeats its retry, whatever became of the job', () => {
		const again = applied(failed(), RETRY, AT);
		const fence = { epoch: 2, attempt: 1 };
		const running = applied(again, { type: 'start', epoch: 2 }, AT);
		const over = applied(running, { type: 'fail', fence, failure: failure(false), random: 0 }, AT);
		for (const job of [again, running, over]) expect(transition(job, RETRY, AT).refusal).toBe('settled');
	});

	it('is not refused when the very call is repeated: its reservation is in use, and must not be given back', () => {
		const first = { ...RETRY, reservation: 'one', acceptBy: AT };
		const again = applied(failed(), first, AT);
		expect(transition(again, first, AT + 1)).toEqual({ job: again, effects: [] });
		expect(transition(again, { ...first, reservation: 'two' }, AT).refusal).toBe('settled');
	});

	it('is refused by a job that a client, or another action, has run again', () => {
		const byClient = applied(failed(), { type: 'retry' }, AT);
		expect(transition(byClient, RETRY, AT).refusal).toBe('stale');
		const byOther = applied(failed(), { ...RETRY, by: 'action/2' }, AT);
		expect(transition(byOther, RETRY, AT).refusal).toBe('stale');
		const twice = applied(applied(applied(failed(), RETRY, AT), { type: 'cancel' }, AT), { type: 'retry' }, AT);
		expect(twice).not.toHaveProperty('retriedBy');
		expect(transition(twice, RETRY, AT).refusal).toBe('stale');
	});
});

const SYSTEM = { ...submission({ maxAttempts: 4 }), task: ACTION_TASK };
const FOLLOW: Command = {
	type: 'follow',
	fence: FENCE,
	following: { answers: 0, failures: 0, walk: START_OF_WALK },
	waitMs: 0,
	timeoutSeconds: 3_600,
};
const ASK: Command = { type: 'ask', epoch: 1, attempt: 1, asks: 0, delivery: 'a' };
const walking = () => applied(applied(accepted(SYSTEM, T0), { type: 'start', epoch: 1 }, T0), FOLLOW, T0);
const atWork = () => applied(walking(), ASK, AT);
const PROGRESS = { percentComplete: 40, message: '4 of 10', data: { done: 4 } };
const ASKED: Command = {
	type: 'asked',
	fence: FENCE,
	asks: 0,
	following: { answers: 1, failures: 0, walk: { ...START_OF_WALK, done: 4 } },
	waitMs: 0,
	progress: PROGRESS,
};

describe('the job of an action', () => {
	it('is running while it walks through the list', () => {
		expect(jobFacts('a', walking(), AT)).toMatchObject({ status: 'running', phase: 'running' });
	});

	it('is canceled at once between two portions', () => {
		expect(transition(walking(), { type: 'cancel' }, AT).job.state.name).toBe('canceled');
	});

	it('is canceled when the consumer of its portion has told what it did', () => {
		const stopping = applied(atWork(), { type: 'cancel' }, AT);
		expect(jobFacts('a', stopping, AT)).toMatchObject({ status: 'running', phase: 'canceling' });
		expect(transition(stopping, { type: 'progress', fence: FENCE, progress: {} }, AT).refusal).toBe('canceled');
		const told = transition(stopping, ASKED, AT + 500);
		expect(told).toMatchObject({ refusal: 'canceled', job: { state: { name: 'canceled' }, progress: PROGRESS } });
		const done = transition(stopping, { type: 'complete', fence: FENCE, reply: REPLY, progress: PROGRESS }, AT + 500);
		expect(done).toMatchObject({ refusal: 'canceled', job: { state: { name: 'canceled' }, progress: PROGRESS } });
	});

	it('is canceled without its consumer after some time, and is handed to no other', () => {
		const stopping = applied(atWork(), { type: 'cancel' }, AT);
		expect(transition(stopping, { ...ASK, delivery: 'b' }, AT + 1).refusal).toBe('canceled');
		const over = advance(stopping, AT + CANCEL_GRACE_MS, 0);
		expect(over?.state).toMatchObject({ name: 'canceled', finishedAt: AT + CANCEL_GRACE_MS });
	});

	it('says in its own words that it took too long', () => {
		const late = advance(walking(), T0 + 3_600_000, 0);
		expect(late?.state).toMatchObject({ error: { message: 'The action did not finish within 3600 s' } });
	});

	it('can’t be run again, and makes room for one like it when it has ended', () => {
		const over = applied(walking(), { type: 'cancel' }, AT);
		expect(transition(over, { type: 'retry' }, AT).refusal).toBe('system');
		const next = { ...SYSTEM, submission: 'b', requestFingerprint: 'same' };
		expect(relationTo({ ...walking(), requestFingerprint: 'same' }, next)).toBe('repeat');
		expect(relationTo({ ...over, requestFingerprint: 'same' }, next)).toBe('first');
	});

	it('is counted apart from the jobs of its tenant', () => {
		expect(quotaAccount({ tenant: 'acme', task: 'sleep' })).toBe('acme');
		expect(quotaAccount({ tenant: 'acme', task: ACTION_TASK })).toBe('actions acme');
	});
});
