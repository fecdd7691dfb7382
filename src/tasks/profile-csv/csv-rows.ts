/**
 * Splits bytes into rows with `csv-parse`. It knows CSV and is independent of columns.
 *
 * Lenient with real files: rows end with LF, CRLF or CR, even mixed; blank lines are skipped; rows may differ in length; a
 * quote in the middle of an unquoted cell is an ordinary character. Invalid UTF-8 becomes U+FFFD.
 */
import { Parser } from 'csv-parse';
import { TaskError } from '../../work/task.ts';
import type { Delimiter } from './delimiter.ts';

/** Options for reading a file, and the receiver of its rows. */
export interface CsvRowsOptions {
	readonly delimiter: Delimiter;
	/** A longer row is rejected. The line end counts. */
	readonly maxRowBytes: number;
	/** Called with each row's cells, in order, during a write. An error that it throws ends the reading. */
	readonly onRow: (cells: string[]) => void;
}

/**
 * Splits the bytes of a CSV file into rows. {@link write} and {@link end} report errors; after one it can't be used any more.
 */
export class CsvRows {
	readonly #parser: Parser;
	readonly #options: CsvRowsOptions;
	#writtenBytes = 0;
	/** The byte offset of the current row, including blank lines before it. */
	#rowStart = 0;
	/** The line number, from 1, of the next row, not counting blank lines before it. */
	#rowLine = 1;
	#linesSeen = 0;
	#blankLinesSeen = 0;

	constructor(options: CsvRowsOptions) {
		this.#options = options;
		this.#parser = new Parser({
			delimiter: options.delimiter,
			// Listed explicitly: detection settles on the first line's and allocates three buffers a byte until then.
			record_delimiter: ['\r\n', '\n', '\r'],
			relax_column_count: true,
			relax_quotes: true,
			skip_empty_lines: true,
			// Rows are taken here instead of from the readable side, so that none is ever queued.
			on_record: (cells: string[]) => {
				this.#takeRow(cells);
				return null;
			},
		});
		// The callbacks of write and end get the errors. Without a listener the event would be thrown as well.
		this.#parser.on('error', () => {});
	}

	/**
	 * Processes the next bytes. Await each call before the next one.
	 *
	 * @param bytes at most a few hundred KiB: the limit of a row is checked between calls.
	 * @throws {TaskError} `InvalidCsv`, `RowTooLarge`, or the error that `onRow` threw.
	 */
	async write(bytes: Uint8Array): Promise<void> {
		this.#writtenBytes += bytes.length;
		await toPromise((done) => this.#parser.write(bytes, done));
		this.#checkRowSize(this.#writtenBytes);
	}

	/**
	 * Ends the input; the last row needs no line end.
	 *
	 * @throws {TaskError} as {@link write}; `InvalidCsv` when a quoted cell is still open.
	 */
	async end(): Promise<void> {
		try {
			await toPromise((done) => this.#parser.end(done));
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
		// The parser compares each row's length with the first row's. For a different one it creates an error with a stack
		// trace and a copy of the row, and discards it: 6 µs a row, thirty times as long as parsing. With a count of 0 it takes
		// the next row for the first.
		(info as { records: number }).records = 0;
		this.#options.onRow(cells);
	}

	/** The line on which the current row starts. */
	#currentLine(): number {
		return this.#rowLine + this.#parser.info.empty_lines - this.#blankLinesSeen;
	}

	/** Number of lines of a finished row. The parser counts a CRLF in quotes twice, so its count only tells when to look. */
	#linesWithin(cells: readonly string[]): number {
		if (this.#parser.info.lines - this.#linesSeen <= 1) return 1;
		return cells.reduce((lines, cell) => lines + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 1);
	}

	#checkRowSize(end: number): void {
		const { maxRowBytes } = this.#options;
		const blankLines = this.#parser.info.empty_lines - this.#blankLinesSeen;
		if (end - this.#rowStart - blankLines <= maxRowBytes) return;
		const line = this.#currentLine();
		const message = `The row that starts on line ${line} has more than ${maxRowBytes} bytes: check for an unclosed quote`;
		throw new TaskError('RowTooLarge', message, { retryable: false, status: 422, details: [{ line }] });
	}

	#unclosedQuote(cause: unknown): TaskError {
		const line = this.#currentLine();
		const message = `The row that starts on line ${line} has a quoted cell without a closing quote`;
		return new TaskError('InvalidCsv', message, { retryable: false, status: 422, details: [{ line }], cause });
	}
}

/** Converts a Node callback to a promise. */
function toPromise(start: (done: (error?: Error | null) => void) => void): Promise<void> {
	return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}

function isUnclosedQuote(cause: unknown): boolean {
	return cause instanceof Error && 'code' in cause && cause.code === 'CSV_QUOTE_NOT_CLOSED';
}
