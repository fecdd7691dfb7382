/** Numeric summary of a column in constant memory. Pure. */

/** Minimum, maximum, mean and standard deviation by Welford's method, which is stable where a sum of squares is not. */
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

	// Adding 0 turns −0, which JSON can't represent, into 0.

	/** The smallest number; infinity without any. */
	get min(): number {
		return this.#min + 0;
	}

	/** The largest number; minus infinity without any. */
	get max(): number {
		return this.#max + 0;
	}

	/** The arithmetic mean; undefined without numbers, or when they are too large to average. */
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
