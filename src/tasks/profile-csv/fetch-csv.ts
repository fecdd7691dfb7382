/** Fetches a CSV from a URL as a stream with a size limit. */
import { type JobContext, TaskError } from '../../work/task.ts';
import { TURN_BYTES } from './limits.ts';
import { readInTurns } from './read-in-turns.ts';

/** A stream of bytes with its metadata. */
export interface CsvSource {
	readonly pieces: AsyncIterable<Uint8Array>;
	/** Undefined when the sender didn't announce a length, or announced that of compressed bytes. */
	readonly sizeBytes: number | undefined;
	/** As the sender wrote it, with parameters; empty without one. */
	readonly mediaType: string;
}

/** Transient client errors, which a retry may solve. */
const PASSING_STATUSES = [408, 425, 429];

/**
 * Opens the CSV at `url`. Redirects are followed.
 *
 * Reading the stream throws as well: `CsvFetchFailed` (retryable) when the connection breaks, and `CsvTooLarge` after
 * `maxBytes`.
 *
 * @param maxBytes maximum file size, decompressed.
 * @throws {TaskError} `CsvFetchFailed`: status 502 and retryable for no response, 5xx, 408, 425 or 429 (honoring `Retry-After`
 * in seconds); status 422 and not retryable for other statuses, and for an HTML page. `CsvTooLarge`: status 413, not retryable,
 * for a `Content-Length` above `maxBytes`. `TargetNotAllowed`: from `job.fetch`.
 */
export async function fetchCsv(
	url: string,
	job: Pick<JobContext, 'fetch' | 'signal'>,
	maxBytes: number,
): Promise<CsvSource> {
	const response = await job.fetch(url).catch((cause) => {
		throw asFetchFailure(cause, job.signal);
	});
	const refusal = csvProblem(response, maxBytes);
	if (refusal !== undefined) {
		await response.body?.cancel();
		throw refusal;
	}
	return {
		pieces: fetchedPieces(response, maxBytes, job.signal),
		sizeBytes: response.headers.has('content-encoding') ? undefined : contentLength(response),
		mediaType: response.headers.get('content-type') ?? '',
	};
}

function csvProblem(response: Response, maxBytes: number): TaskError | undefined {
	const { status, headers } = response;
	if (!response.ok) return badStatus(status, headers.get('retry-after'));
	if (headers.get('content-type')?.startsWith('text/html')) {
		return new TaskError('CsvFetchFailed', 'The URL returned an HTML page, expected a CSV', {
			retryable: false,
			status: 422,
		});
	}
	return (contentLength(response) ?? 0) > maxBytes ? csvTooLarge(maxBytes) : undefined;
}

function badStatus(status: number, retryAfter: string | null): TaskError {
	const retryable = status >= 500 || PASSING_STATUSES.includes(status);
	return new TaskError('CsvFetchFailed', `The URL returned status ${status}`, {
		retryable,
		status: retryable ? 502 : 422,
		...(retryAfter !== null && /^\d{1,6}$/.test(retryAfter) && { retryAfterSeconds: Number(retryAfter) }),
	});
}

function csvTooLarge(maxBytes: number): TaskError {
	const message = `The CSV at the URL is larger than ${maxBytes} bytes`;
	return new TaskError('CsvTooLarge', message, { retryable: false, status: 413 });
}

/** The announced length in bytes; undefined without one. */
function contentLength(response: Response): number | undefined {
	const header = response.headers.get('content-length');
	return header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}

async function* fetchedPieces(
	response: Response,
	maxBytes: number,
	signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
	if (response.body === null) return;
	let sizeBytes = 0;
	try {
		for await (const piece of readInTurns(response.body, TURN_BYTES, signal)) {
			sizeBytes += piece.length;
			if (sizeBytes > maxBytes) throw csvTooLarge(maxBytes);
			yield piece;
		}
	} catch (cause) {
		throw asFetchFailure(cause, signal);
	}
}

/** Wraps a network error. Returns task errors, and the attempt's own abort, unchanged. */
function asFetchFailure(cause: unknown, signal: AbortSignal): unknown {
	if (cause instanceof TaskError || signal.aborted) return cause;
	return new TaskError('CsvFetchFailed', 'Reading the URL failed', { status: 502, cause });
}
