import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { call, post, submit, until } from './client.ts';
import { advanceClock, dropMessages, failSends, fireAlarm, overloadObjects } from './faults.ts';

const sleep = () => post('/v1/jobs', { task: 'sleep', input: { seconds: 0 } });

afterEach(() => {
	vi.restoreAllMocks();
});

/** Waits until the queues' reports have expired. */
const LATER_MS = 10_000;

describe('a deployment whose queues take no more', () => {
	it('refuses new jobs before they are accepted, with a Retry-After, and takes them again later', async () => {
		vi.spyOn(console, 'error').mockImplementation(() => {});
		// The clock stands still: a full queue is tried again after some seconds.
		advanceClock(0);
		failSends();
		const accepted = await acceptedUntilFull();
		const refused = await sleep();
		expect(refused.status).toBe(503);
		expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
		expect(await refused.json()).toMatchObject({ code: 'Overloaded', status: 503 });
		vi.restoreAllMocks();
		advanceClock(LATER_MS);
		await until((await submit('sleep', { seconds: 0 })).document, 'succeeded');
		// Jobs that were accepted while the queues failed are not lost either.
		advanceClock(LATER_MS + 20_000);
		for (const job of accepted) {
			await fireAlarm(job);
			await until(job, 'succeeded');
		}
	});

	it('refuses to run a job again, which stays as it was', async () => {
		vi.spyOn(console, 'error').mockImplementation(() => {});
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 });
		await call(document.links.self, { method: 'DELETE' });
		vi.restoreAllMocks();
		vi.spyOn(console, 'error').mockImplementation(() => {});
		advanceClock(0);
		failSends();
		await acceptedUntilFull();
		expect((await call(`/v1/jobs/${document.id}/retry`, { method: 'POST' })).status).toBe(503);
		expect((await call(document.links.operation)).status).toBe(200);
		expect(await (await call(document.links.operation)).json()).toMatchObject({ status: 'canceled', seq: 2 });
	});
});

describe('a job whose object takes no more', () => {
	it('is refused with 503 and a Retry-After, and is asked once', async () => {
		vi.spyOn(console, 'error').mockImplementation(() => {});
		// Independent of the queues' reports in another test.
		advanceClock(LATER_MS);
		const calls = overloadObjects();
		const refused = await sleep();
		expect(refused.status).toBe(503);
		expect(refused.headers.get('retry-after')).not.toBeNull();
		expect(await refused.json()).toMatchObject({ code: 'Overloaded' });
		expect(calls()).toBe(1);
	});
});

/** Submits until the first rejection. @returns the accepted jobs. */
async function acceptedUntilFull(): Promise<StatusDocument[]> {
	const accepted: StatusDocument[] = [];
	for (let tries = 0; tries < 100; tries++) {
		const response = await sleep();
		if (response.status === 503) return accepted;
		accepted.push(await response.json<StatusDocument>());
	}
	throw new Error('Nothing was refused');
}
