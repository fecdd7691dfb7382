import { describe, expect, it } from 'vitest';
import { CANCEL_GRACE_MS } from '../../src/core/job/limits.ts';
import { call, eventsOf, finalsOf, post, socketOf, statusOf, submit, until } from './client.ts';
import { advanceClock } from './faults.ts';

describe('a job', () => {
	it('is accepted with a 202 that says everything about where to ask', async () => {
		const { response, document } = await submit(
			'sleep',
			{ seconds: 0 },
			{ correlationId: 'order-42', tags: ['order'] },
		);
		expect(response.headers.get('location')).toBe(document.links.self);
		expect(response.headers.get('operation-location')).toBe(document.links.operation);
		expect(response.headers.get('retry-after')).toMatch(/^([1-9]|[1-5]\d|60)$/);
		expect(response.headers.get('link')).toContain(`<${document.links.operation}>; rel="status"`);
		expect(response.headers.get('x-correlation-id')).toBe('order-42');
		expect(response.headers.get('cache-control')).toContain('no-store');
		expect(document).toMatchObject({
			task: 'sleep',
			status: 'pending',
			seq: 1,
			attempt: 0,
			maxAttempts: 4,
			tags: ['order'],
		});
		expect(document.id).toMatch(/^[0-9a-f]{64}$/);
	});

	it('is found by a poll right after the 202', async () => {
		for (let round = 0; round < 20; round++) {
			const { document } = await submit('sleep', { seconds: 0 });
			expect((await call(document.links.self)).status).toBeOneOf([200, 303]);
		}
	});

	it('runs through the queue, answers 303 to its result, and the result is what the task returned', async () => {
		const { document } = await submit('sleep', { seconds: 0.05, steps: 1 });
		const done = await until(document, 'succeeded');
		expect(done).toMatchObject({
			phase: 'succeeded',
			percentComplete: 100,
			attempt: 1,
			progress: { message: 'step 1 of 1' },
		});
		const poll = await call(document.links.self);
		expect(poll.status).toBe(303);
		expect(poll.headers.get('location')).toBe(document.links.result);
		expect(await poll.json()).toEqual({ ...done, links: { ...done.links } });
		const result = await call(document.links.result);
		expect(result.status).toBe(200);
		expect(result.headers.get('content-type')).toBe('application/json');
		expect(await result.json()).toEqual({ sleptSeconds: 0.05, attempt: 1 });
		expect(done.resourceLocation).toBe(document.links.result);
	});

	it('is tried again after a failure that may pass, and keeps its history', async () => {
		const { document } = await submit('sleep', { seconds: 0, failAttempts: 2 });
		const done = await until(document, 'succeeded');
		expect(done.attempt).toBe(3);
		const types = (await eventsOf(document)).map(({ type }) => type);
		expect(types.filter((type) => type !== 'progress')).toEqual([
			'accepted',
			'started',
			'retrying',
			'started',
			'retrying',
			'started',
			'succeeded',
		]);
	});

	it('fails with the last error, at the status its task chose, when attempts run out', async () => {
		const error = { code: 'OutOfStock', message: 'None left', status: 422, retryable: true };
		const { document } = await submit('sleep', { seconds: 0, error }, { maxAttempts: 2 });
		const done = await until(document, 'failed');
		expect(done).toMatchObject({
			attempt: 2,
			maxAttempts: 2,
			error: { code: 'OutOfStock', message: 'None left', retryable: true },
		});
		expect((await call(document.links.self)).status).toBe(200);
		const result = await call(document.links.result);
		expect(result.status).toBe(422);
		expect(result.headers.get('content-type')).toBe('application/problem+json');
		expect(await result.json()).toMatchObject({ status: 422, code: 'OutOfStock', error: { code: 'OutOfStock' } });
	});

	it('that outlives its attempt timeout fails with a 504', async () => {
		const { document } = await submit('sleep', { seconds: 30 }, { timeoutSeconds: 1, maxAttempts: 1 });
		const done = await until(document, 'failed');
		expect(done).toMatchObject({ phase: 'timed-out', error: { code: 'ExecutionTimeout' } });
		expect((await call(document.links.result)).status).toBe(504);
	});

	it('is not ready before it is finished, and says when to ask again', async () => {
		const { document } = await submit('sleep', { seconds: 60 });
		const result = await call(document.links.result);
		expect(result.status).toBe(404);
		expect(result.headers.get('retry-after')).toMatch(/^\d+$/);
		expect(await result.json()).toMatchObject({ code: 'ResultNotReady', status: 404 });
		await call(document.links.self, { method: 'DELETE' });
	});

	it('waits for its delay, and says until when', async () => {
		// The clock stands still, so that the answer is not late.
		advanceClock(0);
		const { document, response } = await submit('sleep', { seconds: 0 }, { delaySeconds: 30 });
		expect(document).toMatchObject({ status: 'pending', phase: 'delayed' });
		expect(Date.parse(document.nextAttemptAt ?? '') - Date.parse(document.createdAt)).toBe(30_000);
		expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(30);
		await call(document.links.self, { method: 'DELETE' });
	});

	it('that was delayed a little is started when its time has come', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 1 });
		const done = await until(document, 'succeeded');
		expect(Date.parse(done.startedAt ?? '') - Date.parse(done.createdAt)).toBeGreaterThanOrEqual(1_000);
	});

	it('that failed is run again on request, under the same id, in a new epoch', async () => {
		const { document } = await submit('sleep', { seconds: 0, failAttempts: 1 }, { maxAttempts: 1 });
		await until(document, 'failed');
		const retry = await call(document.links.self.replace('?', '/retry?').replace(/token=[^&]*/, ''), {
			method: 'POST',
		});
		expect(retry.status).toBe(202);
		expect(await retry.json()).toMatchObject({ id: document.id, status: 'pending', attempt: 0 });
		expect((await until(document, 'failed')).attempt).toBe(1);
		const finals = finalsOf(await eventsOf(document));
		expect(finals).toEqual(['failed', 'failed']);
	});

	it('that succeeded is not run again', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const retry = await post(`/v1/jobs/${document.id}/retry`, {});
		expect(retry.status).toBe(409);
		expect(await retry.json()).toMatchObject({ code: 'NotRetryable' });
	});
});

