/** Pieces of an upload without a submission, in the object of an existing job: no record and no quota includes them. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { TELL_MS, UPLOAD_LEASE_MS } from '../../src/core/job/limits.ts';
import { call, objectOf, post, submit, until } from './client.ts';
import { advanceClock, fireAlarm } from './faults.ts';

const PIECE = new Uint8Array(100_000);

function uploadsIn(job: StatusDocument): Promise<string[]> {
	return runInDurableObject(objectOf(job), (_, { storage }) => [
		...new Set([...storage.kv.list({ prefix: 'chunk/' })].map(([key]) => key.split('/')[1] ?? '')),
	]);
}

/** A Worker that dies between two pieces deletes neither of them. */
async function breakOff(job: StatusDocument): Promise<void> {
	for (const index of [0, 1]) await objectOf(job).writeChunk({ upload: 'broken', index }, PIECE);
	expect(await uploadsIn(job)).toContain('broken');
}

async function jobOf(status: string): Promise<StatusDocument> {
	const delaySeconds = status === 'pending' ? 3_600 : 0;
	const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds, idempotencyKey: crypto.randomUUID() });
	return until(document, status);
}

describe('an upload that broke off, to the key of a job that is there', () => {
	it.each(['pending', 'succeeded'])('is erased after its lease when the job is %s', async (status) => {
		const job = await jobOf(status);
		await breakOff(job);
		await fireAlarm(job);
		expect(await uploadsIn(job)).toEqual(['broken']);
		advanceClock(UPLOAD_LEASE_MS + 1_000);
		await fireAlarm(job);
		expect(await uploadsIn(job)).toEqual([]);
		expect((await call(job.links.operation)).status).toBe(200);
	});

	it.each([
		'pending',
		'succeeded',
	])('has an alarm within its lease when the job is %s, also after a sleep', async (status) => {
		const job = await jobOf(status);
		await evictDurableObject(objectOf(job));
		await breakOff(job);
		const alarmAt = await runInDurableObject(objectOf(job), (_, { storage }) => storage.getAlarm());
		expect(alarmAt).toBeLessThanOrEqual(Date.now() + UPLOAD_LEASE_MS);
	});

	it('has an alarm within its lease, also after the alarm that told the list of a purged job', async () => {
		const job = await jobOf('succeeded');
		expect((await post(`/v1/jobs/${job.id}/purge`, {})).status).toBe(204);
		await breakOff(job);
		advanceClock(TELL_MS.first + 1_000);
		await fireAlarm(job);
		expect(await uploadsIn(job)).toEqual(['broken']);
		const alarmAt = await runInDurableObject(objectOf(job), (_, { storage }) => storage.getAlarm());
		expect(alarmAt).toBeLessThanOrEqual(Date.now() + UPLOAD_LEASE_MS);
	});

	it('leaves the input of the job alone', async () => {
		const response = await call('/v1/tasks/echo/jobs', {
			method: 'POST',
			headers: { 'content-type': 'text/plain', 'coatcheck-delay-seconds': '3600' },
			body: new Uint8Array(200_000),
		});
		const job = await response.json<StatusDocument>();
		const [input] = await uploadsIn(job);
		await breakOff(job);
		advanceClock(UPLOAD_LEASE_MS + 1_000);
		await fireAlarm(job);
		expect(await uploadsIn(job)).toEqual([input]);
	});

	it('leaves what a running attempt has stored of its result until the job ends', async () => {
		const { document } = await submit('sleep', { seconds: 0, steps: 1, wait: true });
		const job = await until(document, 'waiting');
		await objectOf(job).writeChunk({ upload: 'result', index: 0 }, PIECE, { epoch: 1, attempt: 1 });
		await breakOff(job);
		advanceClock(UPLOAD_LEASE_MS + 1_000);
		await fireAlarm(job);
		expect(await uploadsIn(job)).toEqual(['broken', 'result']);
		await call(job.links.self, { method: 'DELETE' });
		expect(await uploadsIn(job)).toEqual([]);
	});
});
