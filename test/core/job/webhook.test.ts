import { describe, expect, it } from 'vitest';
import { advance } from '../../../src/core/job/advance.ts';
import { nextAlarmAt } from '../../../src/core/job/alarm.ts';
import { jobFacts } from '../../../src/core/job/document.ts';
import { accepted } from '../../../src/core/job/lifecycle.ts';
import {
	MAX_DELIVERIES,
	MAX_PENDING_DELIVERIES,
	MAX_WEBHOOK_TRIES,
	MAX_WEBHOOK_WAKES,
	WEBHOOK_WATCHDOG_MS,
} from '../../../src/core/job/limits.ts';
import { jobNews } from '../../../src/core/job/news.ts';
import type { EventType, JobRecord, Webhook } from '../../../src/core/job/record.ts';
import { transition } from '../../../src/core/job/transition.ts';
import { DEFAULT_WEBHOOK_EVENTS, lateDeliveries, messageId, pendingDeliveries } from '../../../src/core/job/webhook.ts';
import { applied, FENCE, failure, REPLY, submission, T0 } from './jobs.ts';

const HOUR = 3_600_000;

const HOOK: Webhook = {
	url: 'https://receiver.example/hook?secret=1',
	events: DEFAULT_WEBHOOK_EVENTS,
	format: 'standard',
	origin: 'https://x.example',
	deliveries: [],
};

function withWebhook(events: readonly EventType[] = DEFAULT_WEBHOOK_EVENTS): JobRecord {
	return accepted({ ...submission({ retainSeconds: 60 }), webhook: { ...HOOK, events } }, T0);
}

const start = (job: JobRecord) => applied(job, { type: 'start', epoch: 1 }, T0 + 10);
const done = (job: JobRecord) => applied(start(job), { type: 'complete', fence: FENCE, reply: REPLY }, T0 + 20);
const failedAttempt = (job: JobRecord, attempt: number) => {
	const at = T0 + attempt * HOUR;
	const fence = { epoch: 1, attempt };
	const begun = applied(job, { type: 'start', epoch: 1 }, at);
	return applied(begun, { type: 'fail', fence, failure: failure(true), random: 0 }, at + 1);
};
const answer = (job: JobRecord, code: number | undefined, now: number, retryAfterMs = 0) =>
	applied(job, { type: 'delivered', seq: 3, made: { ...(code !== undefined && { code }), retryAfterMs } }, now);

