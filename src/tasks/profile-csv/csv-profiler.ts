/** Profiles a CSV file's bytes. No clock, no network: the same bytes give the same profile, however they are divided. */
import { Buffer } from 'node:buffer';
import { decoderFor } from '../../work/charset.ts';
import { TaskError } from '../../work/task.ts';
import { CsvRows } from './csv-rows.ts';
import { type Delimiter, detectDelimiter } from './delimiter.ts';
import type { CsvLimits } from './limits.ts';
import { Table, type TableProfile } from './table.ts';

/** The result of `profile-csv`. A contract with clients: only add optional fields. */
export type CsvProfile = TableProfile & {
	/** Bytes read. */
	sizeBytes: number;
	/** The given or detected delimiter: `,`, `;`, a tab or `|`. */
	delimiter: Delimiter;
};

/** Options for reading a file. */
export interface CsvProfilerOptions {
	/** Undefined: detected from the start of the file. */
	readonly delimiter: Delimiter | undefined;
	/** The encoding of a file without a byte order mark. Default: UTF-8. */
	readonly charset?: string | undefined;
	/** Whether the first row names the columns. */
	readonly hasHeader: boolean;
	readonly limits: CsvLimits;
}

/** Maximum number of characters of an unknown charset's name in the message. */
const MAX_CHARSET_CHARS = 40;

/** Profiles one file: {@link write} its bytes, then {@link finish}. After an error it can't be used any more. */
export class CsvProfiler {
	readonly #options: CsvProfilerOptions;
	readonly #table: Table;
	/** The start of the file, kept until it is long enough to determine the encoding and delimiter. */
	#head: Uint8Array[] = [];
	#file: { readonly rows: CsvRows; readonly delimiter: Delimiter } | undefined;
	/** Set when the file is not UTF-8. */
	#decoder: TextDecoder | undefined;
	#sizeBytes = 0;

	constructor(options: CsvProfilerOptions) {
		this.#options = options;
		this.#table = new Table(options.hasHeader, options.limits);
	}

	/** Bytes written so far. */
	get sizeBytes(): number {
		return this.#sizeBytes;
	}

	/** Rows of data found so far. */
	get rows(): number {
		return this.#table.rows;
	}

	/**
	 * Processes the next bytes. Await each call before the next one.
	 *
	 * @param bytes at most a few hundred KiB.
	 * @throws {TaskError} `InvalidCsv`, `RowTooLarge`, `TooManyColumns` or `UnsupportedCharset`, status 422, not retryable.
	 */
	async write(bytes: Uint8Array): Promise<void> {
		this.#sizeBytes += bytes.length;
		if (this.#file !== undefined) return this.#writeRows(this.#file.rows, this.#utf8Of(bytes));
		this.#head.push(bytes);
		if (this.#sizeBytes >= this.#options.limits.delimiterSampleBytes) await this.#open(false);
	}

	/** @throws {TaskError} as {@link write}, and `EmptyCsv` when there was no row. */
	async finish(): Promise<CsvProfile> {
		const { rows, delimiter } = this.#file ?? (await this.#open(true));
		if (this.#decoder) await this.#writeRows(rows, new TextEncoder().encode(this.#decoder.decode()));
		await rows.end();
		return { ...this.#table.profile(), sizeBytes: this.#sizeBytes, delimiter };
	}

	async #open(isWhole: boolean): Promise<{ rows: CsvRows; delimiter: Delimiter }> {
		const bytes = Buffer.concat(this.#head, this.#sizeBytes);
		this.#decoder = decoderOf(bytes, this.#options.charset);
		const head = withoutByteOrderMark(this.#utf8Of(bytes));
		const { delimiterSampleBytes, maxRowBytes } = this.#options.limits;
		const sample = head.subarray(0, delimiterSampleBytes);
		const delimiter = this.#options.delimiter ?? detectDelimiter(sample, isWhole);
		const rows = new CsvRows({ delimiter, maxRowBytes, onRow: (cells) => this.#table.add(cells) });
		this.#file = { rows, delimiter };
		this.#head = [];
		await this.#writeRows(rows, head);
		return this.#file;
	}

	/** A character may be divided between two chunks: the decoder keeps its first bytes. */
	#utf8Of(bytes: Uint8Array): Uint8Array {
		return this.#decoder ? new TextEncoder().encode(this.#decoder.decode(bytes, { stream: true })) : bytes;
	}

	/** Text has no NUL bytes. The bytes before one are still processed, so that the first error in the file is reported. */
	async #writeRows(rows: CsvRows, bytes: Uint8Array): Promise<void> {
		const nul = bytes.indexOf(0);
		await rows.write(nul < 0 ? bytes : bytes.subarray(0, nul));
		if (nul >= 0)
			throw notText(
				'has NUL bytes: it is a binary file, or its media type must name its encoding, as in "text/csv; charset=utf-16le"',
			);
	}
}

/**
 * A byte order mark takes precedence over a media type, as in browsers. @returns `undefined` for UTF-8, which needs no decoder.
 */
function decoderOf(head: Uint8Array, charset: string | undefined): TextDecoder | undefined {
	const [first, second, third] = head;
	if (first === 0xef && second === 0xbb && third === 0xbf) return undefined;
	if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le');
	if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be');
	if (charset === undefined) return undefined;
	const decoder = decoderFor(charset);
	if (decoder) return decoder.encoding === 'utf-8' ? undefined : decoder;
	const message = `The CSV has the charset "${charset.slice(0, MAX_CHARSET_CHARS)}", which is not supported`;
	throw new TaskError('UnsupportedCharset', message, { retryable: false, status: 422 });
}

function withoutByteOrderMark(head: Uint8Array): Uint8Array {
	const [first, second, third] = head;
	return first === 0xef && second === 0xbb && third === 0xbf ? head.subarray(3) : head;
}

function notText(what: string): TaskError {
	return new TaskError('InvalidCsv', `The CSV ${what}`, { retryable: false, status: 422 });
}
