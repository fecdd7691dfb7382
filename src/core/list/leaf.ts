/**
 * A leaf: some hundred jobs that follow each other in the list. In memory are its counts, its Bloom filter and what has
 * changed since it was stored. The text with its jobs is read when it is needed.
 */
import type { Status } from '../job/record.ts';
import { addToBloom, createBloom, type ItemHash, mayContain } from './bloom.ts';
import { nextCheckAt } from './check-times.ts';
import { type Entry, entryItems, isGone, isUnfinished, isVisible, type VisibleEntry } from './entry.ts';
import { countedAs, filterItems, filterTexts, isCreatedWithin, matchesFilter } from './filter.ts';
import { entriesFromEnd, entriesInText, entryInText } from './leaf-text.ts';
import { LEAF_JOBS } from './limits.ts';
import type { JobFilter } from './list-api.ts';
import type { PackedLeaf } from './packing.ts';
import { comparePositions, type Position } from './position.ts';
import { type Combinations, Tally } from './tally.ts';

/** A filter, prepared once for all leaves. */
export interface Search {
	readonly filter: JobFilter;
	readonly items: readonly ItemHash[];
	readonly texts: readonly string[];
	readonly matches: (combination: number) => boolean;
}

export function prepareSearch(filter: JobFilter, combinations: Combinations): Search {
	return {
		filter,
		items: filterItems(filter),
		texts: filterTexts(filter),
		matches: combinations.matcher(filter),
	};
}

/** Without `bloom`, it is read when it is needed. */
export type LeafParts = Omit<PackedLeaf, 'text' | 'facets' | 'bloom'> & Partial<Pick<PackedLeaf, 'bloom'>>;

export class Leaf {
	/** The number of its row. */
	readonly n: number;
	/** Entries from here on; those of the first leaf may be earlier. */
	first: Position;
	/** No entry is after this position. */
	last: Position;
	/** Number of entries, erased jobs included. */
	size: number;
	/** Number of jobs without an end. */
	unfinished: number;
	/** No entry is gone before this time, in milliseconds since the epoch. */
	firstGoneAt: number;
	/** Every finished job is gone at this time, in milliseconds since the epoch. */
	lastGoneAt: number;
	/** Whether it has changes that its row doesn't have. */
	isChanged = false;
	/** No unfinished job must be asked before this time, in milliseconds since the epoch. */
	checkAt: number;
	#checkedAt: number;
	#counts: Tally | string | undefined;
	#bloom: Uint8Array | undefined;
	/** Newer than the text. `undefined` for an entry that has left. */
	readonly #changes = new Map<string, Entry | undefined>();
	readonly #combinations: Combinations;
	readonly #rows: LeafRows;

	constructor(
		n: number,
		parts: LeafParts,
		{ combinations, rows, checkedAt = Number.NEGATIVE_INFINITY }: LeafDependencies,
	) {
		this.n = n;
		this.#checkedAt = checkedAt;
		this.#combinations = combinations;
		this.#rows = rows;
		({
			first: this.first,
			last: this.last,
			size: this.size,
			unfinished: this.unfinished,
			firstGoneAt: this.firstGoneAt,
			lastGoneAt: this.lastGoneAt,
			counts: this.#counts,
			bloom: this.#bloom,
		} = parts);
		this.checkAt = this.unfinished > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
	}

	/** The leaf was stored as these parts. */
	settle({ first, last, size, unfinished, firstGoneAt, lastGoneAt, counts, bloom }: LeafParts): void {
		Object.assign(this, { first, last, size, unfinished, firstGoneAt, lastGoneAt });
		this.#counts = counts;
		this.#bloom = bloom;
		this.#changes.clear();
		this.isChanged = false;
	}

	/** Its Bloom filter. */
	get bloom(): Uint8Array {
		this.#bloom ??= this.#rows.bloom(this.n);
		return this.#bloom;
	}

	/** Whether it may have the job with this id. `false` is certain. */
	mayHold(id: ItemHash): boolean {
		return mayContain(this.bloom, id);
	}

	find(id: string): Entry | undefined {
		return this.#changes.has(id) ? this.#changes.get(id) : entryInText(this.#rows.text(this.n), id);
	}

