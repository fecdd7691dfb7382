/** With the edge cache, an object is called once, and no reader sees another reader's data. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { advanceClock } from '../flow/faults.ts';
import { receiver } from '../webhook/receiver.ts';
import { afterLastAnswer, ask, bearer, DEPLOYED, jobToken, KEYS, linkToken, refusal } from './deployment.ts';

const CACHE_SECONDS = 60;
const CACHING = { ...DEPLOYED, EDGE_CACHE_SECONDS: String(CACHE_SECONDS) };
const NOT_CACHING = { ...DEPLOYED };
const JSON_TYPE = { 'content-type': 'application/json' };

/** A finished job that has not been read by link yet. */
async function endedJob(
	input: unknown = { seconds: 0 },
	headers: Record<string, string> = {},
	task = 'sleep',
): Promise<StatusDocument> {
	const init = { method: 'POST', headers: { ...JSON_TYPE, ...bearer(KEYS.client), ...headers } };
	const response = await ask(CACHING, `/v1/tasks/${task}/jobs`, { ...init, body: JSON.stringify(input) });
	expect(response.status).toBe(202);
	const document = await response.json<StatusDocument>();
	await vi.waitFor(
		async () => {
			const now = await ask(CACHING, `/v1/operations/${document.id}`, { headers: bearer(KEYS.client) });
			expect((await now.json<StatusDocument>()).status).toBeOneOf(['succeeded', 'failed']);
		},
		{ timeout: 10_000, interval: 20 },
	);
	return document;
}

/** Deletes the job from its object, so that any later response comes from the cache. */
async function emptyObject({ id }: StatusDocument): Promise<void> {
	const stub = env.JOBS.get(env.JOBS.idFromString(id));
	await runInDurableObject(stub, (_, { storage }) => storage.deleteAll());
	await evictDurableObject(stub);
}

/** Reads once and waits until the response is cached, because caching continues after the response. */
async function askedTwice(url: string): Promise<void> {
	await (await ask(CACHING, url)).arrayBuffer();
	await afterLastAnswer();
}

describe('a job that succeeded, asked about again', () => {
	it('is answered without its object, by each of its links', async () => {
		const job = await endedJob();
		await askedTwice(job.links.result);
		await emptyObject(job);
		const document = await ask(CACHING, job.links.operation);
		expect(await document.json()).toMatchObject({ id: job.id, status: 'succeeded', percentComplete: 100 });
		const self = await ask(CACHING, job.links.self);
		expect([self.status, self.headers.get('location')]).toEqual([303, job.links.result]);
		const result = await ask(CACHING, job.links.result);
		expect([result.status, result.headers.get('content-type')]).toEqual([200, 'application/json']);
		expect(await result.json()).toEqual({ sleptSeconds: 0, attempt: 1 });
		const known = await ask(CACHING, job.links.operation, { headers: { 'if-none-match': '*' } });
		expect(known.status).toBe(304);
	});

	it('has the bytes of its result as they came', async () => {
		const job = await endedJob({ bytes: 1_000 }, {}, 'produce');
		const first = new Uint8Array(await (await ask(CACHING, job.links.result)).arrayBuffer());
		await afterLastAnswer();
		await emptyObject(job);
		const again = await ask(CACHING, job.links.result);
		expect([again.status, again.headers.get('content-type')]).toEqual([200, 'application/x-made']);
		expect(new Uint8Array(await again.arrayBuffer())).toEqual(first);
	});

	it('is asked for its result when only its status was asked before', async () => {
		const job = await endedJob();
		await askedTwice(job.links.operation);
		expect((await ask(CACHING, job.links.result)).status).toBe(200);
		await emptyObject(job);
		expect((await ask(CACHING, job.links.operation)).status).toBe(200);
	});

	it('is always answered by its object where nothing is said of a cache', async () => {
		const job = await endedJob();
		await (await ask(NOT_CACHING, job.links.result)).arrayBuffer();
		await emptyObject(job);
		expect(await refusal(await ask(NOT_CACHING, job.links.result))).toEqual([410, 'JobExpired']);
	});

	it('is gone for who purged it, with a key or with a link of version 0.1.0', async () => {
		const byKey = await endedJob();
		await askedTwice(byKey.links.result);
		const init = { method: 'POST', headers: bearer(KEYS.client) };
		expect((await ask(CACHING, `/v1/jobs/${byKey.id}/purge`, init)).status).toBe(204);
		expect(await refusal(await ask(CACHING, byKey.links.result))).toEqual([410, 'JobPurged']);
		const job = await endedJob();
		await askedTwice(job.links.operation);
		const token = await jobToken({ sub: job.id, createdAt: Date.parse(job.createdAt) });
		const operation = `/v1/operations/${job.id}?token=${token}`;
		await askedTwice(operation);
		const purge = `/v1/jobs/${job.id}/purge?token=${token}`;
		expect((await ask(CACHING, purge, { method: 'POST' })).status).toBe(204);
		expect(await refusal(await ask(CACHING, operation))).toEqual([410, 'JobPurged']);
		expect(await refusal(await ask(CACHING, job.links.operation))).toEqual([410, 'JobPurged']);
	});

	it('is gone when its time is over, however lately it was kept', async () => {
		const job = await endedJob({ seconds: 0 }, { 'coatcheck-retain-seconds': '60' });
		await askedTwice(job.links.operation);
		advanceClock(61_000);
		expect(await refusal(await ask(CACHING, job.links.operation))).toEqual([410, 'JobExpired']);
	});
});

