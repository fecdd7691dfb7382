import { describe, expect, it } from 'vitest';
import { accepted } from '../../../src/core/job/lifecycle.ts';
import { quotaUsage, quotaUsageNews, uploadsOf } from '../../../src/core/job/quota-usage.ts';
import type { JobRecord } from '../../../src/core/job/record.ts';
import { applied, canceled, FENCE, failed, purged, queued, running, submission, T0 } from './jobs.ts';

const NOW = T0 + 100;
const counted = <Job extends JobRecord>(job: Job): Job => ({ ...job, reservation: 'r' });
const LARGE = { sizeBytes: 70_000, mediaType: 'text/plain', chunks: 1 };

const done = () =>
	applied(
		running(),
		{
			type: 'complete',
			fence: FENCE,
			reply: { status: 200, headers: [], body: { ...LARGE, upload: 'result' } },
		},
		T0 + 20,
	);

describe('what a job takes of its tenant’s quotas', () => {
	it('is its input while it is in flight, and as long as it can be run again', () => {
		expect(quotaUsage(queued())).toEqual({ isInFlight: true, bytes: 2 });
		expect(quotaUsage(running())).toEqual({ isInFlight: true, bytes: 2 });
		expect(quotaUsage(canceled())).toMatchObject({ isInFlight: false, bytes: 2 });
		expect(quotaUsage(failed())).toMatchObject({ isInFlight: false, bytes: 2 });
	});

	it('is its result once it succeeded, until that has left the disk', () => {
		expect(quotaUsage(done())).toEqual({ isInFlight: false, bytes: 70_000, keptUntil: T0 + 20 + 2 * 3_600_000 });
	});

	it('is nothing when its data is gone', () => {
		expect(quotaUsage(purged())).toBeUndefined();
	});

	it('may last as long as its webhook’s receiver can keep it', () => {
		const webhook = { url: 'https://a.example', events: [], format: 'standard', origin: '', deliveries: [] } as const;
		const kept =
			quotaUsage(applied(accepted({ ...submission(), webhook }, T0), { type: 'cancel' }, NOW))?.keptUntil ?? 0;
		expect(kept - NOW - 2 * 3_600_000).toBe((14 * (12 + 60) + 1) * 3_600_000);
	});
});

describe('what its tenant’s object is told', () => {
	const told = (job: JobRecord, before: JobRecord, now = NOW) =>
		quotaUsageNews(job, before, now).map(({ type, claim }) => [type, claim.reservation, claim.bytes]);

	it.each([
		['nothing of a job that goes on', counted(running()), counted(queued()), []],
		['that it is over', counted(done()), counted(running()), [['settle', 'r', 70_000]]],
		['that it was purged', counted(purged()), counted(done()), [['release', 'r', 70_000]]],
		[
			'that it runs again in another place',
			applied(counted(failed()), { type: 'retry', reservation: 'r2' }, NOW),
			counted(failed()),
			[['release', 'r', 2]],
		],
		[
			'that nobody counts it any more',
			applied(counted(failed()), { type: 'retry' }, NOW),
			counted(failed()),
			[['release', 'r', 2]],
		],
		['nothing where nobody counts', done(), running(), []],
	] as const)('%s', (_, job, before, news) => {
		expect(told(job, before)).toEqual(news);
	});

	it('nothing that it knows by the time', () => {
		expect(told(counted(purged()), counted(done()), T0 + 20 + 2 * 3_600_000)).toEqual([]);
	});
});

describe('the uploads that a job refers to', () => {
	it('are those of its input and its reply', () => {
		const input = { ...LARGE, upload: 'input', form: 'bytes' } as const;
		expect(uploadsOf({ ...queued(), input })).toEqual(['input']);
		expect(uploadsOf(done())).toEqual(['result']);
		expect(uploadsOf({ ...purged(), input })).toEqual([]);
	});
});
