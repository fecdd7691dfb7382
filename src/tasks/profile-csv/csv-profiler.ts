/** A CSV file's bytes in, its profile out. No clock, no network: the same bytes give the same profile, however cut. */
import { TaskError } from '../../work/task.ts';
import { CsvRows } from './csv-rows.ts';
import { type Delimiter, detectDelimiter } from './delimiter.ts';
import type { CsvLimits } from './limits.ts';
import { Table, type TableProfile } from './table.ts';

/** The result of `profile-csv`. A contract with clients: only add optional fields. */
export type CsvProfile = TableProfile & {
	/** Bytes read. */
	sizeBytes: number;
	/** The delimiter given or found: `,`, `;`, a tab or `|`. */
	delimiter: Delimiter;
};

/** How to read a file. */
export interface CsvProfilerOptions {
	/** Undefined: found out from the start of the file. */
	readonly delimiter: Delimiter | undefined;
	/** Whether the first row names the columns. */
	readonly hasHeader: boolean;
	readonly limits: CsvLimits;
}

/** Profiles one file: {@link write} its bytes, then {@link finish}. After an error it is over. */
export class CsvProfiler {
	readonly #options: CsvProfilerOptions;
	readonly #table: Table;
	/** The start of the file, kept back until there is enough of it to know its encoding and delimiter. */
	#head: Uint8Array[] = [];
	#file: { readonly rows: CsvRows; readonly delimiter: Delimiter } | undefined;
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
	 * Reads on. Wait for it before the next call.
	 *
	 * @param bytes at most some hundred KiB.
	 * @throws {TaskError} `InvalidCsv`, `RowTooLarge` or `TooManyColumns`, status 422, not retryable.
	 */
	async write(bytes: Uint8Array): Promise<void> {
		this.#sizeBytes += bytes.length;
		if (this.#file !== undefined) return this.#writeRows(this.#file.rows, bytes);
		this.#head.push(bytes);
		if (this.#sizeBytes >= this.#options.limits.delimiterSampleBytes) await this.#open(false);
	}

	/** @throws {TaskError} as {@link write}, and `EmptyCsv` when there was no row. */
	async finish(): Promise<CsvProfile> {
		const { rows, delimiter } = this.#file ?? (await this.#open(true));
		await rows.end();
		return { ...this.#table.profile(), sizeBytes: this.#sizeBytes, delimiter };
	}

	async #open(isWhole: boolean): Promise<{ rows: CsvRows; delimiter: Delimiter }> {
		const head = withoutByteOrderMark(joined(this.#head, this.#sizeBytes));
		const { delimiterSampleBytes, maxRowBytes } = this.#options.limits;
		const sample = head.subarray(0, delimiterSampleBytes);
		const delimiter = this.#options.delimiter ?? detectDelimiter(sample, isWhole);
		const rows = new CsvRows({ delimiter, maxRowBytes, onRow: (cells) => this.#table.add(cells) });
		this.#file = { rows, delimiter };
		this.#head = [];
		await this.#writeRows(rows, head);
		return this.#file;
	}

	/** Text has no NUL bytes. What comes before one is read all the same, so that the first error in the file is told. */
	async #writeRows(rows: CsvRows, bytes: Uint8Array): Promise<void> {
		const nul = bytes.indexOf(0);
		await rows.write(nul < 0 ? bytes : bytes.subarray(0, nul));
		if (nul >= 0) throw notText('has NUL bytes: it is a binary file, or text that is not UTF-8');
	}
}

function withoutByteOrderMark(head: Uint8Array): Uint8Array {
	const [first, second, third] = head;
	if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) throw notText('is UTF-16, not UTF-8');
	return first === 0xef && second === 0xbb && third === 0xbf ? head.subarray(3) : head;
}

function notText(what: string): TaskError {
	return new TaskError('InvalidCsv', `The CSV ${what}`, { retryable: false, status: 422 });
}

function joined(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
	const whole = new Uint8Array(sizeBytes);
	let start = 0;
	for (const part of parts) {
		whole.set(part, start);
		start += part.length;
	}
	return whole;
}
