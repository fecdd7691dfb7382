/** `client.jobs`, against the Worker with a real list. */
import { describe, expect, it } from 'vitest';
import { createClient, type JobListing, type JobsPage, ProblemError, ProtocolError } from '../../src/client/index.ts';
import { idFor, newsFor } from '../core/list/news.ts';
import { ORIGIN } from '../flow/client.ts';
import { apiKeys, ask, DEPLOYED, key } from '../http/deployment.ts';
import { TestTopics } from '../object/topics.ts';

const NOW = Date.now();

async function clientWithJobs(count: number) {
	const topics = new TestTopics();
	const by = key('client', crypto.randomUUID(), 'read');
	const variables = { ...DEPLOYED, API_KEYS: apiKeys(by), TOPICS: topics.namespace };
	const urls: string[] = [];
	const fetch = (url: string, init: RequestInit) => {
		urls.push(url);
		return ask(variables, url, init);
	};
	const news = Array.from({ length: count }, (_, nth) =>
		newsFor({ nth, createdAt: NOW - 100_000 + nth, tags: ['all', nth % 2 ? 'odd' : 'even'] }),
	);
	await topics.tell(by.tenant, ...news);
	return { client: createClient({ baseUrl: ORIGIN, apiKey: by.secret, fetch }), urls };
}

async function idsIn(listing: JobListing): Promise<string[]> {
	const ids: string[] = [];
	for await (const { id } of listing) ids.push(id);
	return ids;
}

const newest = (count: number) => Array.from({ length: count }, (_, nth) => idFor(count - 1 - nth));

describe('client.jobs', () => {
	it('iterates over all pages, and asks for no page before it is needed', async () => {
		const { client, urls } = await clientWithJobs(25);
		const listing = client.jobs.list({}, { pageSize: 10 });
		const ids: string[] = [];
		for await (const { id, links } of listing) {
			expect(client.job(links.self)).toBeDefined();
			ids.push(id);
			expect(urls).toHaveLength(Math.ceil(ids.length / 10));
		}
		expect(ids).toEqual(newest(25));
	});

	it('gives pages with cursors, from which another listing continues', async () => {
		const { client } = await clientWithJobs(25);
		const { value: first } = await client.jobs.list({}, { pageSize: 20 }).pages().next();
		const { nextCursor: cursor = '' } = first as JobsPage;
		const rest = await idsIn(client.jobs.list({}, { cursor }));
		expect(rest).toEqual(newest(25).slice(20));
	});

	it('sends each member of a filter', async () => {
		const { client, urls } = await clientWithJobs(9);
		const createdAfter = new Date(NOW - 100_000 + 3);
		const filter = { tag: ['all', 'odd'], status: 'pending', createdAfter } as const;
		const ids = await idsIn(client.jobs.list(filter));
		expect(ids).toEqual([7, 5, 3].map(idFor));
		expect(new URL(urls[0] ?? '').searchParams.getAll('tag')).toEqual(['all', 'odd']);
		expect(await client.jobs.counts(filter)).toEqual({
			total: 3,
			byStatus: { pending: 3 },
			byTask: { sleep: 3 },
			byErrorCode: {},
			oldestPendingAt: createdAfter.toISOString(),
		});
	});

	it('throws what the server refuses, and what is no page', async () => {
		const { client } = await clientWithJobs(1);
		await expect(client.jobs.counts({ id: 'x' })).rejects.toThrow(ProblemError);
		const answering = (body: unknown) => createClient({ baseUrl: ORIGIN, fetch: async () => Response.json(body) });
		await expect(answering({}).jobs.list().pages().next()).rejects.toThrow(ProtocolError);
		await expect(
			answering({ jobs: [{ id: 'x' }] })
				.jobs.list()
				.pages()
				.next(),
		).rejects.toThrow(ProtocolError);
		await expect(answering([]).jobs.counts()).rejects.toThrow(ProtocolError);
	});
});
