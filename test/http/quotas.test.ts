/** Quotas of a tenant: exact, reported clearly, and released however a job ends. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { TenantObject } from '../../src/object/tenant-object.ts';
import { objectOf as jobObjectOf } from '../flow/client.ts';
import { createOwnWork } from '../flow/own-work.ts';
import { apiKeys, ask, bearer, DEPLOYED, type Key, key, refusal, submission, type Variables } from './deployment.ts';

/** A tenant of one test only, in a deployment with these quotas. */
function tenantWith(quotas: Variables) {
	const by = key('client', crypto.randomUUID(), 'submit', 'read', 'cancel');
	const variables = { ...DEPLOYED, API_KEYS: apiKeys(by), ...quotas };
	const send = (path: string, { headers, ...init }: RequestInit = {}) =>
		ask(variables, path, { ...init, headers: { ...bearer(by), ...(headers as Record<string, string>) } });
	return { by, variables, send, submit: (headers = {}) => send('/v1/tasks/sleep/jobs', submission(headers)) };
}

type Tenant = ReturnType<typeof tenantWith>;

/** A submission to `echo` of `sizeBytes` bytes, which runs an hour later. */
function bytes(sizeBytes: number, headers: Record<string, string> = {}): RequestInit {
	return {
		method: 'POST',
		headers: {
			'content-type': 'application/octet-stream',
			'content-length': String(sizeBytes),
			'coatcheck-delay-seconds': '3600',
			...headers,
		},
		body: new Uint8Array(sizeBytes),
	};
}

async function accepted(response: Response): Promise<StatusDocument> {
	expect(response.status, await response.clone().text()).toBe(202);
	return response.json<StatusDocument>();
}

function objectOf({ by }: { by: Key }): DurableObjectStub<TenantObject> {
	return env.TENANTS.getByName(by.tenant);
}

/** Number of rows in the tenant's object. */
function rowsOf(tenant: Tenant): Promise<{ inFlight: number; kept: number }> {
	return runInDurableObject(objectOf(tenant), (_, { storage }) => {
		const count = (table: string) => Number(storage.sql.exec(`SELECT COUNT(*) AS rows FROM ${table}`).one().rows);
		return { inFlight: count('in_flight'), kept: count('kept') };
	});
}

const cancel = ({ send }: Tenant, { id }: StatusDocument) => send(`/v1/jobs/${id}`, { method: 'DELETE' });
const post = ({ send }: Tenant, { id }: StatusDocument, command: string) =>
	send(`/v1/jobs/${id}/${command}`, { method: 'POST' });

/** Capacity is released a moment after the response, because the job's object reports to its tenant's object after it has answered. */
async function eventually(submit: () => Promise<Response>): Promise<StatusDocument> {
	const response = await vi.waitUntil(
		async () => {
			const answer = await submit();
			return answer.status === 202 ? answer : undefined;
		},
		{ timeout: 8_000, interval: 50 },
	);
	return response.json<StatusDocument>();
}

afterEach(() => {
	vi.useRealTimers();
	vi.restoreAllMocks();
});

