/** Writes results to stdout and everything else to stderr. */
import { type Progress, renderBar, renderProgress } from './bar.ts';
import { isLive, type Style, styleFor } from './style.ts';
import { renderTable } from './table.ts';

type Stream = NodeJS.WriteStream;

/** The style of stdout. */
export const style: Style = styleFor(process.stdout, process.env);

/** The style of stderr. */
export const noteStyle: Style = styleFor(process.stderr, process.env);

export function print(line = ''): void {
	process.stdout.write(`${line}\n`);
}

/** For people: what happens, and what to do next. */
export function note(line = ''): void {
	process.stderr.write(`${line}\n`);
}

/** A document is indented for a terminal, and is one line for another program. */
export function printJson(value: unknown): void {
	print(JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined));
}

/** One of many documents: a line for each. */
export function printJsonLine(value: unknown): void {
	print(JSON.stringify(value));
}

/** Prints a table. Its first row has the titles. */
export function printTable(rows: readonly (readonly string[])[]): void {
	const [titles, ...lines] = renderTable(rows);
	if (titles !== undefined) print(style('bold', titles));
	for (const line of lines) print(line);
}

/** Shows progress: as a bar that stays in its line on a terminal, and as a line for each change elsewhere. */
export class ProgressDisplay {
	readonly #stream: Stream;
	readonly #isLive: boolean;
	#last = '';

	constructor(stream: Stream) {
		this.#stream = stream;
		this.#isLive = isLive(stream, process.env);
	}

	show(progress: Progress): void {
		if (this.#isLive) {
			const line = renderBar(progress, styleFor(this.#stream, process.env), this.#stream.columns);
			this.#stream.write(`\r\u001b[K${line}`);
			this.#last = line;
			return;
		}
		const line = renderProgress(progress);
		if (line !== this.#last) this.#stream.write(`${line}\n`);
		this.#last = line;
	}

	/** Ends the bar's line. */
	end(): void {
		if (this.#isLive && this.#last !== '') this.#stream.write('\n');
	}
}

/** Waits until a pipe has taken everything. */
export function flush(): Promise<unknown> {
	return Promise.all(
		[process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))),
	);
}
