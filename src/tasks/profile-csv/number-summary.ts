/** Numeric summary of a column in constant memory. Pure. */

/** Smallest, largest, mean and spread of numbers, by Welford's method: stable where summing squares is not. */
export class NumberSummary {
	#count = 0;
	#mean = 0;
	#squares = 0;
	#min = Number.POSITIVE_INFINITY;
	#max = Number.NEGATIVE_INFINITY;

	/** @param value a finite number. */
	add(value: number): void {
		this.#count++;
		const fromOldMean = value - this.#mean;
		this.#mean += fromOldMean / this.#count;
		this.#squares += fromOldMean * (value - this.#mean);
		if (value < this.#min) this.#min = value;
		if (value > this.#max) this.#max = value;
	}

	// Adding 0 turns −0, which JSON has no word for, into 0.

	/** The smallest number; infinity when there were none. */
	get min(): number {
		return this.#min + 0;
	}

	/** The largest number; minus infinity when there were none. */
	get max(): number {
		return this.#max + 0;
	}

	/** The arithmetic mean; undefined when there were no numbers, or they were too large to average. */
	get mean(): number | undefined {
		return this.#count > 0 ? finite(this.#mean) : undefined;
	}

	/** The sample standard deviation (n − 1, as in SQL, R and pandas); undefined for fewer than two numbers. */
	get stddev(): number | undefined {
		return this.#count > 1 ? finite(Math.sqrt(this.#squares / (this.#count - 1))) : undefined;
	}
}

function finite(value: number): number | undefined {
	return Number.isFinite(value) ? value : undefined;
}
