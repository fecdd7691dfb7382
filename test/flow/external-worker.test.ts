import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { AttemptLinks } from '../../src/core/job/links.ts';
import type { JobObjectApi } from '../../src/core/job/object-api.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { ask, DEPLOYED } from '../http/deployment.ts';
import { call, eventsOf, finalsOf, objectOf, post, statusOf, submit, until, watch } from './client.ts';
import { advanceClock, fireAlarm } from './faults.ts';

/** A waiting job, and the links of its worker. */
async function waitingJob(options: Record<string, unknown> = {}) {
	const { document } = await submit('sleep', { seconds: 0, steps: 1, wait: true }, options);
	return linksOf(await until(document, 'waiting'));
}

function linksOf(document: StatusDocument): { document: StatusDocument; links: AttemptLinks } {
	return { document, links: document.progress?.data as AttemptLinks };
}

const FIRST = { epoch: 1, attempt: 1 };

function piecesOf(document: StatusDocument): Promise<string[]> {
	return runInDurableObject(objectOf(document), (_, { storage }) =>
		[...storage.kv.list({ prefix: 'chunk/' })].map(([key]) => key),
	);
}

const put = (url: string, body: BodyInit, type: string) =>
	call(url, { method: 'POST', headers: { 'content-type': type }, body });

describe('an external worker', () => {
	it('reports progress and the result, and readers are told', async () => {
		const { document, links } = await waitingJob();
		expect(document).toMatchObject({ status: 'running', phase: 'waiting', attempt: 1 });
		const { events } = await watch(document, document.seq);
		expect((await post(links.progress, { percentComplete: 60, message: 'rendering' })).status).toBe(204);
		expect(await statusOf(document)).toMatchObject({
			phase: 'waiting',
			percentComplete: 60,
			progress: { message: 'rendering' },
		});
		// Progress that comes soon after other progress is told half a second later, and that of the attempt may be told before.
		await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ type: 'progress', job: { percentComplete: 60 } }));
		expect((await post(links.complete, { frames: 240 })).status).toBe(204);
		expect(await statusOf(document)).toMatchObject({ status: 'succeeded', attempt: 1 });
		expect(await (await call(document.links.result)).json()).toEqual({ frames: 240 });
		await vi.waitFor(() => expect(events.at(-1)?.type).toBe('succeeded'));
		expect(new Set(events.slice(0, -1).map(({ type }) => type))).toEqual(new Set(['progress']));
	});

	it('may complete twice, when its first answer was lost: the job ends once', async () => {
		const { document, links } = await waitingJob();
		expect((await post(links.complete, 1)).status).toBe(204);
		expect((await post(links.complete, 2)).status).toBe(204);
		expect(await (await call(document.links.result)).json()).toBe(1);
		expect(finalsOf(await eventsOf(document))).toEqual(['succeeded']);
	});

	it.each([
		100, 100_000,
	])('gets one answer to a result of any size, of %i bytes too, once the job has ended', async (bytes) => {
		const result = () => new Uint8Array(bytes);
		const { links } = await waitingJob();
		expect((await put(links.complete, result(), 'video/mp4')).status).toBe(204);
		expect((await put(links.complete, result(), 'video/mp4')).status).toBe(204);
		const { document, links: late } = await waitingJob();
		await call(document.links.self, { method: 'DELETE' });
		const refused = await put(late.complete, result(), 'video/mp4');
		expect(refused.status).toBe(409);
		expect(await refused.json()).toMatchObject({ code: 'JobCanceled' });
		expect(await piecesOf(document)).toHaveLength(0);
	});

	it('gives bytes of any kind, also more than a record holds', async () => {
		const { document, links } = await waitingJob();
		const video = crypto.getRandomValues(new Uint8Array(60_000));
		const bytes = new Uint8Array(3_000_000).map((_, index) => video[index % video.length] ?? 0);
		expect((await put(links.complete, bytes, 'video/mp4')).status).toBe(204);
		const result = await call(document.links.result);
		expect(result.headers.get('content-type')).toBe('video/mp4');
		expect(new Uint8Array(await result.arrayBuffer())).toEqual(bytes);
	});

	it.each([
		['was canceled', 409, (job: JobObjectApi) => job.cancelJob({ tenant: 'default' })],
		[
			'was ended by its own repeat',
			204,
			(job: JobObjectApi) => job.completeAttempt({ fence: FIRST, reply: { status: 204, headers: [] } }),
		],
	])('leaves nothing of its bytes behind, when the job %s while they came in', async (_, status, end) => {
		const { document, links } = await waitingJob();
		const original = Jobs.prototype.call;
		let calls = 0;
		const spy = vi.spyOn(Jobs.prototype, 'call').mockImplementation(async function (this: Jobs, id, call) {
			const answer = await original.call(this, id, call);
			if (id !== document.id) return answer;
			// Two pieces are stored. The next step would be their completion.
			if (++calls === 2) await end(objectOf(document) as unknown as JobObjectApi);
			return answer;
		});
		onTestFinished(() => spy.mockRestore());
		expect((await put(links.complete, new Uint8Array(3_000_000), 'video/mp4')).status).toBe(status);
		expect(calls).toBe(4);
		expect(await piecesOf(document)).toHaveLength(0);
	});

	it('loses nothing of a result that the job has, whoever would discard it', async () => {
		const { document, links } = await waitingJob();
		expect((await put(links.complete, new Uint8Array(3_000_000), 'video/mp4')).status).toBe(204);
		const pieces = await piecesOf(document);
		const [upload = ''] = pieces.map((key) => key.split('/')[1] ?? '');
		await objectOf(document).discardUpload(upload, 2);
		expect(pieces).toHaveLength(2);
		expect(await piecesOf(document)).toEqual(pieces);
	});

	it('gives nothing, when there is nothing to give', async () => {
		const { document, links } = await waitingJob();
		expect((await call(links.complete, { method: 'POST' })).status).toBe(204);
		expect((await call(document.links.result)).status).toBe(204);
	});

	it('says that it failed, and the job is tried again by its own policy, with new links', async () => {
		const { document, links } = await waitingJob();
		// The clock stands still until the retry is wanted: its wait may be only some milliseconds.
		advanceClock(0);
		expect((await post(links.fail, { code: 'FarmFull', message: 'No room' })).status).toBe(204);
		expect(await statusOf(document)).toMatchObject({ phase: 'retrying', attempt: 1 });
		advanceClock(2_000);
		await fireAlarm(document);
		const second = linksOf(await until(document, 'waiting'));
		expect(second.document.attempt).toBe(2);
		for (const stale of [
			await post(links.progress, { percentComplete: 99 }),
			await post(links.complete, 'late'),
			await put(links.complete, new Uint8Array(100_000), 'video/mp4'),
			await post(links.fail, { code: 'Late', message: 'Too late' }),
		]) {
			expect(stale.status).toBe(409);
			expect(await stale.json()).toMatchObject({ code: 'StaleAttempt' });
		}
		expect(await statusOf(document)).toMatchObject({ seq: second.document.seq, phase: 'waiting' });
		const last = { code: 'NoFootage', message: 'There is nothing to render', retryable: false, status: 422 };
		expect((await post(second.links.fail, last)).status).toBe(204);
		const { retryable: _, status: __, ...error } = last;
		expect(await statusOf(document)).toMatchObject({ status: 'failed', error: { ...error, retryable: false } });
		expect((await call(document.links.result)).status).toBe(422);
	});

	it('that nobody hears of costs its job an attempt, and is replaced', async () => {
		const { document, links } = await waitingJob();
		advanceClock(3_601_000);
		expect(await statusOf(document)).toMatchObject({ phase: 'retrying', maxAttempts: 4 });
		await fireAlarm(document);
		advanceClock(2_000);
		await fireAlarm(document);
		await until(document, 'waiting');
		expect((await post(links.complete, 'late')).status).toBe(409);
		await call(document.links.self, { method: 'DELETE' });
	});

	it('is told to stop when the job was canceled, which was over at once', async () => {
		const { document, links } = await waitingJob();
		expect((await call(document.links.self, { method: 'DELETE' })).status).toBe(200);
		for (const link of [links.progress, links.complete]) {
			const response = await post(link, {});
			expect(response.status).toBe(409);
			expect(await response.json()).toMatchObject({ code: 'JobCanceled' });
		}
	});

	it('finds its job as it left it when the object was put out of memory', async () => {
		const { document, links } = await waitingJob();
		// Progress that comes soon after other progress is told later.
		advanceClock(0);
		await post(links.progress, { percentComplete: 60, message: 'rendering' });
		const before = await statusOf(document);
		await evictDurableObject(objectOf(document));
		// Event numbers that may have been used are not used again.
		expect(await statusOf(document)).toEqual({ ...before, seq: expect.any(Number) });
		await post(links.complete, {});
	});
});

