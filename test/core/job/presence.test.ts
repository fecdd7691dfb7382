import { describe, expect, it } from 'vitest';
import { advance } from '../../../src/core/job/advance.ts';
import { nextAlarmAt } from '../../../src/core/job/alarm.ts';
import { LINK_CHECK_MS, MAX_LOST_ATTEMPTS, UNLINKED_MS } from '../../../src/core/job/limits.ts';
import { linked, lookForLink, lostAt, unlinked } from '../../../src/core/job/presence.ts';
import { fenceOf, type JobRecord } from '../../../src/core/job/record.ts';
import { applied, BEGUN, canceling, FENCE, queued, running, T0 } from './jobs.ts';

/** The attempt lost its link at this time. */
const AT = T0 + 10_000;
const broken = (job: JobRecord = running()) => unlinked(linked(job), AT);

describe('an attempt', () => {
	it('is not lost while its link is open', () => {
		expect(lostAt(linked(running()))).toBeUndefined();
		expect(advance(linked(running()), T0 + 60_000, 0)?.state.name).toBe('running');
	});

	it('is lost four seconds after its link broke, and not before', () => {
		const job = broken();
		expect(advance(job, AT + UNLINKED_MS.broken - 1, 0)).toBe(job);
		const lost = advance(job, AT + UNLINKED_MS.broken, 0);
		expect(lost).toMatchObject({ state: { name: 'pending' }, lostAttempts: 1, runsAlone: true });
		expect(lost?.history.at(-1)).toMatchObject({
			type: 'retrying',
			at: AT + UNLINKED_MS.broken,
			error: { code: 'DeliveryFailed', message: 'Attempt 1 was lost: its consumer disappeared' },
		});
	});

	it('is not lost if its link comes back in time, a thousand times', () => {
		let job = running();
		for (let cut = 0; cut < 1_000; cut++) {
			const at = T0 + 10 + cut * 70;
			job = applied(job, { type: 'link', fence: FENCE }, at);
			job = applied(job, { type: 'unlink', fence: FENCE, isClosed: false }, at + 1);
			expect(advance(job, at + 69, 0)).toBe(job);
		}
		expect(job).toMatchObject({ attempt: 1, lostAttempts: 0 });
	});

	it('has longer before its first link, which busy work delays, and after it closed the link itself', () => {
		expect(lostAt(running())).toBe(T0 + 10 + UNLINKED_MS.unopened);
		expect(lostAt(unlinked(linked(running()), AT, true))).toBe(AT + UNLINKED_MS.unopened);
	});

	it('has longest if its work must not be done twice, and then fails its job', () => {
		const job = broken({ ...running(), isOnce: true });
		expect(lostAt(job)).toBe(AT + UNLINKED_MS.once);
		const failed = advance(job, AT + UNLINKED_MS.once, 0);
		expect(failed?.state).toMatchObject({ name: 'failed', phase: 'dead-lettered', error: { retryable: false } });
	});

	it('fails its job when too many attempts were lost', () => {
		const job = broken({ ...running(), lostAttempts: MAX_LOST_ATTEMPTS });
		expect(advance(job, AT + UNLINKED_MS.broken, 0)?.state).toMatchObject({ name: 'failed', phase: 'dead-lettered' });
	});

	it('ends as canceled when it disappears after a cancel', () => {
		const job = unlinked(linked(canceling()), T0 + 100);
		expect(advance(job, T0 + 100 + UNLINKED_MS.broken, 0)?.state).toMatchObject({
			name: 'canceled',
			finishedAt: T0 + 100 + UNLINKED_MS.broken,
		});
	});

	it('that waits for an external worker or an upstream has no link to lose', () => {
		const waiting = applied(running(), { type: 'wait', fence: FENCE, terms: { timeoutSeconds: 600 } }, T0 + 20);
		const asked = { following: BEGUN, waitMs: 1_000, timeoutSeconds: 600 };
		const following = applied(running(), { type: 'follow', fence: FENCE, ...asked }, T0 + 20);
		for (const job of [waiting, following]) {
			expect(lostAt(lookForLink(job, undefined, AT))).toBeUndefined();
			expect(unlinked(job, AT)).toBe(job);
		}
	});
});

describe('an object', () => {
	it('looks at its running attempt once in a while, and when the attempt would be lost', () => {
		const long = running({ timeoutSeconds: 800 });
		expect(nextAlarmAt(linked(long), AT)).toBe(AT + LINK_CHECK_MS);
		expect(nextAlarmAt(broken(long), AT)).toBe(AT + UNLINKED_MS.broken);
	});

	it('that was loaded sees whether the link is open', () => {
		const stored = linked(running());
		expect(lookForLink(stored, fenceOf(stored), AT)).toBe(stored);
		expect(lostAt(lookForLink(stored, undefined, AT))).toBe(AT + UNLINKED_MS.broken);
		expect(lostAt(lookForLink(stored, { epoch: 1, attempt: 7 }, AT))).toBe(AT + UNLINKED_MS.broken);
		expect(lookForLink(queued(), undefined, AT)).toEqual(queued());
	});
});
