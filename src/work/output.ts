/** Converts a task's return value to the reply that is stored and replayed. */
import { STATUSES_WITHOUT_BODY } from '../core/http/statuses.ts';
import { INLINE_BODY_BYTES, MAX_REPLY_HEAD_BYTES } from '../core/job/limits.ts';
import type { StoredReply } from '../core/job/record.ts';
import { TooLarge, upload } from '../rpc/upload.ts';
import type { Attempt } from './attempt.ts';
import { TaskError, type TaskResult, type WaitingForWorker } from './task.ts';

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
export async function storeReply(attempt: Attempt, result: Result): Promise<StoredReply> {
	try {
		return result instanceof Response ? await fromResponse(attempt, result) : await fromJson(attempt, result);
	} catch (error) {
		if (!(error instanceof TooLarge)) throw error;
		throw invalidOutput(`The result is larger than the limit of ${error.maxBytes} bytes`);
	}
}

async function fromJson(attempt: Attempt, result: Exclude<Result, Response>): Promise<StoredReply> {
	if (result === undefined) return { status: 204, headers: [] };
	const bytes = new TextEncoder().encode(serialize(result));
	return { status: 200, headers: [], body: await storeBytes(attempt, [bytes], 'application/json') };
}

async function fromResponse(attempt: Attempt, response: Response): Promise<StoredReply> {
	const { status } = response;
	if (status < 200 || status > 399)
		throw invalidOutput(`Expected a result with a status from 200 to 399, got: ${status}; throw a TaskError to fail`);
	const headers = [...response.headers].filter(([name]) => KEPT_HEADERS.has(name));
	const mediaType = response.headers.get('content-type') ?? 'application/octet-stream';
	const headBytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, mediaType.length);
	if (headBytes > MAX_REPLY_HEAD_BYTES)
		throw invalidOutput(`Expected headers of at most ${MAX_REPLY_HEAD_BYTES} bytes in total, got: ${headBytes}`);
	if (!response.body || STATUSES_WITHOUT_BODY.has(status)) return { status, headers };
	return { status, headers, body: await storeBytes(attempt, response.body, mediaType) };
}

function storeBytes(
	{ jobs, id, lease: { fence }, dependencies: { maxResultBytes } }: Attempt,
	source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	mediaType: string,
) {
	const maxBytes = Math.max(maxResultBytes, INLINE_BODY_BYTES);
	return upload(source, { jobs, id, mediaType, maxBytes, fence });
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