describe('the links of an external worker', () => {
	it('let in nobody without their token, with a reader’s, or for another job, and let their holder read nothing', async () => {
		const { document, links } = await waitingJob();
		const other = await waitingJob();
		const bare = `/v1/jobs/${document.id}/complete`;
		expect((await post(bare, {})).status).toBe(403);
		expect((await post(`${bare}?token=${new URL(document.links.self).searchParams.get('token')}`, {})).status).toBe(
			403,
		);
		expect((await post(`${bare}?token=${new URL(other.links.complete).searchParams.get('token')}`, {})).status).toBe(
			401,
		);
		const token = new URL(links.complete).searchParams.get('token');
		expect((await ask(DEPLOYED, `/v1/jobs/${document.id}?token=${token}`)).status).toBe(403);
		expect(await statusOf(document)).toMatchObject({ phase: 'waiting' });
	});

	it.each([
		['progress beyond all', 'progress', { percentComplete: 101 }, '/percentComplete'],
		['progress with more data than is kept', 'progress', { data: 'x'.repeat(5_000) }, '/data'],
		['progress of another form', 'progress', { percent: 1 }, '/percent'],
		['a failure without a code', 'fail', { message: 'no code' }, '/code'],
		['a failure with a sentence for a code', 'fail', { code: 'a b', message: '' }, '/code'],
		['a failure that is none', 'fail', { code: 'A', message: 'b', status: 200 }, '/status'],
	] as const)('refuse %s, and say where the fault is', async (_, action, body, pointer) => {
		const { document, links } = await waitingJob();
		// Progress of the attempt that is not told yet is told at its time.
		advanceClock(0);
		const { seq } = await statusOf(document);
		const response = await post(links[action], body);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ code: 'InvalidRequest', errors: [{ pointer }] });
		expect(await statusOf(document)).toMatchObject({ phase: 'waiting', seq });
	});

	it('refuse a result that is too large, and the job still waits', async () => {
		const { document, links } = await waitingJob();
		expect((await put(links.complete, new Uint8Array(33 * 1_024 * 1_024), 'video/mp4')).status).toBe(413);
		expect(await statusOf(document)).toMatchObject({ phase: 'waiting' });
		expect((await put(links.progress, 'half', 'text/plain')).status).toBe(415);
	});
});
