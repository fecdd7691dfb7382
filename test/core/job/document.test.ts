import { describe, expect, it } from 'vitest';
import { eventsAfter, jobFacts, snapshot, statusDocument } from '../../../src/core/job/document.ts';
import { jobLinks } from '../../../src/core/job/links.ts';
import { type JobRecord, STATUSES } from '../../../src/core/job/record.ts';
import {
	applied,
	canceled,
	canceling,
	FENCE,
	failed,
	failure,
	queued,
	REPLY,
	retryWaiting,
	running,
	succeeded,
	T0,
} from './jobs.ts';

const ID = 'a'.repeat(64);
const LINKS = jobLinks(ID, {
	origin: 'https://x.example',
	token: 't',
	mayCancel: true,
	flags: { onComplete: 'inline' },
});

describe('the status document', () => {
	it('has the status and phase of each state', () => {
		const seen = [
			queued(),
			queued({ delaySeconds: 5 }),
			running(),
			canceling(),
			retryWaiting(),
			succeeded(),
			failed(),
			canceled(),
		].map((job) => {
			const { status, phase } = jobFacts(ID, job, T0 + 30);
			return `${status}/${phase}`;
		});
		expect(seen).toEqual([
			'pending/queued',
			'pending/delayed',
			'running/running',
			'running/canceling',
			'running/retrying',
			'succeeded/succeeded',
			'failed/failed',
			'canceled/canceled',
		]);
	});

	it('is delayed, and says until when, only as long as it is', () => {
		const job = queued({ delaySeconds: 5 });
		expect(jobFacts(ID, job, T0 + 4_999)).toMatchObject({
			phase: 'delayed',
			nextAttemptAt: '2026-01-01T00:00:05.000Z',
		});
		expect(jobFacts(ID, job, T0 + 5_000).phase).toBe('queued');
		expect(jobFacts(ID, job, T0 + 5_000)).not.toHaveProperty('nextAttemptAt');
	});

	it('has a closed set of statuses, of which only the right one contains "succeed" or "fail"', () => {
		expect(STATUSES).toEqual(['pending', 'running', 'succeeded', 'failed', 'canceled']);
		expect(STATUSES.filter((status) => /succeed|fail/.test(status))).toEqual(['succeeded', 'failed']);
	});

	it('leaves out what has no value, and never says null', () => {
		for (const job of [queued(), running(), retryWaiting(), succeeded(), failed(), canceled()]) {
			const document = statusDocument(jobFacts(ID, job, T0 + 30), LINKS);
			expect(JSON.stringify(document)).not.toContain('null');
			expect(Object.values(document)).not.toContain(undefined);
		}
		expect(jobFacts(ID, queued(), T0 + 30)).not.toHaveProperty('startedAt');
	});

	it('says where the result is only when there is one, and what went wrong only when something did', () => {
		expect(statusDocument(jobFacts(ID, succeeded(), T0 + 30), LINKS).resourceLocation).toBe(LINKS.result);
		expect(statusDocument(jobFacts(ID, failed(), T0 + 30), LINKS)).not.toHaveProperty('resourceLocation');
		expect(jobFacts(ID, failed(), T0 + 30).error).toMatchObject({ code: 'Broken', retryable: false });
		expect(jobFacts(ID, canceled(), T0 + 30).error).toMatchObject({ code: 'Canceled' });
		expect(jobFacts(ID, succeeded(), T0 + 30)).not.toHaveProperty('error');
	});

	it('is complete when the job succeeded', () => {
		expect(jobFacts(ID, succeeded(), T0 + 30).percentComplete).toBe(100);
	});

	it('writes times with milliseconds, in UTC', () => {
		expect(jobFacts(ID, succeeded(), T0 + 30)).toMatchObject({
			createdAt: '2026-01-01T00:00:00.000Z',
			startedAt: '2026-01-01T00:00:00.010Z',
			finishedAt: '2026-01-01T00:00:00.020Z',
			expiresAt: '2026-01-01T01:00:00.020Z',
		});
	});

	it('links to everything with the token, flags only on the status URL, and the socket by ws', () => {
		expect(LINKS.self).toBe(`https://x.example/v1/jobs/${ID}?onComplete=inline&token=t`);
		expect(LINKS.socket).toBe(`wss://x.example/v1/jobs/${ID}/socket?token=t`);
		expect(jobLinks(ID, { origin: 'https://x.example', mayCancel: false })).not.toHaveProperty('cancel');
	});
});

