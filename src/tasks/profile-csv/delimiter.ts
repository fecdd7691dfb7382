/** Which character separates the cells of a file. Pure: no I/O, no state. */

/** The delimiters that are looked for. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;

/** One of {@link DELIMITERS}. */
export type Delimiter = (typeof DELIMITERS)[number];

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CODES = DELIMITERS.map((delimiter) => delimiter.charCodeAt(0));

/**
 * The delimiter of the file that starts with `sample`: the one found on the first line whose count there is met by
 * most of the other lines. Between equals, the one found more often; then the order of {@link DELIMITERS}. A comma
 * when the first line has none of them. What is in quotes doesn't count.
 *
 * @param sample UTF-8 bytes.
 * @param isWhole whether the sample is the whole file. Otherwise its last line is cut off somewhere, and left out.
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

/** For each line that isn't blank, how often it has each of {@link DELIMITERS} outside quotes. */
function countByLine(sample: Uint8Array): number[][] {
	const lines: number[][] = [];
	let counts = CODES.map(() => 0);
	let isBlank = true;
	let isQuoted = false;
	let before = LINE_FEED;
	for (const code of sample) {
		// A quote opens only where a cell starts, or right after a closing one: then it was a doubled quote.
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