describe('cancel', () => {
	it('ends a job that waits at once', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const response = await call(document.links.self, { method: 'DELETE' });
		expect(response.status).toBe(200);
		expect(await response.json()).toMatchObject({ status: 'canceled', error: { code: 'Canceled' } });
		expect((await call(document.links.result)).status).toBe(409);
	});

	it("reaches the running task's signal, and ends the job when the task lets go", async () => {
		const { document } = await submit('sleep', { seconds: 60 });
		await until(document, 'running');
		const asked = Date.now();
		const response = await post(document.links.cancel ?? '', {});
		expect(response.status).toBe(202);
		expect(await response.json()).toMatchObject({ status: 'running', phase: 'canceling' });
		const done = await until(document, 'canceled');
		// Without the signal, the job would end only when the attempt's time to stop has expired.
		expect(Date.parse(done.finishedAt ?? '') - asked).toBeLessThan(CANCEL_GRACE_MS);
		expect(done.error).toMatchObject({ code: 'Canceled' });
		expect(finalsOf(await eventsOf(document))).toEqual(['canceled']);
	});

	it('is idempotent, and too late is no error', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const done = await until(document, 'succeeded');
		for (let round = 0; round < 2; round++) {
			const response = await call(document.links.self, { method: 'DELETE' });
			expect(response.status).toBe(200);
			expect(await response.json()).toMatchObject({ status: 'succeeded', seq: done.seq });
		}
	});

	it('that races a completion gives one final event, whichever was first', async () => {
		for (let round = 0; round < 30; round++) {
			const { document } = await submit('sleep', { seconds: 0.02, steps: 1 });
			if (round % 3 !== 0) await until(document, 'running', 'succeeded');
			await call(document.links.self, { method: 'DELETE' });
			const done = await until(document, 'succeeded', 'canceled');
			expect(finalsOf(await eventsOf(document))).toEqual([done.status]);
		}
	});
});

describe('purge', () => {
	it('deletes a finished job now, and leaves a tombstone on every route', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		for (let round = 0; round < 2; round++) expect((await post(`/v1/jobs/${document.id}/purge`, {})).status).toBe(204);
		for (const url of [document.links.self, document.links.operation, document.links.result, document.links.events]) {
			const response = await call(url);
			expect(response.status).toBe(410);
			expect(await response.json()).toMatchObject({ code: 'JobPurged' });
		}
		expect((await call(socketOf(document), { headers: { upgrade: 'websocket' } })).status).toBe(410);
	});

	it('refuses a job that is not finished', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const response = await post(`/v1/jobs/${document.id}/purge`, {});
		expect(response.status).toBe(409);
		expect(await response.json()).toMatchObject({ code: 'NotFinished' });
		expect(await statusOf(document)).toMatchObject({ status: 'pending' });
	});
});
