/** Finds the leaves that may have a job, by its id alone, without a look at each leaf. It is built when it is first needed. */
import type { ItemHash } from '../core/list/bloom.ts';
import { BloomSlices } from '../core/list/bloom-slices.ts';
import type { Leaf } from '../core/list/leaf.ts';

interface Place {
	readonly filterBytes: number;
	readonly slices: BloomSlices<Leaf>;
	readonly number: number;
}

export class LeafIndex {
	/** By the size of the leaves' filters. */
	readonly #slices = new Map<number, BloomSlices<Leaf>>();
	readonly #places = new Map<Leaf, Place>();
	#removed = 0;

	constructor(leaves: Iterable<Leaf>) {
		for (const leaf of leaves) this.#add(leaf);
	}

	/** Whether most of its places belong to leaves that are gone. */
	get isWorn(): boolean {
		return this.#removed > 64 + this.#places.size;
	}

	/** The leaf has a new entry. */
	noteEntry(leaf: Leaf, id: ItemHash): void {
		const place = this.#placeOf(leaf);
		place.slices.addItem(place.number, id);
	}

	/** The leaf has another filter. */
	noteFilter(leaf: Leaf): void {
		const place = this.#placeOf(leaf);
		place.slices.merge(place.number, leaf.bloom);
	}

	remove(leaf: Leaf): void {
		const place = this.#places.get(leaf);
		if (!place) return;
		place.slices.remove(place.number);
		this.#places.delete(leaf);
		this.#removed++;
	}

	candidates(id: ItemHash): Leaf[] {
		return [...this.#slices.values()].flatMap((slices) => slices.candidates(id));
	}

	#placeOf(leaf: Leaf): Place {
		const place = this.#places.get(leaf);
		if (place?.filterBytes === leaf.bloom.length) return place;
		this.remove(leaf);
		return this.#add(leaf);
	}

	#add(leaf: Leaf): Place {
		const { bloom } = leaf;
		const slices = this.#slices.get(bloom.length) ?? new BloomSlices<Leaf>(bloom.length);
		this.#slices.set(bloom.length, slices);
		const place = { filterBytes: bloom.length, slices, number: slices.add(leaf, bloom) };
		this.#places.set(leaf, place);
		return place;
	}
}
