/**
 * `profile-csv`: takes a CSV and returns a profile of each column. It streams, so its memory doesn't grow with the file.
 *
 * Pipeline: body or URL → turns (`read-in-turns`) → rows (`csv-rows`, by `csv-parse`) → columns (`table`, `column`). All stages
 * after the first are pure. All numbers are in `limits`.
 */
import * as z from 'zod';
import { defineTask } from '../work/task.ts';
import type { CsvProfile } from './profile-csv/csv-profiler.ts';

export type { ColumnProfile } from './profile-csv/column.ts';
export type { CsvProfile };

const parameters = z.strictObject({
	delimiter: z
		.enum([',', ';', '\t', '|', 'tab'], { error: 'delimiter must be one of , ; | or tab' })
		.optional()
		.describe(
			'The character between cells. Default: detected from the first lines; a tab for text/tab-separated-values.',
		),
	header: z
		.enum(['true', 'false'], { error: 'header must be true or false' })
		.default('true')
		.describe('Whether the first row names the columns. If false, the names are column1, column2 …'),
});

/**
 * Profiles a CSV: the body, or the file at `{ "url": "https://…" }` (at most 32 MiB).
 *
 * @example
 * curl --data-binary @airports.csv -H 'Content-Type: text/csv' "$HOST/v1/tasks/profile-csv/jobs?header=true"
 *
 * { "rows": 3376, "raggedRows": 0, "sizeBytes": 210365, "delimiter": ",",
 *   "columns": [
 *     { "name": "iata", "type": "string", "count": 3376, "nulls": 0, "distinct": 3376, "distinctIsLowerBound": false,
 *       "min": "00M", "max": "ZZV", "minLength": 3, "maxLength": 3 },
 *     { "name": "latitude", "type": "number", …, "min": 7.367222, "max": 71.2854475, "mean": 40.036…, "stddev": 8.329… }
 * ] }
 *
 * Rules:
 * - Encoding: that of a byte order mark (UTF-8, UTF-16), otherwise the media type's `charset` (of the request or of the URL's
 *   response), otherwise UTF-8. Invalid bytes are read as U+FFFD; NUL bytes are rejected.
 * - Spaces and tabs around a cell are not part of its value. A cell without anything else is null; `NA`, `null` and `-`
 *   are texts.
 * - Rows end with LF, CRLF or CR. Blank lines are skipped. The missing cells of a shorter row are nulls; a longer row
 *   adds columns.
 * - Types: see `typeOfValue`. Fields of a column: see `ColumnProfile`.
 * - Distinct counts are exact up to 100,000 a column and 8 MiB of values in total; beyond that they are lower bounds.
 *
 * Errors, none of them retryable except `CsvFetchFailed` with 502: `CsvFetchFailed` (502 or 422), `CsvTooLarge` (413),
 * `EmptyCsv`, `InvalidCsv`, `RowTooLarge`, `TooManyColumns`, `UnsupportedCharset` (422; in the `Content-Type` of a submission:
 * 415, before the 202).
 */
export const profileCsv = defineTask({
	name: 'profile-csv',
	description: 'Profiles each column of a CSV: type, nulls, distinct values, minimum, maximum, mean.',
	lane: 'long',
	timeoutSeconds: 300,
	input: {
		json: z.strictObject({ url: z.url({ protocol: /^https?$/, error: 'url must be an http or https URL' }) }),
		binary: {
			// The last one is Excel's: browsers on Windows use it for CSV files.
			mediaTypes: [
				'text/csv',
				'text/plain',
				'application/csv',
				'text/tab-separated-values',
				'application/vnd.ms-excel',
			],
			isText: true,
		},
	},
	parameters,
	async run(input, job): Promise<CsvProfile> {
		// Loaded for the first CSV, so that the parser doesn't delay the first response of an isolate.
		const { profileInput } = await import('./profile-csv/profile-input.ts');
		return profileInput(input, job);
	},
});
