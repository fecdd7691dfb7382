/**
 * The binding of lists for tests: each tenant's list is a real one, over an object's storage. The object's own class is another
 * one, because only its storage matters.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { JobNews } from '../../src/core/job/news.ts';
import type { JobFilter, ListApi, ListQuery } from '../../src/core/list/list-api.ts';
import { JobList } from '../../src/object/job-list.ts';
import { countListed, readListPage } from '../../src/object/list-reader.ts';

/** The log of these tests keeps nothing: a list is opened once. */
const NO_LOG = { after: () => [] };

export class TestTopics {
	readonly #lists = new Map<string, Promise<ListApi>>();

	/** As a binding. */
	get namespace(): DurableObjectNamespace {
		return {
			idFromName: (name: string) => name,
			get: (name: string) => {
				const list = this.#listFor(name);
				return {
					tell: async (news: readonly JobNews[]) => (await list).tell(news),
					listJobs: async (query: ListQuery) => (await list).listJobs(query),
					countJobs: async (filter: JobFilter) => (await list).countJobs(filter),
					countCombinations: async (filter: JobFilter) => (await list).countCombinations(filter),
				} satisfies ListApi;
			},
		} as unknown as DurableObjectNamespace;
	}

	/** Tells a tenant's list. */
	async tell(tenant: string, ...news: JobNews[]): Promise<void> {
		await (await this.#listFor(JSON.stringify([tenant, 'jobs']))).tell(news);
	}

	#listFor(name: string): Promise<ListApi> {
		const known = this.#lists.get(name) ?? openList();
		this.#lists.set(name, known);
		return known;
	}
}

async function openList(): Promise<ListApi> {
	const stub = env.TENANTS.get(env.TENANTS.newUniqueId());
	const list = await runInDurableObject(stub, (_, { storage }) => new JobList(storage.sql, NO_LOG, Date.now()));
	const inObject = <T>(call: (now: number) => T | Promise<T>) => runInDurableObject(stub, async () => call(Date.now()));
	return {
		tell: (news) =>
			inObject((now) => {
				const { extra } = list.apply(news, now);
				if (extra !== undefined) list.logged({ last: now, extra });
			}),
		listJobs: (query) => inObject((now) => readListPage(list.leaves, query, now)),
		countJobs: (filter) => inObject(async (now) => (await countListed(list.leaves, filter, now)).counts),
		countCombinations: (filter) => inObject(async (now) => (await countListed(list.leaves, filter, now)).byCombination),
	};
}
