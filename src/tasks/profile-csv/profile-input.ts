/** One attempt of `profile-csv`: reads the body or the URL, and reports progress by the bytes that are read. */
import { charsetOf } from '../../work/charset.ts';
import type { BinaryInput, JobContext } from '../../work/task.ts';
import { type CsvProfile, CsvProfiler } from './csv-profiler.ts';
import type { Delimiter } from './delimiter.ts';
import { type CsvSource, fetchCsv } from './fetch-csv.ts';
import { DEFAULT_LIMITS, MAX_FETCHED_CSV_BYTES, TURN_BYTES } from './limits.ts';
import { readInTurns } from './read-in-turns.ts';

export interface CsvParameters {
	readonly delimiter?: Delimiter | 'tab' | undefined;
	readonly header: 'true' | 'false';
}

export async function profileInput(
	input: { readonly url: string } | BinaryInput,
	job: JobContext<CsvParameters>,
): Promise<CsvProfile> {
	const source = 'url' in input ? await fetchCsv(input.url, job, MAX_FETCHED_CSV_BYTES) : bodySource(input, job.signal);
	const profiler = new CsvProfiler({
		delimiter: delimiterOf(job.parameters.delimiter, source.mediaType),
		charset: charsetOf(source.mediaType),
		hasHeader: job.parameters.header === 'true',
		limits: DEFAULT_LIMITS,
	});
	for await (const piece of source.pieces) {
		await profiler.write(piece);
		reportRows(job, profiler, source.sizeBytes);
	}
	const profile = await profiler.finish();
	job.progress(100, `${formatCount(profile.rows, 'row')}, ${formatCount(profile.columns.length, 'column')}`);
	return profile;
}

function bodySource(input: BinaryInput, signal: AbortSignal): CsvSource {
	const { sizeBytes, mediaType } = input;
	return { pieces: readInTurns(input.stream(), TURN_BYTES, signal), sizeBytes, mediaType };
}

/** The requested delimiter; otherwise a tab if the media type says so; otherwise undefined, to be detected. */
function delimiterOf(parameter: Delimiter | 'tab' | undefined, mediaType: string): Delimiter | undefined {
	const isTabSeparated = mediaType.toLowerCase().startsWith('text/tab-separated-values');
	return parameter === 'tab' || (parameter === undefined && isTabSeparated) ? '\t' : parameter;
}

/** Only the end reports 100 %, because an announced length may be wrong. */
function reportRows(
	job: Pick<JobContext, 'progress'>,
	{ sizeBytes, rows }: Pick<CsvProfiler, 'sizeBytes' | 'rows'>,
	totalBytes: number | undefined,
): void {
	const percent = totalBytes === undefined ? undefined : Math.min(99, Math.floor((sizeBytes / totalBytes) * 100));
	const total = totalBytes === undefined ? '' : ` of ${formatMegabytes(totalBytes)}`;
	job.progress(percent, `${formatMegabytes(sizeBytes)}${total} read, ${formatCount(rows, 'row')}`);
}

function formatMegabytes(bytes: number): string {
	return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Created once, because creating it costs more than profiling a thousand cells. */
const grouped = new Intl.NumberFormat('en-US');

function formatCount(number: number, noun: string): string {
	return `${grouped.format(number)} ${noun}${number === 1 ? '' : 's'}`;
}
