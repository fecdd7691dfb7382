/** Lexical summary of a column in bounded memory. Pure. */

/**
 * First and last text in lexical order (by UTF-16 code unit), and the lengths.
 *
 * Only the first characters of the two extremes are kept. That is enough, because the start of the smallest text is the
 * smallest start. One character more than is shown is kept, to detect whether the text was cut.
 */
export class TextSummary {
	readonly #maxShown: number;
	#min: string | undefined;
	#max: string | undefined;
	#minLength = Number.POSITIVE_INFINITY;
	#maxLength = 0;

	/** @param maxShownCharacters maximum number of characters of `min` and `max` in the result. */
	constructor(maxShownCharacters: number) {
		this.#maxShown = maxShownCharacters;
	}

	add(text: string): void {
		const length = text.length;
		if (length < this.#minLength) this.#minLength = length;
		if (length > this.#maxLength) this.#maxLength = length;
		const isCut = length > this.#maxShown + 1;
		const start = isCut ? text.slice(0, this.#maxShown + 1) : text;
		if (this.#min === undefined || start < this.#min) this.#min = isCut ? ownCopy(start) : start;
		if (this.#max === undefined || start > this.#max) this.#max = isCut ? ownCopy(start) : start;
	}

	/** The first text in order; undefined without any. */
	get min(): string | undefined {
		return this.#min === undefined ? undefined : shownText(this.#min, this.#maxShown);
	}

	/** The last text in order; undefined without any. */
	get max(): string | undefined {
		return this.#max === undefined ? undefined : shownText(this.#max, this.#maxShown);
	}

	/** Length of the shortest text (UTF-16 code units); infinity without any. */
	get minLength(): number {
		return this.#minLength;
	}

	/** Length of the longest text (UTF-16 code units); 0 without any. */
	get maxLength(): number {
		return this.#maxLength;
	}
}

/** Returns at most `maxCharacters` of `text`, with `…` after a cut; never half of a surrogate pair. */
export function shownText(text: string, maxCharacters: number): string {
	if (text.length <= maxCharacters) return text;
	return `${text.slice(0, maxCharacters).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Copies the text. V8 would keep the long string alive if the text is a slice of it. */
export function ownCopy(text: string): string {
	return JSON.parse(JSON.stringify(text));
}