describe('a quota of jobs in flight', () => {
	it('admits exactly as many of a hundred submissions at once', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '10' });
		const answers = await Promise.all(Array.from({ length: 100 }, () => tenant.submit()));
		expect(answers.filter(({ status }) => status === 202)).toHaveLength(10);
		expect(answers.filter(({ status }) => status === 429)).toHaveLength(90);
	});

	it('says which quota it is, how much is used and what the limit is, and when to come again', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '1' });
		await accepted(await tenant.submit());
		const response = await tenant.submit();
		expect(Object.fromEntries(response.headers)).toMatchObject({
			'retry-after': expect.stringMatching(/^[5-9]$/),
			ratelimit: '"jobs-in-flight";r=0',
			'ratelimit-policy': '"jobs-in-flight";q=1;qu="concurrent-requests"',
		});
		expect(await response.json()).toMatchObject({
			status: 429,
			code: 'QuotaExceeded',
			detail: 'The tenant has 1 of at most 1 jobs in flight: nothing was accepted, try again later',
		});
	});

	it('is a tenant’s own', async () => {
		const full = tenantWith({ MAX_JOBS_IN_FLIGHT: '1' });
		await accepted(await full.submit());
		expect((await full.submit()).status).toBe(429);
		await accepted(await tenantWith({ MAX_JOBS_IN_FLIGHT: '1' }).submit());
	});

	it.each([
		['canceled', async (tenant: Tenant) => cancel(tenant, await accepted(await tenant.submit()))],
		['succeeded', async (tenant: Tenant) => accepted(await tenant.submit({ 'coatcheck-delay-seconds': '0' }))],
		[
			'failed',
			async (tenant: Tenant) =>
				accepted(
					await tenant.send('/v1/tasks/sleep/jobs', {
						...submission({ 'coatcheck-delay-seconds': '0' }),
						body: '{"seconds":0,"error":{"code":"No","message":"no","retryable":false}}',
					}),
				),
		],
		[
			'too late to start',
			async (tenant: Tenant) => {
				const soon = { 'coatcheck-delay-seconds': '1', 'coatcheck-start-within-seconds': '1' };
				return accepted(await tenant.submit(soon));
			},
		],
		[
			'given up by its queue',
			async (tenant: Tenant) => jobObjectOf(await accepted(await tenant.submit())).deadLetter(1),
		],
		[
			'finished by somebody else',
			async (tenant: Tenant) => {
				const init = { ...submission({ 'coatcheck-delay-seconds': '0' }), body: '{"seconds":0,"wait":true}' };
				const { id } = await accepted(await tenant.send('/v1/tasks/sleep/jobs', init));
				const { complete } = await vi.waitFor(async () => {
					const job = await (await tenant.send(`/v1/operations/${id}`)).json<StatusDocument>();
					return z.object({ complete: z.string() }).parse(job.progress?.data);
				});
				expect((await ask(tenant.variables, complete, { method: 'POST', body: 'done' })).status).toBe(204);
			},
		],
	])('has room again for a job that is %s', async (_, end) => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '1' });
		await end(tenant);
		await eventually(tenant.submit);
		expect((await tenant.submit()).status).toBe(429);
	});

	it('counts a job that is run again', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '1' });
		const first = await accepted(await tenant.submit());
		await cancel(tenant, first);
		const second = await eventually(tenant.submit);
		expect(await refusal(await post(tenant, first, 'retry'))).toEqual([429, 'QuotaExceeded']);
		await cancel(tenant, second);
		await eventually(() => post(tenant, first, 'retry'));
		expect((await tenant.submit()).status).toBe(429);
		await cancel(tenant, first);
		await eventually(tenant.submit);
	});

	it('gives room back that was taken for a retry which is refused', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '2' });
		const waiting = await accepted(await tenant.submit());
		for (let time = 0; time < 3; time++)
			expect(await refusal(await post(tenant, waiting, 'retry'))).toEqual([409, 'NotRetryable']);
		await accepted(await tenant.submit());
	});

	it('answers a repeated submission when there is no room, for that takes none', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '1' });
		const first = await accepted(await tenant.submit({ 'idempotency-key': 'a' }));
		const again = await tenant.submit({ 'idempotency-key': 'a' });
		expect(again.headers.get('idempotent-replayed')).toBe('true');
		expect((await accepted(again)).id).toBe(first.id);
		const other = { ...submission({ ...bearer(tenant.by), 'idempotency-key': 'a' }), body: '{"seconds":1}' };
		expect(await refusal(await tenant.send('/v1/tasks/sleep/jobs', other))).toEqual([422, 'IdempotencyKeyReused']);
		expect(await refusal(await tenant.submit({ 'idempotency-key': 'b' }))).toEqual([429, 'QuotaExceeded']);
	});

	it('counts repeated submissions once', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '2' });
		await Promise.all(Array.from({ length: 20 }, () => tenant.submit({ 'idempotency-key': 'a' })));
		await eventually(tenant.submit);
		expect((await tenant.submit()).status).toBe(429);
	});

	it('takes no room for what is refused', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '1' });
		expect((await tenant.send('/v1/tasks/sleep/jobs', { ...submission(), body: '{"seconds":-1}' })).status).toBe(400);
		expect((await tenant.send('/v1/tasks/none/jobs', submission())).status).toBe(404);
		await accepted(await tenant.submit());
	});
});

