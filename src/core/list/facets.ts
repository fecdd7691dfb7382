/**
 * What a leaf's jobs are counted by, in a tenth of their text: for counts by tag or time, which the leaf's own counts don't
 * answer.
 */
import { type Entry, isGone } from './entry.ts';
import { type Combination, countedAs, isCreatedWithin, matchesCombination } from './filter.ts';
import type { Search } from './leaf.ts';
import type { JobFilter } from './list-api.ts';

/** A persisted contract: values are only added, a job's own before its tags never. */
interface Facets {
	readonly combinations: readonly (readonly [status: string, phase: string, task: string, errorCode: string | null])[];
	readonly tags: readonly string[];
	/** For each job: its combination, its time of creation, the time when it is gone or 0, and its tags. */
	readonly jobs: readonly (readonly number[])[];
}

export function encodeFacets(entries: readonly Entry[]): string {
	const combinations = new Map<string, number>();
	const tags = new Map<string, number>();
	const jobs = entries.flatMap(({ job, createdAt, goneAt = 0 }) => {
		if (!job) return [];
		const { status, phase, task, errorCode = null } = countedAs(job);
		const combination = indexIn(combinations, JSON.stringify([status, phase, task, errorCode]));
		return [[combination, createdAt, goneAt, ...job.tags.map((tag) => indexIn(tags, tag))]];
	});
	const listed = [...combinations.keys()].map((key) => JSON.parse(key) as Facets['combinations'][number]);
	return JSON.stringify({ combinations: listed, tags: [...tags.keys()], jobs } satisfies Facets);
}

function indexIn(known: Map<string, number>, key: string): number {
	const index = known.get(key) ?? known.size;
	known.set(key, index);
	return index;
}

/** Whether facets answer the filter. */
export function isFacetFilter({ correlationId, unchangedSince }: JobFilter): boolean {
	return correlationId === undefined && unchangedSince === undefined;
}

export interface Facet {
	readonly combination: Combination;
	readonly createdAt: number;
}

/** The jobs that match, oldest first. */
export function* matchingFacets(encoded: string, { filter }: Pick<Search, 'filter'>, now: number): Generator<Facet> {
	const { combinations, tags, jobs } = JSON.parse(encoded) as Facets;
	const wanted = (filter.tags ?? []).map((tag) => tags.indexOf(tag));
	if (wanted.includes(-1)) return;
	const listed = combinations.map(([status, phase, task, errorCode]) =>
		errorCode === null ? { status, phase, task } : { status, phase, task, errorCode },
	);
	const areMatching = listed.map((combination) => matchesCombination(combination, filter));
	for (const [at = 0, createdAt = 0, goneAt = 0, ...own] of jobs) {
		const combination = listed[at];
		const isListed = goneAt === 0 || !isGone({ goneAt }, now);
		if (!combination || !areMatching[at] || !isListed || !isCreatedWithin(createdAt, filter)) continue;
		if (wanted.every((tag) => own.includes(tag))) yield { combination, createdAt };
	}
}
