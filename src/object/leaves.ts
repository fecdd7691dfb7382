/** The leaves of a list, sorted, and how they are divided, written and swept. */
import { defined } from '../core/defined.ts';
import { hashItem } from '../core/list/bloom.ts';
import { type Entry, isGone } from '../core/list/entry.ts';
import { emptyLeaf, Leaf, type LeafParts } from '../core/list/leaf.ts';
import { FEW_JOBS, LEAF_JOBS, SWEEP_INTERVAL_MS } from '../core/list/limits.ts';
import { packEntries } from '../core/list/packing.ts';
import { comparePositions, countUpTo, type Position } from '../core/list/position.ts';
import { Combinations } from '../core/list/tally.ts';
import { LeafIndex } from './leaf-index.ts';
import type { ListRows } from './list-rows.ts';

export class Leaves {
	readonly combinations = new Combinations();
	readonly #rows: ListRows;
	readonly #sorted: Leaf[];
	#index: LeafIndex | undefined;
	#nextN = 1;

	/** When unfinished jobs were asked before this start. */
	readonly #checkedAt: number | undefined;

	constructor(rows: ListRows) {
		this.#rows = rows;
		this.#checkedAt = rows.checkedAt;
		this.#sorted = rows
			.directory()
			.map(({ n, ...parts }) => this.#leaf(n, parts))
			.sort((a, b) => comparePositions(a.first, b.first));
		for (const { n } of this.#sorted) this.#nextN = Math.max(this.#nextN, n + 1);
	}

	/** Oldest first. */
	get all(): readonly Leaf[] {
		return this.#sorted;
	}

	/** The number of leaves that begin at or before a position. */
	countUpTo(position: Position): number {
		return countUpTo(this.#sorted, position);
	}

	/** The leaf that has a position, or would have it. */
	at(position: Position): Leaf | undefined {
		return this.#sorted[Math.max(0, this.countUpTo(position) - 1)];
	}

	find(position: Position): Entry | undefined {
		const entry = this.#withId(position);
		return entry?.createdAt === position.createdAt ? entry : undefined;
	}

	/** Whether the leaf of a position has a later job with the same id. */
	hasLater(position: Position): boolean {
		return (this.#withId(position)?.createdAt ?? 0) > position.createdAt;
	}

	/** The entry with the id of a position in its leaf. */
	#withId(position: Position): Entry | undefined {
		const leaf = this.at(position);
		return leaf?.mayHold(hashItem('id', position.id)) ? leaf.find(position.id) : undefined;
	}

	/** The leaf that has a job with this id, whenever it was created, and its entry. */
	findById(id: string): { readonly leaf: Leaf; readonly entry: Entry } | undefined {
		const hash = hashItem('id', id);
		if (this.#index?.isWorn !== false) this.#index = new LeafIndex(this.#sorted);
		for (const leaf of this.#index.candidates(hash)) {
			const entry = leaf.mayHold(hash) ? leaf.find(id) : undefined;
			if (entry) return { leaf, entry };
		}
		return undefined;
	}

	/** @param before the entry of the same job. */
	put(entry: Entry, before: Entry | undefined): Leaf {
		const leaf = this.#leafForNew(entry);
		leaf.put(entry, before);
		this.#index?.noteEntry(leaf, hashItem('id', entry.id));
		if (leaf.size > LEAF_JOBS.max) this.write(leaf);
		return leaf;
	}

	remove(entry: Entry): void {
		this.at(entry)?.remove(entry);
	}

	/** Writes a leaf, divided where it would be too large, and without the jobs that are gone. */
	write(leaf: Leaf, now = Number.NEGATIVE_INFINITY): void {
		const [first, ...others] = packEntries(leaf.entries().filter((entry) => !isGone(entry, now)));
		if (!first) return this.delete(leaf);
		this.#rows.write(leaf.n, first);
		leaf.settle(first);
		this.#index?.noteFilter(leaf);
		for (const packed of others) {
			const added = this.#leaf(this.#nextN++, packed);
			this.#rows.write(added.n, packed);
			this.#insert(added);
			this.#index?.noteFilter(added);
		}
	}

	delete(leaf: Leaf): void {
		this.#rows.delete(leaf.n);
		this.#index?.remove(leaf);
		leaf.isChanged = false;
		const at = this.#sorted.indexOf(leaf);
		if (at >= 0) this.#sorted.splice(at, 1);
	}

	/**
	 * Removes gone jobs from the rows of a leaf. A leaf with few jobs joins the one before it, so that few jobs that are kept
	 * longer don't keep many leaves.
	 *
	 * @returns whether the leaf was due.
	 */
	sweep(leaf: Leaf, now: number): boolean {
		if (leaf.isGone(now)) this.delete(leaf);
		else if (sweepAt(leaf) > now) return false;
		else if (!this.#joinWithFormer(leaf, now)) this.write(leaf, now);
		return true;
	}

	#joinWithFormer(leaf: Leaf, now: number): boolean {
		leaf.dropGone(now);
		const former = this.#sorted[this.#sorted.indexOf(leaf) - 1];
		if (!former || leaf.size > FEW_JOBS || leaf.size + former.size > LEAF_JOBS.full) return false;
		for (const entry of leaf.entries()) former.put(entry, undefined);
		this.delete(leaf);
		this.write(former, now);
		return true;
	}

	#leafForNew(entry: Entry): Leaf {
		const leaf = this.at(entry);
		const isFull = leaf !== undefined && leaf === this.#sorted.at(-1) && leaf.size >= LEAF_JOBS.full;
		if (leaf && !(isFull && comparePositions(entry, leaf.last) > 0)) return leaf;
		return this.#insert(this.#leaf(this.#nextN++, emptyLeaf(entry)));
	}

	#insert(leaf: Leaf): Leaf {
		this.#sorted.splice(this.countUpTo(leaf.first), 0, leaf);
		return leaf;
	}

	#leaf(n: number, parts: LeafParts): Leaf {
		const { combinations } = this;
		return new Leaf(n, parts, defined({ combinations, rows: this.#rows, checkedAt: this.#checkedAt }));
	}
}

/** When a leaf's rows are rid of the jobs that are gone. */
export function sweepAt(leaf: Leaf): number {
	if (leaf.unfinished === 0) return Math.min(leaf.lastGoneAt, leaf.firstGoneAt + SWEEP_INTERVAL_MS);
	return leaf.firstGoneAt + SWEEP_INTERVAL_MS;
}
