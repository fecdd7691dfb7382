/** `GET /v1/jobs` and `GET /v1/jobs/counts`. */
import { describe, expect, it } from 'vitest';
import { defined } from '../../src/core/defined.ts';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { JobNews, ListedJob } from '../../src/core/job/news.ts';
import { type MadeJob, newsFor } from '../core/list/news.ts';
import { TestTopics } from '../object/topics.ts';
import { apiKeys, ask, bearer, DEPLOYED, key, submission } from './deployment.ts';

const NOW = Date.now();
const DAY = 86_400_000;

interface Page {
	readonly jobs: readonly (ListedJob & { readonly links: { readonly self: string } })[];
	readonly nextCursor?: string;
}

/** A tenant of one test only. */
function createTenant() {
	const topics = new TestTopics();
	const by = key('client', crypto.randomUUID(), 'submit', 'read', 'cancel');
	const variables = { ...DEPLOYED, API_KEYS: apiKeys(by), TOPICS: topics.namespace };
	const get = (path: string) => ask(variables, path, { headers: bearer(by) });
	return {
		by,
		variables,
		get,
		tell: (...news: JobNews[]) => topics.tell(by.tenant, ...news),
		list: async (query = '') => {
			const response = await get(`/v1/jobs${query}`);
			expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'private, no-store']);
			return response.json<Page>();
		},
		counts: async (query = '') => (await get(`/v1/jobs/counts${query}`)).json(),
		submit: async (headers: Record<string, string> = {}) => {
			const response = await ask(variables, '/v1/tasks/sleep/jobs', submission({ ...bearer(by), ...headers }));
			return response.json<StatusDocument>();
		},
	};
}

const made = (job: MadeJob) => newsFor({ createdAt: NOW - DAY + job.nth * 1_000, goneAt: NOW + DAY, ...job });
const open = ({ goneAt: _goneAt, ...news }: JobNews): JobNews => news;

const JOBS = [
	made({ nth: 1, phase: 'succeeded', seq: 3, tags: ['a', 'b'] }),
	made({ nth: 2, phase: 'failed', seq: 3, tags: ['a'], errorCode: 'Broken', task: 'thumbnail' }),
	made({ nth: 3, phase: 'dead-lettered', seq: 3, errorCode: 'DeliveryFailed' }),
	open(made({ nth: 4, correlationId: 'order-4' })),
	open(made({ nth: 5, phase: 'running', seq: 2 })),
];