describe('a quota of stored bytes', () => {
	const MAX = 100_000;

	it('lets in what fits to the byte, and nothing more', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: String(MAX) });
		await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(90_000)));
		const response = await tenant.send('/v1/tasks/echo/jobs', bytes(10_001));
		expect(response.headers.get('ratelimit')).toBe('"stored-bytes";r=10000');
		expect(response.headers.get('ratelimit-policy')).toBe(`"stored-bytes";q=${MAX};qu="content-bytes"`);
		expect((await response.json<{ detail: string }>()).detail).toContain(`has 90000 of at most ${MAX} bytes stored`);
		await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(10_000)));
		expect(await refusal(await tenant.send('/v1/tasks/echo/jobs', bytes(1)))).toEqual([429, 'QuotaExceeded']);
	});

	it('refuses with 413 what no waiting makes room for', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: String(MAX) });
		const response = await tenant.send('/v1/tasks/echo/jobs', bytes(MAX + 1));
		expect(await refusal(response)).toEqual([413, 'PayloadTooLarge']);
	});

	it('counts exactly what came without a length before it', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: String(MAX) });
		const chunked = (sizeBytes: number): RequestInit => {
			const { headers, ...init } = bytes(sizeBytes);
			const { 'content-length': _, ...rest } = headers as Record<string, string>;
			return { ...init, headers: rest };
		};
		await accepted(await tenant.send('/v1/tasks/echo/jobs', chunked(70_000)));
		expect(await refusal(await tenant.send('/v1/tasks/echo/jobs', chunked(30_001)))).toEqual([429, 'QuotaExceeded']);
		await accepted(await tenant.send('/v1/tasks/echo/jobs', chunked(30_000)));
		expect(await refusal(await tenant.send('/v1/tasks/echo/jobs', chunked(1)))).toEqual([429, 'QuotaExceeded']);
	});

	it('keeps nothing of an input that is refused', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: String(MAX) });
		const stored = await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(60_000)));
		const own = createOwnWork();
		const asked: string[] = [];
		const { get } = env.JOBS;
		vi.spyOn(env.JOBS, 'get').mockImplementation(function (this: typeof env.JOBS, id, ...args) {
			if (own.isCaller()) asked.push(id.toString());
			return get.call(this, id, ...args);
		});
		const refused = await own.run(() => tenant.send('/v1/tasks/echo/jobs', bytes(70_000)));
		expect(await refusal(refused)).toEqual([429, 'QuotaExceeded']);
		expect(asked.filter((id) => id !== stored.id)).toEqual([]);
	});

	it('has room for a request without a body as long as there is any for a job, also when it is for an upstream', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: '10', MAX_JOBS_IN_FLIGHT: '2' });
		await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(10)));
		const forward = () =>
			tenant.send('/v1/upstreams/reports/monthly', { headers: { 'coatcheck-delay-seconds': '3600' } });
		const job = await accepted(await forward());
		expect(await refusal(await forward())).toEqual([429, 'QuotaExceeded']);
		await cancel(tenant, job);
		await eventually(forward);
	});

	it('counts a result in place of its input, until it is purged', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: String(MAX) });
		const made = { ...submission({ 'coatcheck-delay-seconds': '0' }), body: '{"bytes":99990}' };
		const job = await accepted(await tenant.send('/v1/tasks/produce/jobs', made));
		await vi.waitFor(async () => expect(await rowsOf(tenant)).toEqual({ inFlight: 0, kept: 1 }), 8_000);
		expect(await refusal(await tenant.send('/v1/tasks/echo/jobs', bytes(11)))).toEqual([429, 'QuotaExceeded']);
		const fitting = await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(10)));
		expect((await post(tenant, job, 'purge')).status).toBe(204);
		await cancel(tenant, fitting);
		await eventually(() => tenant.send('/v1/tasks/echo/jobs', bytes(MAX - 10)));
	});

	it('has room again when the bytes have left the disk, and says when that is', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: '10' });
		const headers = { 'coatcheck-retain-seconds': '120' };
		await cancel(tenant, await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(10, headers))));
		await vi.waitFor(async () => expect(await rowsOf(tenant)).toEqual({ inFlight: 0, kept: 1 }));
		const again = () => tenant.send('/v1/tasks/echo/jobs', bytes(10));
		vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 700_000 });
		const refused = await again();
		expect(refused.status).toBe(429);
		const waitSeconds = Number(refused.headers.get('retry-after'));
		expect(waitSeconds).toBeGreaterThan(3_000);
		expect(waitSeconds).toBeLessThanOrEqual(120 + 3_600 - 700 + 5);
		vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + waitSeconds * 1_000 });
		await accepted(await again());
	});

	it('has room again as soon as somebody reads that retention is over', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: '10' });
		const headers = { 'coatcheck-retain-seconds': '120' };
		const job = await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(10, headers)));
		await cancel(tenant, job);
		vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 121_000 });
		expect((await tenant.send(`/v1/operations/${job.id}`)).status).toBe(410);
		await vi.waitFor(async () => expect(await rowsOf(tenant)).toEqual({ inFlight: 0, kept: 0 }));
	});

	it('counts the bytes of a job that is run again once', async () => {
		const tenant = tenantWith({ MAX_STORED_BYTES: '100' });
		const job = await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(60)));
		await cancel(tenant, job);
		await eventually(() => post(tenant, job, 'retry'));
		await eventually(() => tenant.send('/v1/tasks/echo/jobs', bytes(40)));
		expect((await tenant.send('/v1/tasks/echo/jobs', bytes(1))).status).toBe(429);
	});
});

