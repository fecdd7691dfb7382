/**
 * Bytes in, rows out: `csv-parse` behind the few promises we need of it. Knows CSV, knows nothing of columns.
 *
 * Lenient where files in the wild are: rows end with LF, CRLF or CR, even mixed; blank lines are skipped; rows may
 * differ in length; a quote in the middle of an unquoted cell is a character like others. Invalid UTF-8 becomes
 * U+FFFD.
 */
import { Parser } from 'csv-parse';
import { TaskError } from '../../work/task.ts';
import type { Delimiter } from './delimiter.ts';

/** How to read a file, and who gets its rows. */
export interface CsvRowsOptions {
	readonly delimiter: Delimiter;
	/** A row of more bytes, its line end included, is refused. */
	readonly maxRowBytes: number;
	/** Called with each row's cells, in order, while bytes are written. What it throws ends the reading. */
	readonly onRow: (cells: string[]) => void;
}

/** Splits the bytes of a CSV file into rows. Errors come out of {@link write} and {@link end}; then it is over. */
export class CsvRows {
	readonly #parser: Parser;
	readonly #options: CsvRowsOptions;
	#writtenBytes = 0;
	/** Where the row being read starts, blank lines before it included. */
	#rowStart = 0;
	/** The line, from 1, on which the next row starts, blank lines before it not counted. */
	#rowLine = 1;
	#linesSeen = 0;
	#blankLinesSeen = 0;

	constructor(options: CsvRowsOptions) {
		this.#options = options;
		this.#parser = new Parser({
			delimiter: options.delimiter,
			// Named, not discovered: discovery settles on the first line's and makes three buffers a byte until it has.
			record_delimiter: ['\r\n', '\n', '\r'],
			relax_column_count: true,
			relax_quotes: true,
			skip_empty_lines: true,
			// Rows are taken here and not from the readable side, so none is ever queued.
			on_record: (cells: string[]) => {
				this.#takeRow(cells);
				return null;
			},
		});
		// Errors are handed to the callbacks of write and end; without a listener the event would be thrown besides.
		this.#parser.on('error', () => {});
	}

	/**
	 * Reads on. Wait for it before the next call.
	 *
	 * @param bytes at most some hundred KiB: the limit of a row is held between calls.
	 * @throws {TaskError} `InvalidCsv`, `RowTooLarge`, or what `onRow` threw.
	 */
	async write(bytes: Uint8Array): Promise<void> {
		this.#writtenBytes += bytes.length;
		await settled((done) => this.#parser.write(bytes, done));
		this.#checkRowSize(this.#writtenBytes);
	}

	/**
	 * Says that there are no more bytes; the last row needs no line end.
	 *
	 * @throws {TaskError} as {@link write}; `InvalidCsv` when a quoted cell is still open.
	 */
	async end(): Promise<void> {
		try {
			await settled((done) => this.#parser.end(done));
		} catch (cause) {
			throw isUnclosedQuote(cause) ? this.#unclosedQuote(cause) : cause;
		}
	}

	#takeRow(cells: string[]): void {
		const { info } = this.#parser;
		this.#checkRowSize(info.bytes);
		this.#rowStart = info.bytes;
		this.#rowLine = this.#currentLine() + this.#linesWithin(cells);
		this.#linesSeen = info.lines;
		this.#blankLinesSeen = info.empty_lines;
		// For each row as long as its first one it does nothing; for any other it makes an error object with a stack
		// trace and a copy of the row, to throw it away: 6 µs a row, thirty times as long as parsing it. It compares
		// with the first row, and takes the next one for the first when it has counted none.
		(info as { records: number }).records = 0;
		this.#options.onRow(cells);
	}

	/** The line on which the row being read starts. */
	#currentLine(): number {
		return this.#rowLine + this.#parser.info.empty_lines - this.#blankLinesSeen;
	}

	/** Lines a finished row takes. The parser's own count takes CRLF in quotes for two: it only tells where to look. */
	#linesWithin(cells: readonly string[]): number {
		if (this.#parser.info.lines - this.#linesSeen <= 1) return 1;
		return cells.reduce((lines, cell) => lines + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 1);
	}

	#checkRowSize(end: number): void {
		const { maxRowBytes } = this.#options;
		const blankLines = this.#parser.info.empty_lines - this.#blankLinesSeen;
		if (end - this.#rowStart - blankLines <= maxRowBytes) return;
		const line = this.#currentLine();
		const message = `The row that starts on line ${line} has more than ${maxRowBytes} bytes; is a quote left open?`;
		throw new TaskError('RowTooLarge', message, { retryable: false, status: 422, details: [{ line }] });
	}

	#unclosedQuote(cause: unknown): TaskError {
		const line = this.#currentLine();
		const message = `The row that starts on line ${line} has a quoted cell that is never closed`;
		return new TaskError('InvalidCsv', message, { retryable: false, status: 422, details: [{ line }], cause });
	}
}

/** Waits for a Node callback. */
function settled(start: (done: (error?: Error | null) => void) => void): Promise<void> {
	return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}

function isUnclosedQuote(cause: unknown): boolean {
	return cause instanceof Error && 'code' in cause && cause.code === 'CSV_QUOTE_NOT_CLOSED';
}
