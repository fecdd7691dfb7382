/** Which jobs a filter matches: exactly, and in advance where the text or the counts of a leaf exclude a match. */
import type { ListedJob } from '../job/news.ts';
import { hashItem, type ItemHash } from './bloom.ts';
import type { JobFilter } from './list-api.ts';

/** What a leaf counts its jobs by. */
export interface Combination {
	readonly status: string;
	readonly phase: string;
	readonly task: string;
	readonly errorCode?: string;
}

/** The members of a filter that the counts of a leaf answer. */
const COUNTED = ['status', 'phase', 'task', 'errorCode'] as const satisfies (keyof Combination & keyof JobFilter)[];

export function matchesFilter(job: ListedJob, filter: JobFilter): boolean {
	const { tags = [], correlationId = job.correlationId, unchangedSince } = filter;
	if (job.correlationId !== correlationId || !tags.every((tag) => job.tags.includes(tag))) return false;
	if (unchangedSince !== undefined && Date.parse(job.lastUpdatedAt) > unchangedSince) return false;
	return isCreatedWithin(Date.parse(job.createdAt), filter) && matchesCombination(countedAs(job), filter);
}

export function countedAs({ status, phase, task, error }: ListedJob): Combination {
	return error ? { status, phase, task, errorCode: error.code } : { status, phase, task };
}

export function matchesCombination(combination: Combination, filter: JobFilter): boolean {
	return COUNTED.every((member) => filter[member] === undefined || filter[member] === combination[member]);
}

export function isCreatedWithin(createdAt: number, { createdAfter, createdBefore }: JobFilter): boolean {
	return (
		(createdAfter === undefined || createdAt >= createdAfter) &&
		(createdBefore === undefined || createdAt < createdBefore)
	);
}

/** Whether the counts of a leaf that lies within the filter's time answer the filter. */
export function isCountedFilter({ tags = [], correlationId, unchangedSince }: JobFilter): boolean {
	return tags.length === 0 && correlationId === undefined && unchangedSince === undefined;
}

/** The items that a leaf must have. */
export function filterItems({ tags = [], correlationId }: JobFilter): ItemHash[] {
	const items = tags.map((tag) => hashItem('tag', tag));
	return correlationId === undefined ? items : [hashItem('correlationId', correlationId), ...items];
}

/** Texts that the line of a matching job contains, the rarest first. Other lines may contain them, too. */
export function filterTexts({ correlationId, tags = [], errorCode, phase, status, task }: JobFilter): string[] {
	const member = (name: string, value: string | undefined) =>
		value === undefined ? [] : [`"${name}":${JSON.stringify(value)}`];
	return [
		...member('correlationId', correlationId),
		...tags.map((tag) => JSON.stringify(tag)),
		...member('code', errorCode),
		...member('phase', phase),
		...member('status', status),
		...member('task', task),
	];
}
