/** The text of a leaf: the lines of its jobs, sorted by position, each after a line break. Only lines that may match are parsed. */
import { decodeEntry, type Entry, encodeEntry, lineStart } from './entry.ts';

export function leafText(entries: readonly Entry[]): string {
	return entries.map((entry) => `\n${encodeEntry(entry)}`).join('');
}

/** The entry of the job with this id, if the text has it. */
export function entryInText(text: string, id: string): Entry | undefined {
	const start = text.indexOf(`\n${lineStart(id)}`);
	return start < 0 ? undefined : decodeEntry(lineAround(text, start + 1));
}

/** The entries whose lines contain every one of the texts. */
export function entriesInText(text: string, [first = '\n', ...others]: readonly string[] = []): Entry[] {
	const found: Entry[] = [];
	for (let at = text.indexOf(first); at >= 0; ) {
		const line = lineAround(text, first === '\n' ? at + 1 : at);
		if (others.every((other) => line.includes(other))) found.push(decodeEntry(line));
		const end = text.indexOf('\n', at + 1);
		at = end < 0 ? -1 : text.indexOf(first, end);
	}
	return found;
}

/** The same, the last line first, and only as far as they are asked for. */
export function* entriesFromEnd(text: string, [first = '\n', ...others]: readonly string[]): Generator<Entry> {
	for (let at = text.lastIndexOf(first); at >= 0; ) {
		const line = lineAround(text, first === '\n' ? at + 1 : at);
		if (others.every((other) => line.includes(other))) yield decodeEntry(line);
		const start = text.lastIndexOf('\n', at);
		at = start > 0 ? text.lastIndexOf(first, start - 1) : -1;
	}
}

function lineAround(text: string, at: number): string {
	const end = text.indexOf('\n', at);
	return text.slice(text.lastIndexOf('\n', at) + 1, end < 0 ? text.length : end);
}
