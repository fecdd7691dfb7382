/** Lexical summary of a column in bounded memory. Pure. */

/**
 * First and last in lexical order (by UTF-16 code unit), and the lengths.
 *
 * Only the first characters of the two extremes are kept. That is enough: the start of the smallest text is the
 * smallest start. One more than is shown is kept, to know whether something was cut.
 */
export class TextSummary {
	readonly #maxShown: number;
	#min: string | undefined;
	#max: string | undefined;
	#minLength = Number.POSITIVE_INFINITY;
	#maxLength = 0;

	/** @param maxShownCharacters how much of `min` and `max` is shown. */
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

	/** The first in order; undefined when there was no text. */
	get min(): string | undefined {
		return this.#min === undefined ? undefined : shown(this.#min, this.#maxShown);
	}

	/** The last in order; undefined when there was no text. */
	get max(): string | undefined {
		return this.#max === undefined ? undefined : shown(this.#max, this.#maxShown);
	}

	/** The fewest characters (UTF-16 code units); infinity when there was no text. */
	get minLength(): number {
		return this.#minLength;
	}

	/** The most characters (UTF-16 code units); 0 when there was no text. */
	get maxLength(): number {
		return this.#maxLength;
	}
}

/** At most `maxCharacters` of `text`, with `…` where something was cut; never half of a surrogate pair. */
export function shown(text: string, maxCharacters: number): string {
	if (text.length <= maxCharacters) return text;
	return `${text.slice(0, maxCharacters).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The same text without the long string it may be a slice of, which V8 would keep alive with it. */
function ownCopy(text: string): string {
	return JSON.parse(JSON.stringify(text));
}
