import { describe, expect, it } from 'vitest';
import { advance } from '../../../src/core/job/advance.ts';
import { nextAlarmAt } from '../../../src/core/job/alarm.ts';
import { jobFacts } from '../../../src/core/job/document.ts';
import { recover } from '../../../src/core/job/recover.ts';
import { type Command, transition } from '../../../src/core/job/transition.ts';
import { applied, canceling, FENCE, failure, queued, REPLY, running, T0 } from './jobs.ts';

const WAIT: Command = { type: 'wait', fence: FENCE, terms: { startWithinSeconds: 60, timeoutSeconds: 3_600 } };
const PROGRESS: Command = { type: 'progress', fence: FENCE, progress: { percentComplete: 40 }, isExternal: true };
const AT = T0 + 100;

const waiting = (maxAttempts = 4) => applied(running({ maxAttempts }), WAIT, AT);

describe('a job that waits for an external worker', () => {
	it('is running, in the phase waiting', () => {
		expect(jobFacts('a', waiting(), AT)).toMatchObject({ status: 'running', phase: 'waiting', seq: 3 });
	});

	it('is looked at when the worker must have started, and when it has, at the end of its time', () => {
		const job = waiting();
		expect(nextAlarmAt(job, AT)).toBe(AT + 60_000);
		expect(nextAlarmAt(applied(job, PROGRESS, AT + 10), AT + 10)).toBe(AT + 3_600_000);
	});

	it.each([
		['start', waiting(), AT + 60_000, 60],
		['finish', applied(waiting(), PROGRESS, AT + 10), AT + 3_600_000, 3_600],
	])('has its attempt failed when the worker did not %s in time, and is tried again by its alarm', (what, job, at, seconds) => {
		expect(advance(job, at - 1, 0.5)).toBe(job);
		const next = advance(job, at, 0.5);
		expect(next?.state).toMatchObject({ name: 'pending', notBefore: at + 500, checkAt: at + 500 });
		expect(next?.state).not.toHaveProperty('sentAt');
		expect(next).toMatchObject({ lostAttempts: 0, attempt: 1 });
		expect(next?.history.at(-1)).toMatchObject({
			type: 'retrying',
			error: { code: 'ExecutionTimeout', message: `The external worker did not ${what} within ${seconds} s` },
		});
	});

	it('has timed out when that was its last attempt', () => {
		expect(advance(waiting(1), AT + 60_000, 0.5)?.state).toMatchObject({
			name: 'failed',
			phase: 'timed-out',
			status: 504,
		});
	});

	it('loses nothing of what was reported when its object is reset', () => {
		const job = applied(waiting(), PROGRESS, AT + 10);
		expect(recover(job, undefined)).toBe(job);
	});

	it('writes what is reported, but for what is folded into the next', () => {
		const first = transition(waiting(), PROGRESS, AT + 10);
		expect(first).not.toHaveProperty('volatile');
		const second = transition(first.job, { ...PROGRESS, progress: { percentComplete: 41 } }, AT + 20);
		expect(second).toMatchObject({ volatile: true, job: { seq: first.job.seq, progress: { percentComplete: 41 } } });
		const third = transition(second.job, { ...PROGRESS, progress: { percentComplete: 30 } }, AT + 1_000);
		expect(third.job).toMatchObject({ seq: first.job.seq + 1, progress: { percentComplete: 41 } });
	});

	it('ends at once when it is canceled: there is no consumer that must let go', () => {
		const job = applied(waiting(), { type: 'cancel' }, AT + 10);
		expect(job.state.name).toBe('canceled');
		expect(transition(job, PROGRESS, AT + 20).refusal).toBe('canceled');
		expect(transition(job, { type: 'complete', fence: FENCE, reply: REPLY }, AT + 20).refusal).toBe('canceled');
	});

	it('is given back to no queue when its worker failed: its alarm sends', () => {
		const report: Command = { type: 'fail', fence: FENCE, failure: failure(true), random: 0.5, isExternal: true };
		expect(applied(waiting(), report, AT + 10).state).toMatchObject({ name: 'pending', checkAt: AT + 510 });
	});
});

describe('a wait', () => {
	it.each([
		['succeeded', { type: 'complete', fence: FENCE, reply: REPLY }],
		['pending', { type: 'fail', fence: FENCE, failure: failure(true), random: 0.5, isExternal: true }],
	] as [string, Command][])('that comes after its worker was heard of changes nothing: %s', (state, report) => {
		const job = applied(running(), report, AT);
		expect(job.state.name).toBe(state);
		expect(transition(job, WAIT, AT + 10)).toMatchObject({ refusal: 'settled', job });
	});

	it('asks for no start of a worker that has reported already, and leaves its progress alone', () => {
		const job = applied(running(), PROGRESS, AT);
		const next = applied(
			job,
			{ ...WAIT, progress: { percentComplete: 1, message: 'handed over' } } as Command,
			AT + 10,
		);
		expect(next.progress).toEqual({ percentComplete: 40 });
		expect(nextAlarmAt(next, AT + 10)).toBe(AT + 10 + 3_600_000);
	});

	it('of an attempt that was asked to stop lets the cancel end', () => {
		expect(transition(canceling(), WAIT, AT)).toMatchObject({
			refusal: 'canceled',
			job: { state: { name: 'canceled' } },
		});
	});

	it('of another attempt, or for a job that runs nowhere, is stale', () => {
		expect(transition(running(), { ...WAIT, fence: { epoch: 1, attempt: 7 } } as Command, AT).refusal).toBe('stale');
		expect(transition(queued(), { ...WAIT, fence: { epoch: 0, attempt: 0 } } as Command, AT).refusal).toBe('stale');
	});

	it('twice is one', () => {
		expect(transition(waiting(), WAIT, AT + 10).refusal).toBe('settled');
	});
});
