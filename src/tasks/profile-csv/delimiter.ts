/** Detects the character that separates the cells of a file. Pure: no I/O, no state. */

/** The delimiters that can be detected. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;

/** One of {@link DELIMITERS}. */
export type Delimiter = (typeof DELIMITERS)[number];

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CODES = DELIMITERS.map((delimiter) => delimiter.charCodeAt(0));

/**
 * Detects the delimiter of the file that starts with `sample`: the one whose count on the first line matches most of the other
 * lines. Ties go to the most frequent one, then to the order of {@link DELIMITERS}. The result is a comma when the first line
 * has none of them. Quoted text doesn't count.
 *
 * @param sample UTF-8 bytes.
 * @param isWhole whether the sample is the whole file. Otherwise its last line is incomplete, and ignored.
 */
export function detectDelimiter(sample: Uint8Array, isWhole: boolean): Delimiter {
	const lines = countByLine(sample);
	if (!isWhole && lines.length > 1) lines.pop();
	let best: Delimiter = ',';
	let bestAgreeing = 0;
	let bestCount = 0;
	for (const [index, delimiter] of DELIMITERS.entries()) {
		const count = lines[0]?.[index] ?? 0;
		const agreeing = lines.filter((counts) => counts[index] === count).length;
		const isBetter = agreeing > bestAgreeing || (agreeing === bestAgreeing && count > bestCount);
		if (count > 0 && isBetter) {
			best = delimiter;
			bestAgreeing = agreeing;
			bestCount = count;
		}
	}
	return best;
}

/** For each line that isn't blank, the count of each of {@link DELIMITERS} outside quotes. */
function countByLine(sample: Uint8Array): number[][] {
	const lines: number[][] = [];
	let counts = CODES.map(() => 0);
	let isBlank = true;
	let isQuoted = false;
	let before = LINE_FEED;
	for (const code of sample) {
		// A quote opens only at the start of a cell, or right after a closing one: then the two were a doubled quote.
		if (code === QUOTE) isQuoted = !isQuoted && (before === QUOTE || isCellStart(before));
		const isLineEnd = !isQuoted && (code === LINE_FEED || code === CARRIAGE_RETURN);
		if (isLineEnd && !isBlank) {
			lines.push(counts);
			counts = CODES.map(() => 0);
		}
		isBlank = isLineEnd;
		const index = isQuoted ? -1 : CODES.indexOf(code);
		if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
		before = code;
	}
	if (!isBlank) lines.push(counts);
	return lines;
}

function isCellStart(before: number): boolean {
	return before === LINE_FEED || before === CARRIAGE_RETURN || CODES.includes(before);
}