describe('events', () => {
	const story = applied(
		applied(retryWaiting(), { type: 'start', epoch: 1 }, T0 + 5_000),
		{ type: 'complete', fence: { epoch: 1, attempt: 2 }, reply: REPLY },
		T0 + 6_000,
	);

	it('replay the whole story in order, each with the job as it was then', () => {
		const told = eventsAfter({ id: ID, job: story, now: T0 + 30 }, 0).map(
			({ seq, type, job }) => `${seq} ${type} ${job.status}/${job.phase} ${job.attempt}`,
		);
		expect(told).toEqual([
			'1 accepted pending/queued 0',
			'2 started running/running 1',
			'3 retrying running/retrying 1',
			'4 started running/running 2',
			'5 succeeded succeeded/succeeded 2',
		]);
	});

	it('say of a failed attempt later what they said then', () => {
		const waiting = retryWaiting();
		const messageAt = (job: JobRecord) =>
			eventsAfter({ id: ID, job, now: T0 + 30 }, 2).find(({ type }) => type === 'retrying')?.job.progress?.message;
		expect(messageAt(waiting)).toMatch(/^Attempt 1 of \d failed: /);
		expect(messageAt(story)).toBe(messageAt(waiting));
	});

	it('replay what comes after a cursor, each once', () => {
		for (let cursor = 0; cursor <= 5; cursor++) {
			expect(eventsAfter({ id: ID, job: story, now: T0 + 30 }, cursor).map(({ seq }) => seq)).toEqual(
				[1, 2, 3, 4, 5].filter((seq) => seq > cursor),
			);
		}
	});

	it('end a running job with its newest progress', () => {
		const job = applied(running(), { type: 'progress', fence: FENCE, progress: { percentComplete: 40 } }, T0 + 2_000);
		expect(eventsAfter({ id: ID, job: job, now: T0 + 30 }, 2)).toMatchObject([
			{ seq: 3, type: 'progress', job: { percentComplete: 40 } },
		]);
	});

	it('take a cursor from the future for none', () => {
		expect(eventsAfter({ id: ID, job: story, now: T0 + 30 }, 99)).toHaveLength(5);
	});

	it('of a failed epoch say so, and are told before those of the next', () => {
		const again = applied(failed(), { type: 'retry' }, T0 + 100);
		expect(
			eventsAfter({ id: ID, job: again, now: T0 + 30 }, 0).map(({ type, job }) => `${type} ${job.status}`),
		).toEqual(['accepted pending', 'started running', 'failed failed', 'accepted pending']);
	});

	it('begin with a snapshot that carries the seq to go on from', () => {
		expect(snapshot(ID, retryWaiting(), T0 + 30)).toMatchObject({
			seq: 3,
			type: 'snapshot',
			job: { phase: 'retrying' },
		});
	});

	it('are kept in a bounded number', () => {
		let job = running({ maxAttempts: 50 });
		for (let epoch = 1; epoch < 80; epoch++) {
			job = applied(
				job,
				{ type: 'fail', fence: { epoch, attempt: 1 }, failure: failure(false), random: 0 },
				T0 + epoch,
			);
			job = applied(applied(job, { type: 'retry' }, T0 + epoch), { type: 'start', epoch: epoch + 1 }, T0 + epoch);
		}
		expect(job.history).toHaveLength(128);
		expect(job.seq).toBe(239);
	});
});
