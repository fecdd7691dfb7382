/** The requests that list and count: jobs, topics, tasks. */
import { isObject } from '../../core/http/json.ts';
import { parseStatusDocument } from '../document.ts';
import { ProtocolError } from '../errors.ts';
import type { CallOptions } from '../job.ts';
import type { JobCounts, JobsFilter, JobsPage, ListSource } from '../jobs.ts';
import { followPages, type PageOptions } from '../pages.ts';
import type { TaskDescription } from '../task-description.ts';
import type { ListedTopic } from '../topics.ts';
import { unaborted } from '../wait.ts';

export function streamPages(
	{ http, url }: ListSource,
	filter: JobsFilter,
	options: PageOptions,
): AsyncGenerator<JobsPage, void> {
	return followPages(http, { url, query: filterQuery(filter), parse: parsePage }, options);
}

export async function* streamTopics(
	{ http, url }: ListSource,
	options: PageOptions,
): AsyncGenerator<ListedTopic, void> {
	for await (const { topics } of followPages(http, { url, parse: parseTopicsPage }, options)) yield* topics;
}

export async function readTasks(
	{ http, url }: ListSource,
	{ signal = unaborted() }: CallOptions,
): Promise<readonly TaskDescription[]> {
	const answer = await http.askJson({ url, signal });
	if (isObject(answer) && Array.isArray(answer.tasks)) return answer.tasks as readonly TaskDescription[];
	throw new ProtocolError('Expected a list of tasks');
}

export async function readCounts(
	{ http, url }: ListSource,
	filter: JobsFilter,
	{ signal = unaborted() }: CallOptions,
): Promise<JobCounts> {
	const counts = await http.askJson({ url: `${url}/counts?${filterQuery(filter)}`, signal });
	if (!isObject(counts) || !Number.isSafeInteger(counts.total)) throw new ProtocolError('Expected counts of jobs');
	return counts as unknown as JobCounts;
}

function filterQuery({ tag = [], ...members }: JobsFilter): URLSearchParams {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(members))
		if (value !== undefined) query.set(name, value instanceof Date ? value.toISOString() : value);
	for (const each of typeof tag === 'string' ? [tag] : tag) query.append('tag', each);
	return query;
}

function parsePage(value: unknown): JobsPage {
	if (!isObject(value) || !Array.isArray(value.jobs)) throw new ProtocolError('Expected a page of jobs');
	for (const job of value.jobs) parseStatusDocument(job);
	return value as unknown as JobsPage;
}

interface TopicsPage {
	readonly topics: readonly ListedTopic[];
	readonly nextCursor?: string;
}

function parseTopicsPage(answer: unknown): TopicsPage {
	if (!isObject(answer) || !Array.isArray(answer.topics)) throw new ProtocolError('Expected a page of topics');
	return answer as unknown as TopicsPage;
}
