/**
 * Counts the distinct values of a column in bounded memory. Pure: no I/O, no clock.
 *
 * Values are stored as 64-bit fingerprints in an open-addressing table, not as strings: 8 bytes a value of any length. Two
 * values with the same fingerprint count as one. With 100,000 values this happens in one column out of about four thousand
 * million (n² / 2^65 = 2.7e-10).
 */
import { fingerprint } from './fingerprint.ts';

/** Slots of a new table. A power of two. */
const FIRST_SLOTS = 64;
const BYTES_PER_WORD = 4;
/** The load at which a table doubles. 131,072 slots hold 100,000 values at this load: 1 MiB, not 2. */
const MAX_LOAD = 0.8;
/** Maximum number of steps to find a value. Only a file made to collide needs more; its column ends as a lower bound. */
const MAX_PROBES = 2_048;

/** The bytes that all counters of one profile share. */
export class DistinctBudget {
	#freeBytes: number;

	/** @param totalBytes the maximum for all tables together. */
	constructor(totalBytes: number) {
		this.#freeBytes = totalBytes;
	}

	/** Takes `bytes` if that many are left, and returns whether it did. */
	take(bytes: number): boolean {
		if (bytes > this.#freeBytes) return false;
		this.#freeBytes -= bytes;
		return true;
	}

	/** Returns bytes to the budget. */
	give(bytes: number): void {
		this.#freeBytes += bytes;
	}
}

/** Counts the distinct values of one column: exactly, until the column's limit or the shared budget is reached. */
export class DistinctCounter {
	readonly #maxDistinct: number;
	readonly #budget: DistinctBudget;
	/** The current fingerprint, in an array that is allocated once. */
	readonly #fingerprint = new Uint32Array(2);
	/** Pairs of words; (0, 0) is an empty slot. The array is empty before the first value, and after counting has stopped. */
	#table = new Uint32Array(0);
	#count = 0;
	#isLowerBound = false;

	/**
	 * @param maxDistinct values counted exactly; the next distinct one stops the counting.
	 * @param budget the bytes shared with the other columns' counters.
	 */
	constructor(maxDistinct: number, budget: DistinctBudget) {
		this.#maxDistinct = maxDistinct;
		this.#budget = budget;
	}

	/** Distinct values so far; at most `maxDistinct`. */
	get count(): number {
		return this.#count;
	}

	/** Whether there may be more than {@link count}. */
	get isLowerBound(): boolean {
		return this.#isLowerBound;
	}

	/** Counts `text` unless it was counted before. False: it was. True: it is new, or counting has stopped. */
	add(text: string): boolean {
		if (this.#isLowerBound) return true;
		fingerprint(text, this.#fingerprint);
		const high = this.#fingerprint[0] ?? 0;
		const low = this.#fingerprint[1] ?? 0;
		if (find(this.#table, high, low) === FOUND) return false;
		const isCounted = this.#count < this.#maxDistinct && this.#hasRoom() && insert(this.#table, high, low);
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

	/** Stops the counting. New values can't be recognized any more, so the table's bytes are freed for other columns. */
	#stop(): void {
		this.#isLowerBound = true;
		this.#budget.give(this.#table.byteLength);
		this.#table = new Uint32Array(0);
	}
}

const FOUND = -1;
const NO_PLACE = -2;

/** Returns the index of the empty slot where a fingerprint belongs; `FOUND`; or `NO_PLACE` after too many steps. */
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

/** Stores a new fingerprint in the table; returns false when there was no slot for it. */
function insert(table: Uint32Array, high: number, low: number): boolean {
	const word = find(table, high, low);
	if (word < 0) return false;
	table[word] = high;
	table[word + 1] = low;
	return true;
}

/** Stores every fingerprint of `from` in the larger `table`; returns false when there was no slot for one. */
function putAll(table: Uint32Array, from: Uint32Array): boolean {
	for (let word = 0; word < from.length; word += 2) {
		const high = from[word] ?? 0;
		const low = from[word + 1] ?? 0;
		const isEmptySlot = high === 0 && low === 0;
		if (!isEmptySlot && !insert(table, high, low)) return false;
	}
	return true;
}
