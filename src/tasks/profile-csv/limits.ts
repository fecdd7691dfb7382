/**
 * Every number `profile-csv` goes by, with its unit and default. Change them here.
 *
 * Pure: no I/O. A profiler takes {@link CsvLimits} as an argument, so a test can make them small.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** What bounds the memory of one profile, whatever the file. */
export interface CsvLimits {
	/** Columns, those of ragged rows included. More fail with `TooManyColumns`. */
	readonly maxColumns: number;
	/** Bytes from the start of a row to the end of its line; a cell can't be longer than its row. More: `RowTooLarge`. */
	readonly maxRowBytes: number;
	/** Different values counted exactly in one column; a column with more reports this number as a lower bound. */
	readonly maxDistinctPerColumn: number;
	/** Bytes of fingerprint tables over all columns at a time; a column that finds none left reports a lower bound. */
	readonly distinctBudgetBytes: number;
	/** Characters (UTF-16 code units) of a name, `min` or `max` shown; what is longer is cut there and ends in `…`. */
	readonly maxShownCharacters: number;
	/** Bytes at the start of the file looked at to find the delimiter. */
	readonly delimiterSampleBytes: number;
}

/**
 * The limits in production. The tables of distinct counts are the largest part, and the lane may run four profiles in
 * one isolate of 128 MB: four files of 200 columns at once came to 93 MB. A column with 100,000 different values
 * needs 1 MiB, so 8 such columns are counted exactly.
 */
export const DEFAULT_LIMITS: CsvLimits = {
	maxColumns: 1_000,
	maxRowBytes: 1 * MIB,
	maxDistinctPerColumn: 100_000,
	distinctBudgetBytes: 8 * MIB,
	maxShownCharacters: 200,
	delimiterSampleBytes: 64 * KIB,
};

/** The largest CSV fetched from a URL, in bytes. A body sent to us is bounded by the deployment's `MAX_INPUT_BYTES`. */
export const MAX_FETCHED_CSV_BYTES = 32 * MIB;

/**
 * Bytes parsed before the event loop gets a turn. By bytes and not by the clock, which stands still in a Worker while
 * it computes. At 10 MB/s this is 7 ms.
 */
export const TURN_BYTES = 64 * KIB;
