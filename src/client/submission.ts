/** Builds the request that submits a job. Only {@link randomKey} is not pure. */
import { defined } from '../core/defined.ts';
import type { Bytes } from './inference.ts';
import { MS_PER_SECOND, UPLOAD_BYTES_PER_SECOND, UPLOAD_TIMEOUT_MS } from './limits.ts';

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
}

type Parameters = Readonly<Record<string, unknown>>;

/** Options with the key that the client has made or got, and the task's parameters. */
export type KeyedSubmitOptions = SubmitOptions & { readonly idempotencyKey: string; readonly parameters?: Parameters };

/**
 * JSON is sent in an envelope with its options, which may contain any text that JSON can. Bytes are sent unchanged, with their
 * options in headers.
 *
 * @throws {TypeError} for an input that JSON can't represent, and for tags that a header can't carry.
 */
export function submitRequest(
	task: string,
	input: unknown,
	{ parameters = {}, ...options }: KeyedSubmitOptions,
): SubmitRequest {
	const { idempotencyKey, traceparent } = options;
	const headers = defined({ 'idempotency-key': quotedString(idempotencyKey), traceparent });
	return isBytes(input)
		? withBytes(taskPath(task, parameters), input, { options, headers })
		: withJson({ task, input, parameters }, { options, headers });
}

export function isBytes(input: unknown): input is Bytes {
	return (
		input instanceof Blob ||
		input instanceof ArrayBuffer ||
		ArrayBuffer.isView(input) ||
		input instanceof ReadableStream
	);
}

/**
 * Maximum time until the response to a submission: the usual time, plus the time to upload the body.
 *
 * @param answerMs the time for a request without a body, in milliseconds.
 */
export function uploadTimeoutMs(body: SubmitRequest['body'], answerMs: number): number {
	const sizeBytes = measureBody(body);
	const travelMs = Math.ceil((sizeBytes * MS_PER_SECOND) / UPLOAD_BYTES_PER_SECOND);
	return Math.max(answerMs + travelMs, isBytes(body) ? UPLOAD_TIMEOUT_MS : 0);
}

/** A stream's size is unknown and counts as 0. */
function measureBody(body: SubmitRequest['body']): number {
	if (typeof body === 'string') return new TextEncoder().encode(body).byteLength;
	if (body instanceof Blob) return body.size;
	return body instanceof ReadableStream ? 0 : body.byteLength;
}

/** The options of a submission, and the headers that it has in any form. */
interface SubmissionHead {
	readonly options: SubmitOptions;
	readonly headers: SubmitRequest['headers'];
}

function withJson(
	{ task, input, parameters }: { readonly task: string; readonly input: unknown; readonly parameters: Parameters },
	{ options: { idempotencyKey: _key, mediaType: _type, traceparent: _trace, ...options }, headers }: SubmissionHead,
): SubmitRequest {
	const given = Object.keys(parameters).length > 0 ? parameters : undefined;
	const body = JSON.stringify({ task, input, parameters: given, options });
	return { path: '/v1/jobs', headers: { ...headers, 'content-type': 'application/json' }, body };
}

function taskPath(task: string, parameters: Parameters): string {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
	return `/v1/tasks/${encodeURIComponent(task)}/jobs${query.size > 0 ? `?${query}` : ''}`;
}

function withBytes(path: string, body: Bytes, { options, headers }: SubmissionHead): SubmitRequest {
	const type = mediaTypeFor(body, options);
	return { path, headers: { ...headers, ...optionHeaders(options), 'content-type': type }, body };
}

export function mediaTypeFor(body: Bytes, { mediaType }: Pick<SubmitOptions, 'mediaType'>): string {
	return mediaType ?? (body instanceof Blob && body.type !== '' ? body.type : 'application/octet-stream');
}

function optionHeaders({ tags, webhook, ...options }: SubmitOptions): Record<string, string> {
	const bad = tags?.find((tag) => !/^[\x21-\x2b\x2d-\x7e]+$/.test(tag));
	if (bad !== undefined)
		throw new TypeError(`Expected tags of visible ASCII without commas for a binary input, got: "${bad}"`);
	return present({
		'x-correlation-id': options.correlationId,
		'coatcheck-delay-seconds': options.delaySeconds,
		'coatcheck-start-within-seconds': options.startWithinSeconds,
		'coatcheck-timeout-seconds': options.timeoutSeconds,
		'coatcheck-max-attempts': options.maxAttempts,
		'coatcheck-retain-seconds': options.retainSeconds,
		'coatcheck-tags': tags && tags.length > 0 ? tags.join(',') : undefined,
		'coatcheck-webhook-url': webhook?.url,
		'coatcheck-webhook-events': webhook?.events?.join(','),
		'coatcheck-webhook-format': webhook?.format,
	});
}

function present(values: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
	const entries = Object.entries(values).filter(([, value]) => value !== undefined);
	return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

/** A structured-field string (RFC 9651 §3.3.3), which this header requires. */
export function quotedString(text: string): string {
	return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** An idempotency key of 128 random bits. Pages without TLS have no `crypto.randomUUID`. */
export function randomKey(): string {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
