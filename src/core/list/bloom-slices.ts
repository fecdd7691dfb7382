/**
 * Bloom filters of one size, turned around: for each bit, the filters that have it. So a few looks find the filters that may have an item,
 * among thousands.
 */
import type { ItemHash } from './bloom.ts';
import { BLOOM } from './limits.ts';

const WORD_BITS = 32;

export class BloomSlices<Owner> {
	readonly #bits: number;
	/** Of each slice: room for the filters of 32 owners a word. */
	#words = 4;
	/** The slices, one after the other. */
	#slices: Uint32Array;
	/** By the number of their bit in each slice. */
	readonly #owners: (Owner | undefined)[] = [];

	constructor(filterBytes: number) {
		this.#bits = filterBytes * 8;
		this.#slices = new Uint32Array(this.#bits * this.#words);
	}

	/** @returns the owner's number. */
	add(owner: Owner, bloom: Uint8Array): number {
		const number = this.#owners.push(owner) - 1;
		if (number >= this.#words * WORD_BITS) this.#grow();
		this.merge(number, bloom);
		return number;
	}

	/** Bits that the filter had, and has no longer, may stay. */
	merge(number: number, bloom: Uint8Array): void {
		for (const [at, byte] of bloom.entries())
			for (let left = byte; left !== 0; left &= left - 1) this.#set(at * 8 + lowestBit(left), number);
	}

	addItem(number: number, { start, step }: ItemHash): void {
		const mask = this.#bits - 1;
		for (let probe = 0, bit = start; probe < BLOOM.probes; probe++, bit += step) this.#set(bit & mask, number);
	}

	remove(number: number): void {
		this.#owners[number] = undefined;
	}

	/** The owners whose filter may have the item. */
	candidates(item: ItemHash): Owner[] {
		const found: Owner[] = [];
		const used = Math.ceil(this.#owners.length / WORD_BITS);
		for (let word = 0; word < used; word++) {
			for (let left = this.#common(item, word); left !== 0; left &= left - 1) {
				const owner = this.#owners[word * WORD_BITS + lowestBit(left)];
				if (owner !== undefined) found.push(owner);
			}
		}
		return found;
	}

	/** The filters of one word that have all bits of the item. */
	#common({ start, step }: ItemHash, word: number): number {
		const mask = this.#bits - 1;
		let common = -1;
		for (let probe = 0, bit = start; probe < BLOOM.probes && common !== 0; probe++, bit += step)
			common &= this.#slices[(bit & mask) * this.#words + word] ?? 0;
		return common;
	}

	#set(bit: number, number: number): void {
		const at = bit * this.#words + (number >>> 5);
		this.#slices[at] = (this.#slices[at] ?? 0) | (1 << (number & 31));
	}

	#grow(): void {
		const wider = new Uint32Array(this.#slices.length * 2);
		for (let bit = 0; bit < this.#bits; bit++)
			wider.set(this.#slices.subarray(bit * this.#words, (bit + 1) * this.#words), bit * this.#words * 2);
		this.#slices = wider;
		this.#words *= 2;
	}
}

function lowestBit(bits: number): number {
	return 31 - Math.clz32(bits & -bits);
}