describe('the list of jobs', () => {
	it('has the status documents of the tenant, newest first, with a link that works', async () => {
		const tenant = createTenant();
		const document = await tenant.submit();
		const { progress: _progress, webhook: _webhook, links: _links, ...facts } = document;
		const job: ListedJob = facts;
		const createdAt = Date.parse(document.createdAt);
		await tenant.tell(
			...JOBS,
			defined({ ...made({ nth: 9 }), id: document.id, createdAt, job, goneAt: undefined, readableUntil: NOW + DAY }),
		);
		const { jobs, nextCursor } = await tenant.list();
		expect(nextCursor).toBeUndefined();
		expect(jobs.map(({ id }) => id)).toEqual([document.id, ...JOBS.map(({ id }) => id).reverse()]);
		expect(jobs[0]).toEqual({ ...facts, links: { self: jobs[0]?.links.self } });
		const self = new URL(jobs[0]?.links.self ?? '');
		expect(self.origin + self.pathname).toBe(document.links.self.split('?')[0]);
		const response = await ask(tenant.variables, self.href);
		expect([response.status, (await response.json<StatusDocument>()).id]).toEqual([200, document.id]);
	});

	it.each([
		['?status=failed', [3, 2]],
		['?phase=dead-lettered', [3]],
		['?task=thumbnail', [2]],
		['?tag=a', [2, 1]],
		['?tag=a&tag=b', [1]],
		['?correlationId=order-4', [4]],
		['?errorCode=Broken', [2]],
		['?status=failed&task=sleep', [3]],
		['?status=canceled', []],
		[`?createdAfter=${new Date(NOW - DAY + 4_000).toISOString()}`, [5, 4]],
		[`?createdBefore=${new Date(NOW - DAY + 2_000).toISOString()}`, [1]],
		['?createdAfter=2020-01-01T00:00:00%2B02:00&limit=100', [5, 4, 3, 2, 1]],
	])('filters by %s, and counts the same', async (query, nths) => {
		const tenant = createTenant();
		await tenant.tell(...JOBS);
		const { jobs } = await tenant.list(query);
		expect(jobs.map(({ id }) => Number.parseInt(id.slice(8), 16))).toEqual(nths);
		if (!query.includes('limit')) expect(await tenant.counts(query)).toMatchObject({ total: nths.length });
	});

	it('counts by status, task and error code, with the time of the oldest pending job', async () => {
		const tenant = createTenant();
		expect(await tenant.counts()).toEqual({ total: 0, byStatus: {}, byTask: {}, byErrorCode: {} });
		await tenant.tell(...JOBS);
		expect(await tenant.counts()).toEqual({
			total: 5,
			byStatus: { succeeded: 1, failed: 2, pending: 1, running: 1 },
			byTask: { sleep: 4, thumbnail: 1 },
			byErrorCode: { Broken: 1, DeliveryFailed: 1 },
			oldestPendingAt: new Date(NOW - DAY + 4_000).toISOString(),
		});
	});

	it('goes on from a cursor, while jobs come in', async () => {
		const tenant = createTenant();
		await tenant.tell(...JOBS);
		const first = await tenant.list('?limit=2');
		await tenant.tell(made({ nth: 6, phase: 'succeeded', seq: 2 }));
		const second = await tenant.list(`?limit=2&cursor=${first.nextCursor}`);
		const third = await tenant.list(`?limit=2&cursor=${second.nextCursor}`);
		const ids = [first, second, third].flatMap(({ jobs }) => jobs.map(({ id }) => id));
		expect(ids).toEqual(JOBS.map(({ id }) => id).reverse());
		expect(third.nextCursor).toBeUndefined();
	});

	it('finds a job by its id and by its idempotency key at once, without the list', async () => {
		const tenant = createTenant();
		const { id } = await tenant.submit({ 'idempotency-key': '"order 7"' });
		for (const query of [
			`id=${id}`,
			'idempotencyKey=order%207',
			'idempotencyKey=order%207&task=sleep',
			`id=${id}&idempotencyKey=order%207`,
		]) {
			const { jobs } = await tenant.list(`?${query}`);
			expect(jobs.map((job) => job.id)).toEqual([id]);
			expect(await tenant.counts(`?${query}`)).toMatchObject({
				total: 1,
				byStatus: { pending: 1 },
				byTask: { sleep: 1 },
			});
		}
		for (const query of [
			`id=${id}&status=failed`,
			'idempotencyKey=order%208',
			'idempotencyKey=order%207&task=thumbnail',
			`id=${'0'.repeat(64)}`,
		])
			expect(await tenant.list(`?${query}`)).toEqual({ jobs: [] });
		expect(await createTenant().list(`?id=${id}`)).toEqual({ jobs: [] });
	});

	it.each([
		['status=done', 'status', 'expected one of pending, running, succeeded, failed, canceled, got: done'],
		['phase=x', 'phase', /^expected one of queued, delayed, .* got: x$/],
		['limit=0', 'limit', 'expected a whole number from 1 to 100, got: 0'],
		['limit=101', 'limit', 'expected a whole number from 1 to 100, got: 101'],
		['limit=many', 'limit', 'expected a whole number from 1 to 100, got: many'],
		['createdAfter=yesterday', 'createdAfter', 'expected a time such as 2026-01-31T09:00:00Z, got: yesterday'],
		['createdBefore=2026-02-31T00:00:00Z', 'createdBefore', /^expected a time/],
		['id=7', 'id', 'expected 64 hexadecimal digits, got: 7'],
		['task=', 'task', /^expected the name of a task/],
		[`tag=${'x'.repeat(65)}`, 'tag', /^expected a tag of 1 to 64 characters/],
		[Array.from({ length: 11 }, (_, nth) => `tag=${nth}`).join('&'), 'tag', 'expected at most 10 tags'],
		['idempotencyKey=%0a', 'idempotencyKey', /^expected 1 to 255 printable ASCII/],
		['task=a&task=b', 'task', 'expected one value, got several'],
		['state=failed', 'state', /^expected one of status, phase, task, tag, .*limit, cursor$/],
		['token=x', 'token', /^expected one of status/],
		['cursor=x', 'cursor', 'expected the nextCursor of an earlier page, got: x'],
	])('refuses %s, and says what was expected', async (query, parameter, message) => {
		const response = await createTenant().get(`/v1/jobs?${query}`);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({
			code: 'InvalidRequest',
			errors: [{ parameter, message: typeof message === 'string' ? message : expect.stringMatching(message) }],
		});
	});

	it('refuses a cursor of another filter, and one beside a look-up', async () => {
		const tenant = createTenant();
		await tenant.tell(...JOBS);
		const { nextCursor } = await tenant.list('?limit=2&task=sleep');
		const faults = async (query: string) => {
			const response = await tenant.get(`/v1/jobs?cursor=${nextCursor}&${query}`);
			return [response.status, (await response.json<{ errors?: { message: string }[] }>()).errors?.[0]?.message];
		};
		expect(await faults('task=sleep')).toEqual([200, undefined]);
		expect(await faults('')).toEqual([400, 'expected a cursor of the same filter: begin again without a cursor']);
		expect(await faults(`task=sleep&id=${'0'.repeat(64)}`)).toEqual([
			400,
			expect.stringContaining('expected no cursor'),
		]);
	});

	it.each(['limit=5', 'cursor=x'])('refuses %s for counts', async (query) => {
		const response = await createTenant().get(`/v1/jobs/counts?${query}`);
		expect(response.status).toBe(400);
	});

	it.each([
		'/v1/jobs',
		'/v1/jobs/counts?status=failed',
	])('is not found at %s while it is off, and the answer says so', async (path) => {
		const response = await ask({ ...createTenant().variables, TOPICS: undefined }, path, {
			headers: bearer(key('x', 'y')),
		});
		expect(response.status).toBe(401);
		const tenant = createTenant();
		const off = await ask({ ...tenant.variables, TOPICS: undefined }, path, { headers: bearer(tenant.by) });
		expect(off.status).toBe(404);
		expect(await off.json()).toMatchObject({
			code: 'NotFound',
			detail: expect.stringContaining('is off in this deployment'),
		});
	});
});
