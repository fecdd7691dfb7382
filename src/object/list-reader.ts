/** Reads pages and counts from the leaves of a list. */
import { formatListCursor, parseListCursor } from '../core/list/cursor.ts';
import { listedEntry, type VisibleEntry } from '../core/list/entry.ts';
import { countedAs, isCountedFilter } from '../core/list/filter.ts';
import { type Leaf, prepareSearch, type Search } from '../core/list/leaf.ts';
import { LEAVES_A_PAGE, LEAVES_A_TURN } from '../core/list/limits.ts';
import type { JobCounts, JobFilter, ListPage, ListQuery } from '../core/list/list-api.ts';
import { comparePositions, type Position } from '../core/list/position.ts';
import { jobCounts } from '../core/list/tally.ts';
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
		const matching = leaf.matching(search, now);
		found.push(...(after ? matching.filter((entry) => comparePositions(entry, after) < 0) : matching).reverse());
		if (found.length <= limit) continue;
		const shown = found.slice(0, limit);
		return listPage(shown, filter, shown.at(-1));
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

/** Where counts don't answer, the leaves are read in turns, so that other calls of the object don't wait for a large list. */
export async function countListed(leaves: Leaves, filter: JobFilter, now: number): Promise<JobCounts> {
	const search = prepareSearch(filter, leaves.combinations);
	const totals = new Map<number, number>();
	const oldest = new OldestPending(search, leaves, now);
	let leavesRead = 0;
	for (let leaf = leaves.all[0]; leaf; leaf = leafAfter(leaves, leaf)) {
		if (leaf.isGone(now) || !leaf.mayMatch(search)) continue;
		if (leaf.firstGoneAt <= now) leavesRead++;
		leaf.dropGone(now);
		const tally = isCountedFilter(filter) && leaf.isWithin(filter) ? leaf.tally() : undefined;
		if (tally) tally.addTo(totals, search.matches);
		else leavesRead += countEntries(leaf, { search, totals, leaves, now });
		oldest.look(leaf);
		if (leavesRead < LEAVES_A_TURN) continue;
		leavesRead = 0;
		await scheduler.wait(0);
	}
	const counts = jobCounts(totals, leaves.combinations);
	return oldest.at === undefined ? counts : { ...counts, oldestPendingAt: oldest.at };
}

/** The leaves may have changed since the leaf was read. */
function leafAfter(leaves: Leaves, { first }: Leaf): Leaf | undefined {
	return leaves.all[leaves.countUpTo(first)];
}

interface Counting {
	readonly search: Search;
	readonly totals: Map<number, number>;
	readonly leaves: Leaves;
	readonly now: number;
}

/** @returns the number of leaves that were read. */
function countEntries(leaf: Leaf, { search, totals, leaves: { combinations }, now }: Counting): 1 {
	for (const { job } of leaf.matching(search, now)) {
		const number = combinations.numberFor(countedAs(job));
		totals.set(number, (totals.get(number) ?? 0) + 1);
	}
	return 1;
}

/** Finds the oldest pending job that matches: in the first leaf that has one. */
class OldestPending {
	at: number | undefined;
	readonly #search: Search | undefined;
	readonly #now: number;

	constructor({ filter }: Search, { combinations }: Leaves, now: number) {
		const { status = 'pending' } = filter;
		this.#search = status === 'pending' ? prepareSearch({ ...filter, status }, combinations) : undefined;
		this.#now = now;
	}

	look(leaf: Leaf): void {
		if (this.at !== undefined || !this.#search || !leaf.mayMatch(this.#search)) return;
		this.at = leaf.matching(this.#search, this.#now)[0]?.createdAt;
	}
}
