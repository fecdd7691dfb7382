/** Counts the distinct values of a column in bounded memory. Pure: no I/O, no clock. */

/** Bytes of a value in a `Set`, without its characters. Measured in V8: 40 to 55. */
export const DISTINCT_VALUE_BYTES = 48;
/** V8 stores such a text with 1 byte a character, any other with 2. */
const oneByteText = /^[\0-\xff]*$/;

/** The bytes that all counters of one profile share. */
export class DistinctBudget {
	#freeBytes: number;

	/** @param totalBytes the maximum for all counters together. */
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
	readonly #values = new Set<string>();
	#valuesBytes = 0;
	/** Set when counting has stopped: the number of values counted until then. */
	#lowerBound: number | undefined;

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
		return this.#lowerBound ?? this.#values.size;
	}

	/** Whether there may be more than {@link count}. */
	get isLowerBound(): boolean {
		return this.#lowerBound !== undefined;
	}

	/**
	 * Counts `text` unless it was counted before. False: it was. True: it is new, or counting has stopped.
	 *
	 * @param text must not be a slice of a longer string, because it would keep that string in memory.
	 */
	add(text: string): boolean {
		if (this.#lowerBound !== undefined) return true;
		if (this.#values.has(text)) return false;
		const bytes = DISTINCT_VALUE_BYTES + text.length * (oneByteText.test(text) ? 1 : 2);
		if (this.#values.size < this.#maxDistinct && this.#budget.take(bytes)) {
			this.#values.add(text);
			this.#valuesBytes += bytes;
		} else {
			this.#stop();
		}
		return true;
	}

	/** Stops the counting. New values can't be recognized any more, so the bytes are freed for other columns. */
	#stop(): void {
		this.#lowerBound = this.#values.size;
		this.#values.clear();
		this.#budget.give(this.#valuesBytes);
	}
}
