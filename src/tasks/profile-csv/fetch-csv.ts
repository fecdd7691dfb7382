/** A CSV somewhere on the web, as a stream with a limit. */
import { type JobContext, TaskError } from '../../work/task.ts';
import { TURN_BYTES } from './limits.ts';
import { readInTurns } from './read-in-turns.ts';

/** Bytes to come, and what is known about them. */
export interface CsvSource {
	readonly pieces: AsyncIterable<Uint8Array>;
	/** Undefined when the sender didn't say, or said it of compressed bytes. */
	readonly sizeBytes: number | undefined;
	/** As the sender has it, with parameters; empty when there is none. */
	readonly mediaType: string;
}

/** Client errors that pass: waiting may help. */
const PASSING_STATUSES = [408, 425, 429];

/**
 * Opens the CSV at `url`. Redirects are followed.
 *
 * Reading it throws as well, when the connection breaks (`CsvFetchFailed`, retryable), or the file turns out larger
 * than it said (`CsvTooLarge`).
 *
 * @param maxBytes the largest file taken, decompressed.
 * @throws {TaskError} `CsvFetchFailed`: status 502 and retryable when there was no answer, 5xx, 408, 425 or 429
 * (honouring `Retry-After` in seconds); status 422 and final for the rest, and for an HTML page. `CsvTooLarge`:
 * status 413, final, more than `maxBytes` by `Content-Length`. `TargetNotAllowed`: from `job.fetch`.
 */
export async function fetchCsv(
	url: string,
	job: Pick<JobContext, 'fetch' | 'signal'>,
	maxBytes: number,
): Promise<CsvSource> {
	const response = await job.fetch(url).catch((cause) => {
		throw asFetchFailure(cause, job.signal);
	});
	const refusal = refusalOf(response, maxBytes);
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

function refusalOf(response: Response, maxBytes: number): TaskError | undefined {
	const { status, headers } = response;
	if (!response.ok) return badStatus(status, headers.get('retry-after'));
	if (headers.get('content-type')?.startsWith('text/html')) {
		return new TaskError('CsvFetchFailed', 'The URL leads to an HTML page, not to a CSV', {
			retryable: false,
			status: 422,
		});
	}
	return (contentLength(response) ?? 0) > maxBytes ? tooLarge(maxBytes) : undefined;
}

function badStatus(status: number, retryAfter: string | null): TaskError {
	const retryable = status >= 500 || PASSING_STATUSES.includes(status);
	return new TaskError('CsvFetchFailed', `The URL answered ${status}`, {
		retryable,
		status: retryable ? 502 : 422,
		...(retryAfter !== null && /^\d{1,6}$/.test(retryAfter) && { retryAfterSeconds: Number(retryAfter) }),
	});
}

function tooLarge(maxBytes: number): TaskError {
	const message = `The CSV at the URL is larger than ${maxBytes} bytes`;
	return new TaskError('CsvTooLarge', message, { retryable: false, status: 413 });
}

/** The bytes that the sender announced; undefined when it didn't. */
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
			if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
			yield piece;
		}
	} catch (cause) {
		throw asFetchFailure(cause, signal);
	}
}

/** What went wrong on the way. Our own errors, and the end of the attempt, are passed on as they are. */
function asFetchFailure(cause: unknown, signal: AbortSignal): unknown {
	if (cause instanceof TaskError || signal.aborted) return cause;
	return new TaskError('CsvFetchFailed', 'The URL could not be read to the end', { status: 502, cause });
}