describe('what a data center keeps of a job', () => {
	it('is for nobody who comes with a key, or with a token for another job of the same id', async () => {
		const job = await endedJob();
		await askedTwice(job.links.result);
		await emptyObject(job);
		const result = `/v1/jobs/${job.id}/result`;
		for (const key of [KEYS.client, KEYS.other])
			expect(await refusal(await ask(CACHING, result, { headers: bearer(key) }))).toEqual([404, 'JobNotFound']);
		const createdAt = Date.parse(job.createdAt);
		const others = [linkToken({ job: job.id, createdAt: createdAt + 1, right: 'read' })];
		for (const claims of [{ createdAt: createdAt + 1 }, {}, { createdAt, tenant: 'globex' }])
			others.push(await jobToken({ sub: job.id, ...claims }));
		for (const token of others) expect((await ask(CACHING, `${result}?token=${token}`)).status).toBe(410);
		const good = linkToken({ job: job.id, createdAt, right: 'read' });
		expect((await ask(CACHING, `${result}?token=${good}`)).status).toBe(200);
	});

	it('has no link in it: each reader is given those of their own', async () => {
		const job = await endedJob();
		await askedTwice(job.links.operation);
		await emptyObject(job);
		const token = linkToken({ job: job.id, createdAt: Date.parse(job.createdAt), right: 'read' });
		const document = await ask(CACHING, `/v1/operations/${job.id}?token=${token}`);
		const { links } = await document.json<StatusDocument>();
		expect(Object.keys(links)).not.toContain('cancel');
		for (const link of Object.values(links)) expect(new URL(link).searchParams.get('token')).toBe(token);
	});

	it('is never a job that failed: it can be run again', async () => {
		const job = await endedJob({ seconds: 0, error: { code: 'Broken', message: 'on purpose' } });
		await askedTwice(job.links.operation);
		await emptyObject(job);
		expect((await ask(CACHING, job.links.operation)).status).toBe(410);
	});

	it('is never a result whose bytes go with the object', async () => {
		const job = await endedJob({ bytes: 100_000 }, {}, 'produce');
		await askedTwice(job.links.result);
		await emptyObject(job);
		expect((await ask(CACHING, job.links.result)).status).toBe(410);
	});

	it('is never a job with somebody still to be told', async () => {
		// Tried again later, whenever the first try is.
		const host = `${crypto.randomUUID()}.example`;
		receiver(host, () => new Response(null, { status: 503 }));
		const webhook = { 'coatcheck-webhook-url': `https://${host}/nobody` };
		const told = { ...CACHING, WEBHOOK_SECRETS: env.WEBHOOK_SECRETS };
		const init = {
			method: 'POST',
			headers: { ...JSON_TYPE, ...bearer(KEYS.client), ...webhook },
			body: '{"seconds":0}',
		};
		const response = await ask(told, '/v1/tasks/sleep/jobs', init);
		const job = await response.json<StatusDocument>();
		await vi.waitFor(
			async () => {
				const document = await (await ask(CACHING, job.links.operation)).json<StatusDocument>();
				expect(document).toMatchObject({ status: 'succeeded', webhook: { deliveries: [{ status: 'pending' }] } });
			},
			{ timeout: 10_000, interval: 20 },
		);
		await askedTwice(job.links.operation);
		await emptyObject(job);
		expect((await ask(CACHING, job.links.operation)).status).toBe(410);
	});

	it('is never a job that is not over', async () => {
		const headers = { ...JSON_TYPE, ...bearer(KEYS.client), 'coatcheck-delay-seconds': '3600' };
		const submitted = await ask(CACHING, '/v1/tasks/sleep/jobs', { method: 'POST', headers, body: '{"seconds":0}' });
		const job = await submitted.json<StatusDocument>();
		await askedTwice(job.links.operation);
		const canceled = await ask(CACHING, job.links.cancel ?? '', { method: 'POST' });
		expect(canceled.status).toBe(200);
		const document = await ask(CACHING, job.links.operation);
		expect(await document.json()).toMatchObject({ status: 'canceled' });
	});
});