describe('a webhook', () => {
	it('is told of the end, unless it asked for something else', () => {
		expect(pendingDeliveries(done(withWebhook())).map(({ seq }) => seq)).toEqual([3]);
		expect(pendingDeliveries(done(withWebhook(['accepted', 'started']))).map(({ seq }) => seq)).toEqual([1, 2]);
	});

	it('is told of every attempt that failed, when it asked for that', () => {
		const job = applied(
			start(withWebhook(['retrying'])),
			{ type: 'fail', fence: FENCE, failure: failure(true), random: 0 },
			T0 + 20,
		);
		expect(pendingDeliveries(job)).toEqual([{ seq: 3, attempt: 0, status: 'pending', nextAttemptAt: T0 + 20 }]);
	});

	it('is told under ids that name the job, its birth and the event', () => {
		const job = done(withWebhook());
		expect(messageId('a', job, 3)).toBe(`a:${T0}:3`);
		expect(messageId('a', { ...job, createdAt: T0 + 1 }, 3)).not.toBe(messageId('a', job, 3));
	});

	it('of a job that version 0.1.0 accepted keeps the ids it has, so that no retry looks like another event', () => {
		const job = done(withWebhook());
		const { idsNameBirth: _, ...webhook } = job.webhook as Webhook;
		expect(messageId('a', { ...job, webhook }, 3)).toBe('a:3');
	});

	it('that was told is left alone', () => {
		const job = answer(done(withWebhook()), 204, T0 + 50);
		expect(job.webhook?.deliveries).toEqual([{ seq: 3, attempt: 1, status: 'delivered', at: T0 + 50, code: 204 }]);
		expect(nextAlarmAt(job, T0 + 50)).toBe(T0 + 20 + 60_000 + HOUR);
	});

	it.each([
		undefined,
		200 + 101,
		404,
		500,
	])('that answers %s is tried again on the published schedule, for two days', (code) => {
		let job = done(withWebhook());
		let now = T0 + 100;
		const waits: number[] = [];
		for (;;) {
			job = answer(job, code, now);
			const next = pendingDeliveries(job)[0]?.nextAttemptAt;
			if (next === undefined) break;
			waits.push((next - now) / 1_000);
			now = next;
		}
		expect(waits.slice(0, 7)).toEqual([5, 30, 120, 600, 3_600, 21_600, 21_600]);
		expect(waits).toHaveLength(MAX_WEBHOOK_TRIES - 1);
		expect(now - T0).toBeGreaterThan(48 * HOUR);
		expect(job.webhook?.deliveries).toMatchObject([{ attempt: MAX_WEBHOOK_TRIES, status: 'given-up' }]);
	});

	it('keeps its job from being forgotten while it has still to be told', () => {
		const waiting = answer(done(withWebhook()), 500, T0 + 60_000);
		const muchLater = T0 + 30 * HOUR;
		expect(advance(waiting, muchLater, 0)).toBe(waiting);
		expect(Date.parse(jobFacts('a'.repeat(64), waiting, T0).expiresAt ?? '')).toBe(T0 + 65_000 + HOUR);
	});

	it('that comes when its job was to be forgotten leaves an hour to fetch the result', () => {
		const waiting = answer(done(withWebhook()), 500, T0 + 60_000);
		const muchLater = T0 + 30 * HOUR;
		const told = answer(waiting, 200, muchLater);
		expect(advance(told, muchLater + HOUR - 1, 0)).toBe(told);
		expect(advance(told, muchLater + HOUR, 0)?.state).toMatchObject({ name: 'tombstone', reason: 'expired' });
		expect(advance(told, muchLater + 2 * HOUR, 0)).toBeUndefined();
		expect(nextAlarmAt(told, muchLater)).toBe(muchLater + 2 * HOUR);
	});

	it('that makes its job stay longer makes the job tell the list, until the list has heard of just that', () => {
		const listed = accepted({ ...submission({ retainSeconds: 60 }), webhook: { ...HOOK }, isListable: true }, T0);
		const told = (job: JobRecord, readAt: number) =>
			transition(job, { type: 'told', news: { ...jobNews('a', job, readAt), readAt } }, readAt + 1).job;
		const over = told(done(listed), T0 + 30);
		expect(over).not.toHaveProperty('toTell');
		const waiting = answer(over, 500, T0 + 2 * HOUR);
		expect(waiting.toTell).toMatchObject({ since: T0 + 2 * HOUR });
		expect(told(waiting, T0 + 2 * HOUR - 1)).toHaveProperty('toTell');
		expect(told(waiting, T0 + 2 * HOUR)).not.toHaveProperty('toTell');
		expect(answer(over, 200, T0 + 40)).not.toHaveProperty('toTell');
	});

	it('that asks for a longer wait gets it, within reason', () => {
		const wait = (retryAfterMs: number) =>
			(pendingDeliveries(answer(done(withWebhook()), 503, T0, retryAfterMs))[0]?.nextAttemptAt ?? 0) - T0;
		expect([wait(1_000), wait(90_000), wait(1e12)]).toEqual([5_000, 90_000, 12 * HOUR]);
	});

	it('is tried again up to a tenth later, so that not all receivers are called at one moment', () => {
		const wait = (random: number, retryAfterMs: number) => {
			const made = { code: 503, retryAfterMs };
			const job = applied(done(withWebhook()), { type: 'delivered', seq: 3, made, random }, T0);
			return (pendingDeliveries(job)[0]?.nextAttemptAt ?? 0) - T0;
		};
		expect([wait(0, 0), wait(0.5, 0), wait(0.999, 0)]).toEqual([5_000, 5_250, 5_499]);
		expect([wait(0, 90_000), wait(0.5, 90_000)]).toEqual([90_000, 94_500]);
	});

	it('that has too much to be told is told the newest, and shown what was given up', () => {
		let job = withWebhook(['started', 'retrying']);
		const attempts = 80;
		job = { ...job, options: { ...job.options, maxAttempts: attempts } };
		for (let attempt = 1; attempt <= attempts; attempt++) job = failedAttempt(job, attempt);
		const deliveries = job.webhook?.deliveries ?? [];
		const statuses = deliveries.map(({ status }) => status);
		expect(deliveries).toHaveLength(MAX_DELIVERIES);
		expect(statuses.lastIndexOf('given-up')).toBe(MAX_DELIVERIES - MAX_PENDING_DELIVERIES - 1);
		expect(pendingDeliveries(job)).toHaveLength(MAX_PENDING_DELIVERIES);
		expect(jobFacts('a', job, T0).webhook?.deliveries[0]).toMatchObject({ attempt: 0, status: 'given-up' });
	});

	it('is not kept from an event by those that were delivered, and those are forgotten before what was given up', () => {
		let job = withWebhook(['started']);
		const attempts = MAX_DELIVERIES + 3;
		job = { ...job, options: { ...job.options, maxAttempts: attempts + 1 } };
		job = failedAttempt(job, 1);
		for (let attempt = 2; attempt <= attempts; attempt++) {
			job = failedAttempt(job, attempt);
			const { seq = 0 } = pendingDeliveries(job).at(-1) ?? {};
			job = applied(job, { type: 'delivered', seq, made: { code: 200 } }, T0 + attempt * HOUR + 2);
		}
		const deliveries = job.webhook?.deliveries ?? [];
		expect(deliveries).toHaveLength(MAX_DELIVERIES);
		// Its event is no longer in the history, so there is nothing to deliver.
		expect(deliveries[0]).toMatchObject({ seq: 2, attempt: 0, status: 'given-up' });
		expect(deliveries.slice(1).every(({ status }) => status === 'delivered')).toBe(true);
	});

	it('that is gone is told nothing more, of this event or any other', () => {
		const job = answer(done(withWebhook(['accepted', 'started', 'succeeded'])), 410, T0 + 50);
		expect(job.webhook?.deliveries.map(({ status }) => status)).toEqual(['disabled', 'disabled', 'disabled']);
		expect(pendingDeliveries(job)).toEqual([]);
	});

	it('that is gone is not told of what happens later', () => {
		let job = start(withWebhook(['started', 'succeeded']));
		job = applied(job, { type: 'delivered', seq: 2, made: { code: 410 } }, T0 + 15);
		job = applied(job, { type: 'complete', fence: FENCE, reply: REPLY }, T0 + 20);
		expect(pendingDeliveries(job)).toEqual([]);
	});

	it('counts a try once, though its report is repeated because the answer was lost', () => {
		const made = { code: 500, attempt: 1 };
		const job = applied(done(withWebhook()), { type: 'delivered', seq: 3, made }, T0 + 50);
		expect(pendingDeliveries(job)[0]?.attempt).toBe(1);
		expect(() => applied(job, { type: 'delivered', seq: 3, made }, T0 + 60)).toThrow('settled');
	});

	it('settles once: a second answer changes nothing', () => {
		const job = answer(done(withWebhook()), 200, T0 + 50);
		expect(() => answer(job, 500, T0 + 60)).toThrow('settled');
	});

	it('whose message was lost is sent for by the alarm, ever more seldom, and given up in the end', () => {
		let job = done(withWebhook());
		let wakes = 0;
		while (pendingDeliveries(job).length > 0) {
			const now = nextAlarmAt(job, job.updatedAt);
			expect(lateDeliveries(job, now - 1)).toEqual([]);
			expect(lateDeliveries(job, now)).toEqual([3]);
			job = applied(job, { type: 'redeliver', seqs: [3] }, now);
			wakes++;
		}
		expect(wakes).toBe(MAX_WEBHOOK_WAKES + 1);
		expect(job.webhook?.deliveries).toMatchObject([{ status: 'given-up' }]);
	});

	it('is shown without the query of its URL, where people put secrets', () => {
		const facts = jobFacts('a'.repeat(64), answer(done(withWebhook()), 500, T0 + 50), T0 + 60);
		expect(facts.webhook).toEqual({
			url: 'https://receiver.example/hook',
			deliveries: [
				{
					seq: 3,
					attempt: 1,
					status: 'pending',
					code: 500,
					at: '2026-01-01T00:00:00.050Z',
					nextAttemptAt: '2026-01-01T00:00:05.050Z',
				},
			],
		});
	});
});

