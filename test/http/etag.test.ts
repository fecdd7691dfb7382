/** The ETag of a status document changes whenever a member of the document does, and ends the wait of a client. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { AttemptLinks } from '../../src/core/job/links.ts';
import { call, objectOf, post, statusOf, submit, until, watch } from '../flow/client.ts';
import { advanceClock, dropMessages, fireAlarm } from '../flow/faults.ts';

const EXTERNAL = { seconds: 0, steps: 1, wait: true };

async function tagOf({ links }: StatusDocument): Promise<string> {
	return (await call(links.operation)).headers.get('etag') ?? '';
}

/** Sends a conditional request, like a client with a document. */
function ask({ links }: StatusDocument, tag: string, prefer?: string): Promise<Response> {
	return call(links.operation, { headers: { 'if-none-match': tag, ...(prefer !== undefined && { prefer }) } });
}

/** A finished job whose receiver has not been called yet. */
async function untoldJob(): Promise<StatusDocument> {
	dropMessages();
	const webhook = { url: 'https://receiver.example/', events: ['canceled'] };
	const { document } = await submit('sleep', { seconds: 0 }, { webhook });
	await call(document.links.self, { method: 'DELETE' });
	return until(document, 'canceled');
}

/** A job of an external worker, with its clock stopped. */
async function externalJob(): Promise<{ job: StatusDocument; report: (percentComplete: number) => Promise<unknown> }> {
	const { document } = await submit('sleep', EXTERNAL);
	const job = await until(document, 'waiting');
	const { progress } = job.progress?.data as AttemptLinks;
	return { job, report: (percentComplete) => post(progress, { percentComplete }) };
}

describe('the ETag of a status document', () => {
	it('is weak and has the seq in it', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		expect(await tagOf(document)).toMatch(/^W\/"1-[0-9a-z]+"$/);
		expect(await tagOf(document)).toBe(await tagOf(document));
	});

	it('changes with a webhook’s delivery, which has no event', async () => {
		const job = await untoldJob();
		const before = await tagOf(job);
		expect((await ask(job, before)).status).toBe(304);
		await objectOf(job).delivered(job.seq, { code: 500 });
		const after = await ask(job, before);
		expect(after.status).toBe(200);
		expect(await after.json()).toMatchObject({ seq: job.seq, webhook: { deliveries: [{ code: 500, attempt: 1 }] } });
	});

	it('changes with progress that comes too soon for an event', async () => {
		const { job, report } = await externalJob();
		advanceClock(1_000);
		await report(60);
		const { seq } = await statusOf(job);
		const before = await tagOf(job);
		await report(70);
		const after = await ask(job, before);
		expect(after.status).toBe(200);
		expect(await after.json()).toMatchObject({ seq, percentComplete: 70 });
	});

	it('changes when a delay is over', async () => {
		dropMessages();
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const before = await tagOf(document);
		advanceClock(61_000);
		const after = await ask(document, before);
		expect([after.status, (await after.json<StatusDocument>()).phase]).toEqual([200, 'queued']);
	});

	it('is never that of an earlier job of the same key', async () => {
		const options = { idempotencyKey: crypto.randomUUID(), delaySeconds: 60, retainSeconds: 60 };
		const { document: first } = await submit('sleep', { seconds: 0 }, options);
		const before = await tagOf(first);
		await call(first.links.self, { method: 'DELETE' });
		// Retention and the lifetime of the tombstone.
		advanceClock(60_000 + 3_600_000 + 1_000);
		await fireAlarm(first);
		const { document: second } = await submit('sleep', { seconds: 0 }, options);
		expect([second.id, second.seq]).toEqual([first.id, first.seq]);
		expect((await ask(second, before)).status).toBe(200);
	});
});

describe('a client that waits with If-None-Match', () => {
	it('is answered when a delivery is made, although the job was over before', async () => {
		const job = await untoldJob();
		const waiting = ask(job, await tagOf(job), 'wait=20');
		await waiters(job, 1);
		await objectOf(job).delivered(job.seq, { code: 204 });
		expect(await (await waiting).json()).toMatchObject({ webhook: { deliveries: [{ status: 'delivered' }] } });
	});

	it('is answered at once when nothing can change any more', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		await until(document, 'succeeded');
		const asked = Date.now();
		expect((await ask(document, await tagOf(document), 'wait=20')).status).toBe(304);
		expect(Date.now() - asked).toBeLessThan(15_000);
	});

	it('is answered when progress that came too soon for an event is told, and so is a watcher', async () => {
		const { job, report } = await externalJob();
		const watcher = await watch(job, job.seq);
		await report(60);
		await report(70);
		await vi.waitFor(() => expect(watcher.events.map((event) => event.job.percentComplete)).toContain(70), 10_000);
		const percents = watcher.events.map((event) => event.job.percentComplete);
		expect(percents.at(-1)).toBe(70);
		expect(new Set(watcher.events.map(({ seq }) => seq)).size).toBe(percents.length);
	});

	it('hears the last progress of a burst without another report', async () => {
		const { job, report } = await externalJob();
		await report(60);
		// Otherwise a slow machine tells the first report before the second one comes.
		await vi.waitFor(async () => expect((await statusOf(job)).seq).toBeGreaterThan(job.seq));
		const waiting = ask(job, await tagOf(job), 'wait=20');
		await waiters(job, 1);
		await report(70);
		expect(await (await waiting).json()).toMatchObject({ percentComplete: 70 });
	});
});

/** Waits until `count` long-polls wait at the job's object. */
async function waiters(job: StatusDocument, count: number): Promise<void> {
	const waiting = () => runInDurableObject(objectOf(job), (_, ctx) => ctx.getWebSockets('waiter').length);
	await vi.waitFor(async () => expect(await waiting()).toBe(count), 10_000);
}
