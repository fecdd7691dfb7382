/** Converts a task's return value to the reply that is stored and replayed. */
import { STATUSES_WITHOUT_BODY } from '../core/http/statuses.ts';
import { INLINE_BODY_BYTES } from '../core/job/limits.ts';
import type { Fence, StoredReply } from '../core/job/record.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { TooLarge, upload } from '../rpc/upload.ts';
import { TaskError, type TaskResult, type WaitingForWorker } from './task.ts';

export interface OutputOptions {
	readonly jobs: Jobs;
	readonly id: string;
	readonly fence: Fence;
	readonly maxBytes: number;
}

/** A return value that is a result. */
type Result = Exclude<TaskResult, WaitingForWorker>;

/** The headers of a task's `Response` that are kept: those that describe its bytes or give a location. */
const KEPT_HEADERS: ReadonlySet<string> = new Set([
	'content-disposition',
	'content-language',
	'content-location',
	'etag',
	'last-modified',
	'link',
	'location',
]);

/**
 * @throws {TaskError} `InvalidOutput` for a result that can't be stored. Not retryable: the next attempt would return the
 * same.
 */
export async function storeReply(result: Result, options: OutputOptions): Promise<StoredReply> {
	try {
		return result instanceof Response ? await fromResponse(result, options) : await fromJson(result, options);
	} catch (error) {
		if (!(error instanceof TooLarge)) throw error;
		throw invalidOutput(`The result is larger than the limit of ${error.maxBytes} bytes`);
	}
}

async function fromJson(result: Exclude<Result, Response>, options: OutputOptions): Promise<StoredReply> {
	if (result === undefined) return { status: 204, headers: [] };
	const bytes = new TextEncoder().encode(serialize(result));
	return { status: 200, headers: [], body: await storeBytes([bytes], 'application/json', options) };
}

async function fromResponse(response: Response, options: OutputOptions): Promise<StoredReply> {
	const { status } = response;
	if (status < 200 || status > 399)
		throw invalidOutput(`Expected a result with a status from 200 to 399, got: ${status}; throw a TaskError to fail`);
	const headers = [...response.headers].filter(([name]) => KEPT_HEADERS.has(name));
	if (!response.body || STATUSES_WITHOUT_BODY.has(status)) return { status, headers };
	const mediaType = response.headers.get('content-type') ?? 'application/octet-stream';
	return { status, headers, body: await storeBytes(response.body, mediaType, options) };
}

function storeBytes(
	source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	mediaType: string,
	options: OutputOptions,
) {
	const { jobs, id, fence, maxBytes } = options;
	return upload(jobs, id, source, { mediaType, maxBytes: Math.max(maxBytes, INLINE_BODY_BYTES), fence });
}

function serialize(result: unknown): string {
	let text: string | undefined;
	try {
		text = JSON.stringify(result);
	} catch {
		throw invalidOutput('The task returned a value that JSON cannot represent');
	}
	if (text === undefined) throw invalidOutput('The task returned a value that JSON cannot represent');
	return text;
}

function invalidOutput(message: string): TaskError {
	return new TaskError('InvalidOutput', message, { retryable: false });
}