	/** Adds an entry, or replaces the entry of the same job. */
	put(entry: Entry, before: Entry | undefined): void {
		if (before) this.#count(before, -1);
		else this.size++;
		this.#count(entry, 1);
		const { bloom } = this;
		for (const item of entryItems(entry)) addToBloom(bloom, item);
		if (comparePositions(entry, this.first) < 0) this.first = { createdAt: entry.createdAt, id: entry.id };
		if (comparePositions(entry, this.last) > 0) this.last = { createdAt: entry.createdAt, id: entry.id };
		if (isUnfinished(entry)) this.checkAt = Math.min(this.checkAt, nextCheckAt(lastChangeAt(entry), this.#checkedAt));
		this.#changes.set(entry.id, entry);
		this.isChanged = true;
	}

	remove(entry: Entry): void {
		this.#drop(entry);
		this.isChanged = true;
	}

	/** Whether no reader may see any of its jobs. */
	isGone(now: number): boolean {
		return this.unfinished === 0 && this.lastGoneAt <= now;
	}

	/** Drops the jobs that are gone, so that the counts are exact. The row keeps them until the leaf is written. */
	dropGone(now: number): void {
		if (this.firstGoneAt > now) return;
		const entries = this.entries();
		for (const entry of entries) if (isGone(entry, now)) this.#drop(entry);
		const left = entries.flatMap(({ goneAt }) => (goneAt === undefined || goneAt <= now ? [] : [goneAt]));
		this.firstGoneAt = Math.min(Number.POSITIVE_INFINITY, ...left);
	}

	/** All entries, sorted. */
	entries(texts?: readonly string[]): Entry[] {
		const stored = entriesInText(this.#rows.text(this.n), texts).filter(({ id }) => !this.#changes.has(id));
		const changed = [...this.#changes.values()].filter((entry) => entry !== undefined);
		return [...stored, ...changed].sort(comparePositions);
	}

	/** Whether it may have jobs that match. `false` is certain. */
	mayMatch({ filter, items, matches }: Search): boolean {
		const { createdAfter = this.last.createdAt, createdBefore } = filter;
		if (this.last.createdAt < createdAfter) return false;
		if (createdBefore !== undefined && this.first.createdAt >= createdBefore) return false;
		if (items.length > 0 && !this.#hasAll(items)) return false;
		return this.#tally()?.hasMatch(matches) ?? true;
	}

	/** The jobs that match, oldest first. */
	matching({ filter, texts }: Search, now: number): VisibleEntry[] {
		return this.entries(texts).filter((entry): entry is VisibleEntry => isListedMatch(entry, filter, now));
	}

	/** The jobs that match, newest first. Lines are parsed as they are needed. */
	*newestMatching({ filter, texts }: Search, now: number): Generator<VisibleEntry> {
		const changed = [...this.#changes.values()]
			.filter((entry): entry is VisibleEntry => entry !== undefined && isListedMatch(entry, filter, now))
			.sort(comparePositions);
		for (const entry of entriesFromEnd(this.#rows.text(this.n), texts)) {
			if (this.#changes.has(entry.id) || !isListedMatch(entry, filter, now)) continue;
			for (let last = changed.at(-1); last && comparePositions(last, entry) > 0; last = changed.at(-1)) {
				changed.pop();
				yield last;
			}
			yield entry;
		}
		yield* changed.reverse();
	}

	/** Whether all its jobs were created within the filter's time. */
	isWithin(filter: JobFilter): boolean {
		return isCreatedWithin(this.first.createdAt, filter) && isCreatedWithin(this.last.createdAt, filter);
	}

	/** The facets of its jobs; `undefined` while it has changes. */
	facets(): string | undefined {
		return this.isChanged ? undefined : this.#rows.facets(this.n);
	}

	/** The counts of all its jobs; `undefined` where they are too varied. Exact after {@link dropGone}. */
	tally(): Tally | undefined {
		return this.#tally();
	}

	/** The unfinished jobs that must be asked now, because they had no news for a while. They count as asked. */
	takeUnheard(now: number): Position[] {
		const entries = UNFINISHED.flatMap((text) => this.entries([text])).filter(isUnfinished);
		// An entry that has changed is in both.
		const unfinished = [...new Map(entries.map((entry) => [entry.id, entry])).values()];
		const due = unfinished.filter((entry) => nextCheckAt(lastChangeAt(entry), this.#checkedAt) <= now);
		this.#checkedAt = now;
		this.checkAt = Math.min(
			Number.POSITIVE_INFINITY,
			...unfinished.map((entry) => nextCheckAt(lastChangeAt(entry), now)),
		);
		return due.map(({ createdAt, id }) => ({ createdAt, id }));
	}

	#hasAll(items: readonly ItemHash[]): boolean {
		const { bloom } = this;
		return items.every((item) => mayContain(bloom, item));
	}

	#drop(entry: Entry): void {
		this.#count(entry, -1);
		this.size--;
		this.#changes.set(entry.id, undefined);
	}

	#count({ job, goneAt }: Entry, by: 1 | -1): void {
		if (goneAt === undefined) this.unfinished += by;
		else if (by > 0) {
			this.firstGoneAt = Math.min(this.firstGoneAt, goneAt);
			this.lastGoneAt = Math.max(this.lastGoneAt, goneAt);
		}
		if (job && this.#tally()?.add(countedAs(job), by) === false) this.#counts = undefined;
	}

	#tally(): Tally | undefined {
		if (typeof this.#counts === 'string') this.#counts = new Tally(this.#combinations, this.#counts);
		return this.#counts;
	}
}

/** Each unfinished job's line contains one of these texts. */
const UNFINISHED = ['pending', 'running'].map((status) => filterTexts({ status: status as Status })[0] ?? '');

function isListedMatch(entry: Entry, filter: JobFilter, now: number): entry is VisibleEntry {
	return isVisible(entry, now) && matchesFilter(entry.job, filter);
}

function lastChangeAt({ createdAt, job }: Entry): number {
	return job ? Date.parse(job.lastUpdatedAt) : createdAt;
}

/** The rows of leaves, by number. */
export interface LeafRows {
	/** The text of a leaf; empty where there is no row. */
	text(n: number): string;
	/** Of a leaf with a row. */
	facets(n: number): string;
	bloom(n: number): Uint8Array;
}

export interface LeafDependencies {
	readonly combinations: Combinations;
	readonly rows: LeafRows;
	/** When its unfinished jobs were asked before. Left out: never. */
	readonly checkedAt?: number;
}

/** A leaf without entries, which begins at a position. */
export function emptyLeaf(at: Position): LeafParts {
	const first = { createdAt: at.createdAt, id: at.id };
	return {
		first,
		last: first,
		size: 0,
		unfinished: 0,
		firstGoneAt: Number.POSITIVE_INFINITY,
		lastGoneAt: Number.NEGATIVE_INFINITY,
		counts: '[]',
		bloom: createBloom(2 * LEAF_JOBS.full),
	};
}
