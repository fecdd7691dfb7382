import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { ask, bearer, DEPLOYED, KEYS } from '../http/deployment.ts';
import { receiver } from '../webhook/receiver.ts';
import { call, post, until } from './client.ts';

const RETRIED = { 'coatcheck-max-attempts': '3' };

describe('the idempotency key that an upstream gets', () => {
	/** The queue's consumer is the test's own deployment, whose upstream is `report`. */
	const variables = { ...DEPLOYED, UPSTREAMS: JSON.stringify({ report: { baseUrl: 'https://report.example' } }) };

	it('differs between two tenants that use the same key', async () => {
		const received = receiver('report.example', () => new Response('ok'));
		const key = crypto.randomUUID();
		const jobs = await Promise.all(
			[KEYS.client, KEYS.other].map(async (by) => {
				const headers = { ...bearer(by), 'idempotency-key': key };
				const response = await ask(variables, '/v1/upstreams/report/x', { method: 'POST', body: 'x', headers });
				expect(response.status).toBe(202);
				return response.json<StatusDocument>();
			}),
		);
		await Promise.all(jobs.map((job) => until(job, 'succeeded')));
		const keys = received.map(({ headers }) => headers['idempotency-key'] ?? '');
		expect(new Set(keys)).toEqual(new Set(jobs.map(({ id }) => `${id}-1`)));
		expect(keys.join()).not.toContain(key);
	});

	it('is the same in every attempt of an epoch, and another one after a retry that was asked for', async () => {
		const received = receiver('report.example', (visit) => new Response('so', { status: visit <= 2 ? 503 : 422 }));
		const headers = { ...RETRIED, 'idempotency-key': crypto.randomUUID() };
		const job = await (
			await call('/v1/upstreams/report/x', { method: 'POST', body: 'x', headers })
		).json<StatusDocument>();
		await until(job, 'failed');
		expect((await call(`/v1/jobs/${job.id}/retry`, { method: 'POST' })).status).toBe(202);
		await expect.poll(() => received.length, { timeout: 10_000 }).toBe(4);
		const keys = received.map((request) => request.headers['idempotency-key']);
		expect(keys).toEqual([...Array(3).fill(`${job.id}-1`), `${job.id}-2`]);
	});
});

describe('the idempotency key that a task gets', () => {
	it("is derived from the job, whose id is derived from tenant, task and key, and is not the caller's", async () => {
		const key = crypto.randomUUID();
		const response = await post('/v1/tasks/context/jobs', {}, { 'idempotency-key': key });
		const job = await response.json<StatusDocument>();
		await until(job, 'succeeded');
		const seen = await (await call(job.links.result)).json<{ idempotencyKey: string }>();
		expect(seen.idempotencyKey).toBe(`${job.id}-1`);
		const jobs = new Jobs(env.JOBS);
		expect(jobs.idForKey('acme', 'context', key)).not.toBe(jobs.idForKey('globex', 'context', key));
	});
});
