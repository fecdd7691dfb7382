/** Reads pages and counts from the leaves of a list. */
import { defined } from '../core/defined.ts';
import { formatListCursor, parseListCursor } from '../core/list/cursor.ts';
import { listedEntry, type VisibleEntry } from '../core/list/entry.ts';
import { isFacetFilter, matchingFacets } from '../core/list/facets.ts';
import { countedAs, isCountedFilter } from '../core/list/filter.ts';
import { type Leaf, prepareSearch, type Search } from '../core/list/leaf.ts';
import { LEAVES_A_PAGE, LEAVES_A_TURN } from '../core/list/limits.ts';
import type { CombinationCount, JobCounts, JobFilter, ListPage, ListQuery } from '../core/list/list-api.ts';
import { comparePositions, type Position } from '../core/list/position.ts';
import { type Combinations, countJob, jobCounts } from '../core/list/tally.ts';
import type { Leaves } from './leaves.ts';

/** @throws {RangeError} for a cursor that is not of this filter: callers check it first. */
export function readListPage(leaves: Leaves, { filter, cursor, limit }: ListQuery, now: number): ListPage {
	const after = cursor === undefined ? undefined : positionAt(cursor, filter);
	const search = prepareSearch(filter, leaves.combinations);
	const found: VisibleEntry[] = [];
	const { all } = leaves;
	let leavesRead = 0;
	for (let at = after ? leaves.countUpTo(after) - 1 : all.length - 1; at >= 0; at--) {
		const leaf = all[at] as Leaf;
		if (leaf.isGone(now) || !leaf.mayMatch(search)) continue;
		if (leavesRead++ === LEAVES_A_PAGE) return listPage(found, filter, (all[at + 1] ?? leaf).first);
		for (const entry of leaf.newestMatching(search, now)) {
			if (after && comparePositions(entry, after) >= 0) continue;
			if (found.length === limit) return listPage(found, filter, found.at(-1));
			found.push(entry);
		}
	}
	return listPage(found, filter);
}

function listPage(found: readonly VisibleEntry[], filter: JobFilter, last?: Position): ListPage {
	const entries = found.map(listedEntry);
	return last ? { entries, nextCursor: formatListCursor(last, filter) } : { entries };
}

function positionAt(cursor: string, filter: JobFilter): Position {
	const position = parseListCursor(cursor, filter);
	if (typeof position === 'string') throw new RangeError(`Expected a cursor of this filter, got: ${position}`);
	return position;
}

export interface CountedJobs {
	readonly counts: JobCounts;
	readonly byCombination: readonly CombinationCount[];
}

/** Where counts don't answer, the leaves are read in turns, so that other calls of the object don't wait for a large list. */
export async function countListed(leaves: Leaves, filter: JobFilter, now: number): Promise<CountedJobs> {
	const counter = new Counter(prepareSearch(filter, leaves.combinations), leaves.combinations, now);
	let turn = 0;
	let counted: Position | undefined;
	for (let leaf = leaves.all[0]; leaf; leaf = leafAfter(leaves, counted)) {
		turn += counter.add(leaf, counted);
		counted = leaf.last;
		if (turn < 1) continue;
		turn = 0;
		await scheduler.wait(0);
	}
	return counter;
}

/** The leaf with the next jobs after a position. Leaves may have been divided or joined since: it may have earlier ones, too. */
function leafAfter(leaves: Leaves, counted: Position): Leaf | undefined {
	const upTo = leaves.countUpTo(counted);
	const leaf = leaves.all[upTo - 1];
	return leaf && comparePositions(leaf.last, counted) > 0 ? leaf : leaves.all[upTo];
}

/** Counts leaf by leaf, oldest first. */
class Counter implements CountedJobs {
	readonly #search: Search;
	readonly #combinations: Combinations;
	readonly #now: number;
	readonly #isCounted: boolean;
	readonly #totals = new Map<number, number>();
	#oldestPendingAt: number | undefined;

	constructor(search: Search, combinations: Combinations, now: number) {
		this.#search = search;
		this.#combinations = combinations;
		this.#now = now;
		this.#isCounted = isCountedFilter(search.filter);
	}

	get counts(): JobCounts {
		return defined({ ...jobCounts(this.#totals, this.#combinations), oldestPendingAt: this.#oldestPendingAt });
	}

	get byCombination(): readonly CombinationCount[] {
		return Array.from(this.#totals, ([number, count]) => ({ ...this.#combinations.at(number), count }));
	}

	/** @param after the last job that is counted. @returns the share of a turn that it took. */
	add(leaf: Leaf, after?: Position): number {
		if (leaf.isGone(this.#now) || !leaf.mayMatch(this.#search)) return 0;
		if (after && comparePositions(leaf.first, after) <= 0) return this.#addEntries(leaf, after);
		if (this.#isCounted && leaf.isWithin(this.#search.filter) && leaf.tally()) return this.#addTally(leaf);
		const facets = isFacetFilter(this.#search.filter) ? leaf.facets() : undefined;
		if (facets === undefined) return this.#addEntries(leaf);
		for (const { createdAt, combination } of matchingFacets(facets, this.#search, this.#now))
			this.#count(createdAt, this.#combinations.numberFor(combination));
		return 1 / LEAVES_A_TURN.facets;
	}

	#addTally(leaf: Leaf): number {
		const isExact = leaf.firstGoneAt > this.#now;
		leaf.dropGone(this.#now);
		const { matches, filter } = this.#search;
		leaf.tally()?.addTo(this.#totals, matches);
		const pending = prepareSearch({ ...filter, status: 'pending' }, this.#combinations);
		const isSought = this.#oldestPendingAt === undefined && (filter.status ?? 'pending') === 'pending';
		if (isSought && leaf.mayMatch(pending)) this.#oldestPendingAt = leaf.matching(pending, this.#now)[0]?.createdAt;
		return isExact ? 0 : 1 / LEAVES_A_TURN.jobs;
	}

	#addEntries(leaf: Leaf, after?: Position): number {
		for (const entry of leaf.matching(this.#search, this.#now)) {
			if (after && comparePositions(entry, after) <= 0) continue;
			this.#count(entry.createdAt, this.#combinations.numberFor(countedAs(entry.job)));
		}
		return 1 / LEAVES_A_TURN.jobs;
	}

	#count(createdAt: number, combination: number): void {
		countJob(this.#totals, combination);
		if (this.#combinations.at(combination).status === 'pending') this.#oldestPendingAt ??= createdAt;
	}
}
