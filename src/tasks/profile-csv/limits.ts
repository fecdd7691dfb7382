/**
 * All numbers of `profile-csv`, with their units and defaults. Change them here.
 *
 * Pure: no I/O. A profiler takes {@link CsvLimits} as an argument, so that tests can use small ones.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Limits that bound the memory of one profile, for any file. */
export interface CsvLimits {
	/** Columns, including those that ragged rows add. More fail with `TooManyColumns`. */
	readonly maxColumns: number;
	/**
	 * Bytes from the start of a row to the end of its line; a cell can't be longer than its row. More fail with `RowTooLarge`.
	 */
	readonly maxRowBytes: number;
	/** Distinct values counted exactly in one column; a column with more reports this number as a lower bound. */
	readonly maxDistinctPerColumn: number;
	/** Bytes of the distinct values of all columns together; a column that gets none reports a lower bound. */
	readonly distinctBudgetBytes: number;
	/** Characters (UTF-16 code units) of a name, `min` or `max` in the result; longer texts are cut there and end in `…`. */
	readonly maxShownCharacters: number;
	/** Bytes at the start of the file that are used to detect the delimiter. */
	readonly delimiterSampleBytes: number;
}

/**
 * The limits in production. Distinct values are the largest part, and the lane may run four profiles in one isolate of 128 MB.
 * A short value needs about 56 bytes, so some 150,000 of them are counted exactly in all columns together.
 */
export const DEFAULT_LIMITS: CsvLimits = {
	maxColumns: 1_000,
	maxRowBytes: 1 * MIB,
	maxDistinctPerColumn: 100_000,
	distinctBudgetBytes: 8 * MIB,
	maxShownCharacters: 200,
	delimiterSampleBytes: 64 * KIB,
};

/** Maximum size of a CSV fetched from a URL, in bytes. The deployment's `MAX_INPUT_BYTES` limits a submitted body. */
export const MAX_FETCHED_CSV_BYTES = 32 * MIB;

/**
 * Bytes parsed before the event loop continues with other work. Bytes are used because the clock of a Worker stands still
 * during computation. At 10 MB/s this is 7 ms.
 */
export const TURN_BYTES = 64 * KIB;
