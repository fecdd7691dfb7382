/** Builds the request that submits a job. */
import { defined } from '../core/defined.ts';
import type { Bytes } from './inference.ts';
import { MS_PER_SECOND, UPLOAD_BYTES_PER_SECOND } from './limits.ts';
import { loadPart } from './load-part.ts';

/** Options of a submission. The server decides those that are left out. */
export interface SubmitOptions {
	/**
	 * 1–255 printable ASCII characters. The same key, task and input identify the same job, for as long as the job is kept.
	 * With a key of your own, such as an order number, a process that lost its handle gets the job back by submitting again.
	 * Default: 128 random bits.
	 */
	readonly idempotencyKey?: string;
	/** 1–128 visible ASCII characters, to find the job by. It is stored, echoed, and passed to the task. Default: generated. */
	readonly correlationId?: string;
	/** Minimum delay before the job starts, 0–30 days. Default: 0. */
	readonly delaySeconds?: number;
	/** The job fails if it has not started within this time, 1 s–30 days. Default: never. */
	readonly startWithinSeconds?: number;
	/** The deadline of one attempt, 1–840 s. Default: the task's, otherwise 60. */
	readonly timeoutSeconds?: number;
	/** 1–50. Default: the task's, otherwise 4. */
	readonly maxAttempts?: number;
	/** How long the finished job is kept, 60 s–30 days. Default: 1 day. */
	readonly retainSeconds?: number;
	/** At most 10, each of 1–64 characters. With an input of bytes: visible ASCII without commas. */
	readonly tags?: readonly string[];
	/** The webhook's URL, events and format. Default: no webhook; the three final events, as Standard Webhooks. */
	readonly webhook?: {
		readonly url: string;
		readonly events?: readonly string[];
		readonly format?: 'standard' | 'cloudevents';
	};
	/** The media type of a binary input. Default: the `Blob`'s own, otherwise `application/octet-stream`. */
	readonly mediaType?: string;
	/** W3C trace context, passed to the task. */
	readonly traceparent?: string;
}

/** A submission in the form of a request. */
export interface SubmitRequest {
	/** Relative to the deployment's URL. */
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string | Bytes;
	/** The time that sending the body may take, in milliseconds. */
	readonly uploadMs: number;
	/** Minimum of the time to send the body and to receive the response, in milliseconds. Default: the client's own. */
	readonly leastTimeoutMs?: number;
}

export type Parameters = Readonly<Record<string, unknown>>;

/** Options with the key that the client has made or got, and the task's parameters. */
export type KeyedSubmitOptions = SubmitOptions & { readonly idempotencyKey: string; readonly parameters?: Parameters };

/**
 * JSON is sent in an envelope with its options, which may contain any text that JSON can. Bytes are sent unchanged, with their
 * options in headers.
 *
 * @throws {TypeError} for an input that JSON can't represent, and for tags that a header can't carry; {@link TransportError} when
 * the code for bytes can't be loaded.
 */
export async function submitRequest(
	task: string,
	input: unknown,
	{ parameters = {}, ...options }: KeyedSubmitOptions,
): Promise<SubmitRequest> {
	const { idempotencyKey, traceparent } = options;
	const headers = defined({ 'idempotency-key': quotedString(idempotencyKey), traceparent });
	if (!isBytes(input)) return withJson({ task, input, parameters }, { options, headers });
	const { withBytes } = await loadPart(import('./parts/submit-bytes.ts'));
	return withBytes({ task, input, parameters }, { options, headers });
}

export function isBytes(input: unknown): input is Bytes {
	return (
		input instanceof Blob ||
		input instanceof ArrayBuffer ||
		ArrayBuffer.isView(input) ||
		input instanceof ReadableStream
	);
}

/** The time that an upload of this size may take, in milliseconds. */
export function uploadMs(sizeBytes: number): number {
	return Math.ceil((sizeBytes * MS_PER_SECOND) / UPLOAD_BYTES_PER_SECOND);
}

/** The options of a submission, and the headers that it has in any form. */
export interface SubmissionHead {
	readonly options: SubmitOptions;
	readonly headers: SubmitRequest['headers'];
}

/** What is submitted: a task's input and parameters. */
export interface Submission<Input = unknown> {
	readonly task: string;
	readonly input: Input;
	readonly parameters: Parameters;
}

function withJson(
	{ task, input, parameters }: Submission,
	{ options: { idempotencyKey: _key, mediaType: _type, traceparent: _trace, ...options }, headers }: SubmissionHead,
): SubmitRequest {
	const given = Object.keys(parameters).length > 0 ? parameters : undefined;
	const body = JSON.stringify({ task, input, parameters: given, options });
	const sizeBytes = new TextEncoder().encode(body).byteLength;
	return {
		path: '/v1/jobs',
		headers: { ...headers, 'content-type': 'application/json' },
		body,
		uploadMs: uploadMs(sizeBytes),
	};
}

/** A structured-field string (RFC 9651 §3.3.3), which this header requires. */
export function quotedString(text: string): string {
	return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** An idempotency key of 128 random bits. Pages without TLS have no `crypto.randomUUID`. */
export function randomKey(): string {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
