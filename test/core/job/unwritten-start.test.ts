import { describe, expect, it } from 'vitest';
import { eventsAfter } from '../../../src/core/job/document.ts';
import { type Fence, fenceOf, type JobRecord } from '../../../src/core/job/record.ts';
import { loaded, numberedUntil } from '../../../src/core/job/recover.ts';
import { transition } from '../../../src/core/job/transition.ts';
import { markForgetful, mayStayUnwritten, withForgottenStart } from '../../../src/core/job/unwritten-start.ts';
import { applied, queued, REPLY, T0 } from './jobs.ts';

const start = (delivery: string) => ({ type: 'start', epoch: 1, delivery }) as const;
const complete = (fence: Fence) => ({ type: 'complete', fence, reply: REPLY }) as const;
/** The job as its object finds it after a reset. */
const reset = (stored: JobRecord) => loaded({ stored, live: undefined, now: T0 + 50 });

describe('a start', () => {
	it('costs no row until its attempt opens a link', () => {
		const begun = transition(queued(), start('a'), T0 + 10);
		expect(begun.volatile).toBe(true);
		expect(begun.job.seq).toBeLessThanOrEqual(numberedUntil(queued()));
		const link = { type: 'link', fence: fenceOf(begun.job) } as const;
		const opened = transition(begun.job, link, T0 + 20);
		expect(opened.volatile).toBeUndefined();
		expect(transition(opened.job, link, T0 + 30).job).toBe(opened.job);
	});

	it.each<[string, JobRecord, string | undefined]>([
		['has no nonce', queued(), undefined],
		['may have been made before', markForgetful(queued()), 'a'],
		['was waited for so long that the watchdog looks late', applied(queued(), { type: 'wake' }, T0 + 86_400_000), 'a'],
		['must not be made twice', { ...queued(), isOnce: true }, 'a'],
		['has a deadline', queued({ startWithinSeconds: 60 }), 'a'],
		[
			'is told to a webhook',
			{
				...queued(),
				webhook: { url: 'https://a.example/', events: ['started'], format: 'standard', origin: '', deliveries: [] },
			},
			'a',
		],
	])('is written if it %s', (_, job, delivery) => {
		expect(mayStayUnwritten(job, delivery, T0 + 10)).toBe(false);
	});

	it('that its object forgot is known again from the report of its attempt, with its time and number', () => {
		const begun = applied(queued(), start('a'), T0 + 10);
		const done = applied(reset(queued()), complete(fenceOf(begun)), T0 + 60);
		expect(done.state.name).toBe('succeeded');
		expect(done.history[1]).toEqual(begun.history[1]);
	});

	it('is written with the first news after it was forgotten, even progress', () => {
		const fence = fenceOf(applied(queued(), start('a'), T0 + 10));
		const result = transition(reset(queued()), { type: 'progress', fence, progress: {} }, T0 + 60);
		expect(result.volatile).toBeUndefined();
		expect(result.job.state.name).toBe('running');
	});

	it('of a later delivery takes the job, and the earlier attempt is refused', () => {
		const first = fenceOf(applied(queued(), start('a'), T0 + 10));
		const again = applied(reset(queued()), start('b'), T0 + 60);
		expect(again.attempt).toBe(first.attempt);
		expect(transition(again, complete(first), T0 + 70).refusal).toBe('stale');
		expect(applied(again, complete(fenceOf(again)), T0 + 80).state.name).toBe('succeeded');
	});

	it('never shares the number of its event with another event', () => {
		const begun = applied(queued(), start('a'), T0 + 10);
		const used = begun.history.at(-1)?.seq;
		for (const next of [
			applied(reset(queued()), start('b'), T0 + 60),
			applied(reset(queued()), { type: 'cancel' }, T0 + 60),
		])
			expect(next.history.at(-1)?.seq).not.toBe(used);
	});

	it('of an earlier epoch, attempt or job is not believed', () => {
		const fence = fenceOf(applied(queued(), start('a'), T0 + 10));
		for (const other of [
			{ ...fence, epoch: 2 },
			{ ...fence, attempt: 2 },
			{ ...fence, createdAt: T0 - 1 },
		])
			expect(withForgottenStart(reset(queued()), other).state.name).toBe('pending');
	});
});

describe('a reader', () => {
	it('who has the event of a forgotten start gets no event again', () => {
		const job = reset(queued());
		expect(eventsAfter({ id: 'a', job, now: T0 + 60 }, job.seq + 1)).toEqual([]);
	});
});
