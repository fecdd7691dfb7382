/**
 * How many different values a column has, in bounded memory. Pure: no I/O, no clock.
 *
 * Values are kept as 64-bit fingerprints in an open-addressing table, not as strings: 8 bytes a value whatever its
 * length. Two values with the same fingerprint are taken for the same value; among 100,000 values there is such a
 * pair in one column out of some four thousand million (n² / 2^65 = 2.7e-10).
 */
import { fingerprint } from './fingerprint.ts';

/** Slots of a new table. A power of two. */
const FIRST_SLOTS = 64;
const BYTES_PER_WORD = 4;
/** How full a table gets before it doubles. 131,072 slots hold 100,000 values at this load: 1 MiB, not 2. */
const MAX_LOAD = 0.8;
/** Steps looking for a value. Only a file made to collide needs more; its column ends as a lower bound. */
const MAX_PROBES = 2_048;

/** The bytes that all counters of one profile share. */
export class DistinctBudget {
	#freeBytes: number;

	/** @param totalBytes what all tables together may take. */
	constructor(totalBytes: number) {
		this.#freeBytes = totalBytes;
	}

	/** Takes `bytes` if there are as many left; says whether it did. */
	take(bytes: number): boolean {
		if (bytes > this.#freeBytes) return false;
		this.#freeBytes -= bytes;
		return true;
	}

	/** Gives back what was taken. */
	give(bytes: number): void {
		this.#freeBytes += bytes;
	}
}

/** Counts the different values of one column: exactly, until the column's limit or the shared budget is reached. */
export class DistinctCounter {
	readonly #maxDistinct: number;
	readonly #budget: DistinctBudget;
	/** The fingerprint at hand, in an array made once. */
	readonly #fingerprint = new Uint32Array(2);
	/** Pairs of words; (0, 0) is an empty slot. Empty before the first value, and once counting has stopped. */
	#table = new Uint32Array(0);
	#count = 0;
	#isLowerBound = false;

	/**
	 * @param maxDistinct values counted exactly; the next different one stops the counting.
	 * @param budget the bytes shared with the other columns' counters.
	 */
	constructor(maxDistinct: number, budget: DistinctBudget) {
		this.#maxDistinct = maxDistinct;
		this.#budget = budget;
	}

	/** Different values seen so far; at most `maxDistinct`. */
	get count(): number {
		return this.#count;
	}

	/** Whether there may be more than {@link count}. */
	get isLowerBound(): boolean {
		return this.#isLowerBound;
	}

	/** Counts `text` unless it was there before. False: it was. True: it is new, or can no longer be told. */
	add(text: string): boolean {
		if (this.#isLowerBound) return true;
		fingerprint(text, this.#fingerprint);
		const high = this.#fingerprint[0] ?? 0;
		const low = this.#fingerprint[1] ?? 0;
		if (find(this.#table, high, low) === FOUND) return false;
		const isCounted = this.#count < this.#maxDistinct && this.#hasRoom() && put(this.#table, high, low);
		if (isCounted) this.#count++;
		else this.#stop();
		return true;
	}

	#hasRoom(): boolean {
		return this.#count < (this.#table.length / 2) * MAX_LOAD || this.#grow();
	}

	#grow(): boolean {
		const words = Math.max(2 * FIRST_SLOTS, 2 * this.#table.length);
		if (!this.#budget.take(words * BYTES_PER_WORD)) return false;
		const old = this.#table;
		this.#table = new Uint32Array(words);
		this.#budget.give(old.byteLength);
		return putAll(this.#table, old);
	}

	/** Nothing new can be told apart from here on, so the table is given back for other columns to use. */
	#stop(): void {
		this.#isLowerBound = true;
		this.#budget.give(this.#table.byteLength);
		this.#table = new Uint32Array(0);
	}
}

const FOUND = -1;
const NO_PLACE = -2;

/** The index of the empty slot where a fingerprint belongs; or that it is there; or that the search was given up. */
function find(table: Uint32Array, high: number, low: number): number {
	if (table.length === 0) return NO_PLACE;
	const lastWord = table.length - 1;
	let word = (low * 2) & lastWord;
	for (let probes = 0; probes < MAX_PROBES; probes++) {
		const foundHigh = table[word];
		const foundLow = table[word + 1];
		if (foundHigh === high && foundLow === low) return FOUND;
		if (foundHigh === 0 && foundLow === 0) return word;
		word = (word + 2) & lastWord;
	}
	return NO_PLACE;
}

/** Puts a fingerprint that isn't there into the table; false when it found no place. */
function put(table: Uint32Array, high: number, low: number): boolean {
	const word = find(table, high, low);
	if (word < 0) return false;
	table[word] = high;
	table[word + 1] = low;
	return true;
}

/** Puts every fingerprint of `from` into the larger `table`; false when one found no place. */
function putAll(table: Uint32Array, from: Uint32Array): boolean {
	for (let word = 0; word < from.length; word += 2) {
		const high = from[word] ?? 0;
		const low = from[word + 1] ?? 0;
		const isEmptySlot = high === 0 && low === 0;
		if (!isEmptySlot && !put(table, high, low)) return false;
	}
	return true;
}
