import { describe, expect, it } from 'vitest';
import { advance } from '../../../src/core/job/advance.ts';
import { isLookDue, nextAlarmAt } from '../../../src/core/job/alarm.ts';
import { jobFacts } from '../../../src/core/job/document.ts';
import { awaitedMessage } from '../../../src/core/job/message.ts';
import { recover } from '../../../src/core/job/recover.ts';
import { type Command, transition } from '../../../src/core/job/transition.ts';
import { applied, BEGUN, canceling, FENCE, failure, REPLY, running, T0 } from './jobs.ts';

const AT = T0 + 100;
const FOLLOW: Command = { type: 'follow', fence: FENCE, following: BEGUN, waitMs: 30_000, timeoutSeconds: 3_600 };
const ASK: Command = { type: 'ask', epoch: 1, attempt: 1, asks: 0 };
const ASKED = { type: 'asked', fence: FENCE, asks: 0, following: { ...BEGUN, answers: 1 }, waitMs: 40_000 } as const;
const DUE = AT + 30_000;

const following = () => applied(running({ maxAttempts: 1 }), FOLLOW, AT);

describe('a job whose upstream works on', () => {
	it('is running, in the phase waiting, and keeps the operation and the number of the message that it waits for', () => {
		expect(jobFacts('a', following(), AT)).toMatchObject({ status: 'running', phase: 'waiting', attempt: 1, seq: 3 });
		expect(awaitedMessage('a', following())).toEqual({ v: 1, id: 'a', epoch: 1, ask: { attempt: 1, asks: 0 } });
	});

	it('outlives the time of its attempt, and is not started by anybody', () => {
		const late = AT + 600_000;
		const job = following();
		expect(advance(job, late, 0.5)).toBe(job);
		expect(transition(job, { type: 'start', epoch: 1 }, late).refusal).toBe('leased');
		expect(transition(job, { type: 'deadLetter', epoch: 1 }, late).refusal).toBe('leased');
	});

	it('has a lost message sent again 20 s after it was due, each time twice as late, without a write', () => {
		let job = following();
		const looks: number[] = [];
		for (let look = 0; look < 5; look++) {
			const at = nextAlarmAt(job, AT);
			expect(isLookDue(job, at - 1)).toBe(false);
			const woken = transition(job, { type: 'wake' }, at);
			expect(woken).toMatchObject({ effects: [{ type: 'enqueue' }], volatile: true });
			expect(awaitedMessage('a', woken.job)?.ask).toEqual({ attempt: 1, asks: 0 });
			looks.push((at - DUE) / 1_000);
			job = woken.job;
		}
		expect(looks).toEqual([20, 60, 140, 300, 620]);
	});

	it('waits for its end when the watchdog is done, and sets no alarm in the past', () => {
		const terms = { ...FOLLOW, timeoutSeconds: 7 * 86_400 } as Command;
		const late = AT + 6 * 86_400_000;
		const { job } = transition(applied(running(), terms, AT), { type: 'wake' }, late);
		expect(nextAlarmAt(job, late)).toBe(AT + 7 * 86_400_000);
	});

	it('lets a consumer ask for a minute before another one is sent for, at the cost of no row', () => {
		const asking = transition(following(), ASK, DUE + 10_000);
		expect(asking).toMatchObject({ effects: [], volatile: true });
		expect(nextAlarmAt(asking.job, DUE + 10_000)).toBe(DUE + 70_000);
	});

	it('lets one consumer ask at a time, and that one again when it did not hear that it may', () => {
		const first = { ...ASK, delivery: 'first' };
		const asking = transition(following(), first, DUE).job;
		const second = { ...ASK, delivery: 'second' };
		expect(transition(asking, second, DUE + 59_999)).toMatchObject({ refusal: 'leased', job: asking });
		expect(transition(asking, first, DUE + 10).refusal).toBeUndefined();
		expect(transition(asking, second, DUE + 60_000).refusal).toBeUndefined();
		const answered = applied(asking, ASKED, DUE + 10);
		expect(transition(answered, { ...second, asks: 1 }, DUE + 20).refusal).toBeUndefined();
	});

	it('takes each answer once: the message of a question that was answered does nothing', () => {
		const next = applied(following(), ASKED, DUE);
		expect(awaitedMessage('a', next)?.ask).toEqual({ attempt: 1, asks: 1 });
		expect(nextAlarmAt(next, DUE)).toBe(DUE + 60_000);
		expect(transition(next, ASKED, DUE + 10)).toMatchObject({ refusal: 'settled', job: next });
		expect(transition(next, ASK, DUE + 10)).toMatchObject({ refusal: 'settled', job: next });
	});

	it('tells readers of news, and of nothing else', () => {
		const told = applied(following(), { ...ASKED, progress: { message: 'Running' } }, DUE);
		expect(told).toMatchObject({ seq: 4, progress: { message: 'Running' } });
		const same = applied(told, { ...ASKED, asks: 1, progress: { message: 'Running' } }, DUE + 40_000);
		expect(same.seq).toBe(4);
	});

	it('is told once: a call whose answer was lost is answered again', () => {
		const job = following();
		expect(transition(job, FOLLOW, AT + 10)).toEqual({ job, effects: [] });
		expect(transition(applied(job, ASKED, DUE), FOLLOW, DUE + 10).refusal).toBe('settled');
	});

	it('listens to its own attempt alone, whoever asked', () => {
		expect(transition(following(), { ...ASKED, fence: { epoch: 1, attempt: 2 } }, DUE).refusal).toBe('stale');
		expect(transition(following(), { ...ASK, attempt: 2 } as Command, DUE).refusal).toBe('stale');
		expect(applied(following(), { type: 'complete', fence: FENCE, reply: REPLY }, DUE).state.name).toBe('succeeded');
		const fail: Command = { type: 'fail', fence: FENCE, failure: failure(false), random: 0.5 };
		expect(applied(following(), fail, DUE).state.name).toBe('failed');
	});

	it('is canceled at once, and nobody asks any more', () => {
		const job = applied(following(), { type: 'cancel' }, AT + 10);
		expect(job.state.name).toBe('canceled');
		expect(transition(job, ASK, DUE).refusal).toBe('canceled');
		expect(transition(job, ASKED, DUE).refusal).toBe('canceled');
		expect(transition(canceling(), FOLLOW, AT)).toMatchObject({
			refusal: 'canceled',
			job: { state: { name: 'canceled' } },
		});
	});

	it('fails when its time is over, and starts no second operation, whatever attempts it has left', () => {
		const job = applied(running({ maxAttempts: 4 }), FOLLOW, AT);
		const over = AT + 3_600_000;
		expect(advance(job, over - 1, 0.5)).toBe(job);
		expect(advance(job, over, 0.5)?.state).toMatchObject({
			name: 'failed',
			phase: 'timed-out',
			status: 504,
			error: {
				code: 'ExecutionTimeout',
				message: 'The upstream operation did not finish within 3600 s',
				retryable: false,
			},
		});
	});

	it('loses nothing when its object is reset', () => {
		const job = following();
		expect(recover(job, undefined)).toBe(job);
	});

	it('begins anew when it is run again', () => {
		const failed = applied(following(), { type: 'fail', fence: FENCE, failure: failure(false), random: 0 }, DUE);
		const again = applied(applied(failed, { type: 'retry' }, DUE + 10), { type: 'start', epoch: 2 }, DUE + 20);
		expect(again.state).not.toHaveProperty('waiting');
		expect(transition(again, ASK, DUE + 30).refusal).toBe('stale');
	});
});
