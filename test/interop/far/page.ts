/** `docs/clients.md`: its table, and the snippets of each client. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/clients.md'), 'utf8');
const COMMENT = /^\s*(#(?!include)|\/\/)/;

/** What a snippet does, and its file's name without the ending. */
export type Purpose = 'result' | 'events' | 'websocket' | 'cancel';

export interface Snippet {
	/** `result.py` */
	readonly file: string;
	readonly text: string;
}

/** The text under a heading of the third level, `### Python requests`. */
export function sectionAbout(client: string): string {
	const section = PAGE.split(/^(?=#{2,3} )/m).find((text) => text.startsWith(`### ${client}\n`));
	if (section === undefined) throw new Error(`docs/clients.md needs a section "### ${client}"`);
	return section;
}

/** The section's snippets. A line before each has its file's name: `` `result.py`: ``. */
export function snippetsIn(section: string): Snippet[] {
	const blocks = [...section.matchAll(/^`([\w.]+)`[^\n]*\n\n```\w+\n(.*?)^```$/gms)];
	if (blocks.length !== section.split(/^```\w/m).length - 1)
		throw new Error(`Each snippet needs its file's name: ${section}`);
	return blocks.map(([, file = '', text = '']) => ({ file, text }));
}

export function snippetFor(purpose: Purpose, client: string): Snippet | undefined {
	return snippetsIn(sectionAbout(client)).find(({ file }) => file.startsWith(`${purpose}.`));
}

/** The lines that a user writes: neither empty nor a comment. */
export function countLines({ text }: Snippet): number {
	return text.split('\n').filter((line) => line.trim() !== '' && !COMMENT.test(line)).length;
}

/** The client's row, cell by cell. The first links to its section. */
export function rowOf(client: string): string[] {
	const row = PAGE.split('\n').find((line) => line.startsWith(`| [${client}](#`));
	if (row === undefined) throw new Error(`docs/clients.md needs a row in its table: | [${client}](#…) | …`);
	return row
		.split('|')
		.slice(1, -1)
		.map((cell) => cell.trim());
}

/** The clients that have a section, by the heading of the second level above it. */
export function clientsByHeading(): ReadonlyMap<string, readonly string[]> {
	const parts = PAGE.split(/^## /m).slice(1);
	return new Map(
		parts.map((part) => [
			part.slice(0, part.indexOf('\n')),
			[...part.matchAll(/^### (.+)$/gm)].map(([, name = '']) => name),
		]),
	);
}

/** The commands that get the links of a job. */
export function commandsBeforeSnippets(): string {
	return /^```sh\n(export BASE.*?)^```$/ms.exec(PAGE)?.[1] ?? '';
}