describe('what was lost on the way', () => {
	/** The state after a crash: a caller reserved capacity and died. */
	async function leak(tenant: Tenant, count: number): Promise<void> {
		const object = objectOf(tenant);
		for (let index = 0; index < count; index++) {
			const job = env.JOBS.newUniqueId().toString();
			await object.reserve({ name: `0-${crypto.randomUUID()}`, job, bytes: 1 }, { maxJobsInFlight: 1_000 });
		}
	}

	it('is held as long as its job may still be accepted, and all of it is found after that', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '45' });
		await leak(tenant, 45);
		expect((await tenant.submit()).status).toBe(429);
		vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 15 * 60_000 });
		expect((await tenant.submit()).status).toBe(429);
		let admitted = 0;
		for (let tries = 0; admitted < 45 && tries < 60; tries++) {
			vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 60_000 });
			if ((await tenant.submit()).status === 202) admitted++;
		}
		expect(admitted).toBe(45);
		expect((await tenant.submit()).status).toBe(429);
	});

	it('is found although jobs that are far from over are older', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '45' });
		for (let index = 0; index < 44; index++) await accepted(await tenant.submit());
		await objectOf(tenant).reserve(
			{ name: 'z', job: env.JOBS.newUniqueId().toString(), bytes: 1 },
			{ maxJobsInFlight: 45 },
		);
		const answers: number[] = [];
		for (let time = 0; time < 3; time++) {
			vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 17 * 60_000 });
			answers.push((await tenant.submit()).status);
		}
		expect(answers).toEqual([429, 429, 202]);
	});

	it.each(['settle', 'release'] as const)('is found when %s was never heard', async (lost) => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '1', MAX_STORED_BYTES: '20' });
		const unheard = vi.spyOn(await prototypeOf(tenant), lost).mockResolvedValue(undefined);
		const job = await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(20)));
		await cancel(tenant, job);
		await post(tenant, job, 'purge');
		await vi.waitFor(() => expect(unheard).toHaveBeenCalled());
		unheard.mockRestore();
		vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 3_600_000 });
		await accepted(await tenant.send('/v1/tasks/echo/jobs', bytes(20)));
	});

	it('keeps no job from ending', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '1' });
		const job = await accepted(await tenant.submit());
		const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
		vi.spyOn(env.TENANTS, 'get').mockImplementationOnce(() => {
			throw new Error('The object is gone');
		});
		expect((await (await cancel(tenant, job)).json<StatusDocument>()).status).toBe('canceled');
		await vi.waitFor(() => expect(JSON.stringify(errors.mock.calls)).toContain('quota usage not reported'));
		await accepted(await tenant.submit());
	});

	it('is not accepted when its time is over', async () => {
		const tenant = tenantWith({ MAX_JOBS_IN_FLIGHT: '1' });
		const { reserve } = await prototypeOf(tenant);
		vi.spyOn(await prototypeOf(tenant), 'reserve').mockImplementation(async function (this: TenantObject, ...request) {
			const reserved = await reserve.call(this, ...request);
			return reserved.reserved ? { ...reserved, acceptBy: Date.now() - 1 } : reserved;
		});
		expect(await refusal(await tenant.submit())).toEqual([503, 'Overloaded']);
		expect(await rowsOf(tenant)).toEqual({ inFlight: 0, kept: 0 });
	});
});

/** The class as the platform uses it, so that a fault affects every object. */
async function prototypeOf(tenant: Tenant): Promise<TenantObject> {
	return Object.getPrototypeOf(await runInDurableObject(objectOf(tenant), (object) => object)) as TenantObject;
}
