/** The filter of the list. The query of the page's URL is the filter, and the same query goes to the API. */

/** Members with one value, in the order of the form. */
export const FILTER_NAMES = [
	'status',
	'phase',
	'task',
	'errorCode',
	'correlationId',
	'id',
	'idempotencyKey',
	'createdAfter',
	'createdBefore',
] as const;
export type FilterName = (typeof FILTER_NAMES)[number];

export type Filter = { readonly [Name in FilterName]?: string } & {
	/** A job must have each of them. */
	readonly tags: readonly string[];
};

export const STATUSES = ['pending', 'running', 'succeeded', 'failed', 'canceled'] as const;

export const PHASES = [
	...['queued', 'delayed', 'running', 'waiting', 'retrying', 'canceling'],
	...['succeeded', 'failed', 'canceled', 'timed-out', 'expired', 'dead-lettered'],
] as const;

export function readFilter(query: URLSearchParams): Filter {
	const members = FILTER_NAMES.map((name) => [name, query.get(name)?.trim() ?? ''] as const);
	const tags = query
		.getAll('tag')
		.map((tag) => tag.trim())
		.filter(Boolean);
	return { ...Object.fromEntries(members.filter(([, value]) => value !== '')), tags };
}

/** The query of a filter, always in the same order. */
export function filterQuery({ tags, ...members }: Filter): URLSearchParams {
	const query = new URLSearchParams();
	for (const name of FILTER_NAMES) if (members[name] !== undefined) query.set(name, members[name]);
	for (const tag of tags) query.append('tag', tag);
	return query;
}

export function isEmptyFilter(filter: Filter): boolean {
	return filterQuery(filter).size === 0;
}

/** The page of the jobs that match. */
export function jobsPath(members: Partial<Record<FilterName | 'tag', string>>): string {
	const query = new URLSearchParams(members);
	return query.size === 0 ? '/jobs' : `/jobs?${query}`;
}

/** The filter with another value of a member; without it for an empty value. */
export function withMember(filter: Filter, name: FilterName, value: string): Filter {
	const { [name]: _, ...others } = filter;
	return value === '' ? others : { ...others, [name]: value };
}

/** A filter in words, for a confirmation: `status failed, task sleep`. */
export function describeFilter({ tags, ...members }: Filter): string {
	const words = FILTER_NAMES.flatMap((name) => (members[name] === undefined ? [] : `${NAMES[name]} ${members[name]}`));
	return [...words, ...tags.map((tag) => `tag ${tag}`)].join(', ') || 'all jobs';
}

const NAMES: Record<FilterName, string> = {
	status: 'status',
	phase: 'phase',
	task: 'task',
	errorCode: 'error code',
	correlationId: 'correlation id',
	id: 'id',
	idempotencyKey: 'idempotency key',
	createdAfter: 'created after',
	createdBefore: 'created before',
};

export type BulkAction = 'cancel' | 'retry' | 'purge';

/** The filter of a bulk action; `undefined` where the API has none: an action needs a member, and can't go by id. */
export function actionFilter(filter: Filter): Record<string, string | readonly string[]> | undefined {
	const { tags, id, idempotencyKey, ...members } = filter;
	if (id !== undefined || idempotencyKey !== undefined) return undefined;
	const action = { ...members, ...(tags.length > 0 ? { tag: tags } : {}) };
	return Object.keys(action).length === 0 ? undefined : action;
}

/** Filters that may mean the text of the search field, the likeliest first. */
export function searchFilters(text: string): Filter[] {
	const wanted = text.trim();
	if (wanted === '') return [];
	const id = idInText(wanted);
	if (id !== undefined) return [{ id, tags: [] }];
	return [
		{ correlationId: wanted, tags: [] },
		{ idempotencyKey: wanted, tags: [] },
	];
}

/** The id of a job in its URL, or alone. */
export function idInText(text: string): string | undefined {
	return /(?:^|\/)([0-9a-f]{64})(?:$|[/?#])/.exec(text)?.[1];
}