describe('an operator who asks to send an event again', () => {
	const again = (job: JobRecord, now: number, seq = 3) => transition(job, { type: 'sendAgain', seq }, now);
	const NOW = T0 + 30_000;

	it('gets another try for one that was delivered, under the number that follows', () => {
		const job = answer(done(withWebhook()), 204, T0 + 100);
		const asked = again(job, NOW);
		expect(pendingDeliveries(asked.job)).toEqual([
			{ seq: 3, attempt: 1, at: T0 + 100, code: 204, status: 'pending', nextAttemptAt: NOW },
		]);
		expect(asked.job.seq).toBe(job.seq);
		// If its message is lost, the watchdog notices.
		expect(nextAlarmAt(asked.job, NOW)).toBe(NOW + WEBHOOK_WATCHDOG_MS.first);
		expect(answer(asked.job, 200, NOW + 5).webhook?.deliveries).toMatchObject([{ attempt: 2, status: 'delivered' }]);
	});

	it('gets one more try for one that was given up', () => {
		const job = done(withWebhook());
		const webhook = job.webhook as Webhook;
		const gaveUp = { seq: 3, attempt: MAX_WEBHOOK_TRIES, status: 'given-up', at: T0 } as const;
		const asked = again({ ...job, webhook: { ...webhook, deliveries: [gaveUp] } }, NOW).job;
		expect(pendingDeliveries(asked)).toHaveLength(1);
		expect(answer(asked, 500, NOW + 5).webhook?.deliveries).toMatchObject([
			{ attempt: MAX_WEBHOOK_TRIES + 1, status: 'given-up' },
		]);
	});

	it('turns on a webhook whose receiver had answered 410', () => {
		const job = answer(done(withWebhook()), 410, T0 + 100);
		expect(job.webhook?.isDisabled).toBe(true);
		const asked = again(job, NOW).job;
		expect(asked.webhook).not.toHaveProperty('isDisabled');
		expect(answer(asked, 410, NOW + 5).webhook?.isDisabled).toBe(true);
	});

	it('makes a try that waits due now, and changes nothing when it is due', () => {
		const job = answer(done(withWebhook()), 500, T0 + 100);
		const asked = again(job, T0 + 200);
		expect(pendingDeliveries(asked.job)).toMatchObject([{ attempt: 1, nextAttemptAt: T0 + 200 }]);
		expect(again(asked.job, T0 + 300)).toMatchObject({ refusal: 'settled', job: asked.job });
	});

	it('is refused for an event that the webhook does not get, or that never was', () => {
		expect(again(done(withWebhook()), NOW, 1).refusal).toBe('no-event');
		expect(again(done(withWebhook()), NOW, 99).refusal).toBe('no-event');
	});

	it('is refused when the retention is over, so that no job is kept for ever', () => {
		const job = answer(done(withWebhook()), 204, T0 + 100);
		const over = T0 + 20 + 60_000;
		expect(again(job, over - 1).refusal).toBeUndefined();
		expect(again(job, over).refusal).toBe('gone');
	});

	it('is refused for a reply topic, and while too many deliveries are pending', () => {
		const job = done(withWebhook(['started', 'succeeded']));
		const webhook = job.webhook as Webhook;
		expect(again({ ...job, webhook: { ...webhook, replyTopic: 'replies' } }, NOW).refusal).toBe('no-webhook');
		const pending = Array.from({ length: MAX_PENDING_DELIVERIES }, (_, index) => ({
			seq: 100 + index,
			attempt: 0,
			status: 'pending' as const,
		}));
		expect(again({ ...job, webhook: { ...webhook, deliveries: pending } }, NOW).refusal).toBe('busy');
	});
});
