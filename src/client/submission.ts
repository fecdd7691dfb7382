/** From what a caller wants done to the request that asks for it. Pure. */
import type { Bytes } from './inference.ts';
import { MS_PER_SECOND, UPLOAD_BYTES_PER_SECOND, UPLOAD_TIMEOUT_MS } from './limits.ts';

/** What a submission may ask for. What is left out is the server's to decide. */
export interface SubmitOptions {
	/**
	 * 1–255 printable ASCII characters. The same key, task and input are the same job, for as long as the job is kept: with a
	 * key of your own (an order's number) a process that lost its handle gets the job back by submitting again.
	 * Default: 128 random bits.
	 */
	readonly idempotencyKey?: string;
	/** 1–128 visible ASCII characters, to find the job by: kept, echoed, and told to the task. Default: made up. */
	readonly correlationId?: string;
	/** Not before so many seconds from now, 0–30 days. Default: 0. */
	readonly delaySeconds?: number;
	/** Fail if not started by then, 1 s–30 days. Default: never. */
	readonly startWithinSeconds?: number;
	/** The deadline of one attempt, 1–840 s. Default: the task's, else 60. */
	readonly timeoutSeconds?: number;
	/** 1–50. Default: the task's, else 4. */
	readonly maxAttempts?: number;
	/** How long the finished job is kept, 60 s–30 days. Default: 1 day. */
	readonly retainSeconds?: number;
	/** At most 10, each of 1–64 characters. With an input of bytes: visible ASCII without commas. */
	readonly tags?: readonly string[];
	/** Whom to tell, and of what. Default: nobody; the three final events, as Standard Webhooks. */
	readonly webhook?: {
		readonly url: string;
		readonly events?: readonly string[];
		readonly format?: 'standard' | 'cloudevents';
	};
	/** The media type of an input of bytes. Default: the `Blob`'s own, else `application/octet-stream`. */
	readonly mediaType?: string;
	/** W3C trace context, carried on to the task. */
	readonly traceparent?: string;
}

/** A submission as it is sent. */
export interface SubmitRequest {
	/** Under the deployment's address. */
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string | Bytes;
}

type Parameters = Readonly<Record<string, unknown>>;

/**
 * JSON travels in an envelope with its options, where they may say anything JSON can; bytes travel as they are, with their
 * options in headers.
 *
 * @throws {TypeError} for an input that JSON has no form for, and for tags that a header can't carry.
 */
export function submitRequest(
	task: string,
	input: unknown,
	options: SubmitOptions & { readonly idempotencyKey: string },
	parameters: Parameters = {},
): SubmitRequest {
	const headers = {
		'idempotency-key': quoted(options.idempotencyKey),
		...(options.traceparent !== undefined && { traceparent: options.traceparent }),
	};
	return isBytes(input)
		? withBytes(task, input, options, parameters, headers)
		: withJson(task, input, options, parameters, headers);
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
 * How long the answer to a submission may take: as long as any answer, and as long as its body may travel.
 *
 * @param answerMs for an answer to a request without a body, in milliseconds.
 */
export function uploadTimeoutMs(body: SubmitRequest['body'], answerMs: number): number {
	const sizeBytes = sizeOf(body);
	const travelMs = Math.ceil((sizeBytes * MS_PER_SECOND) / UPLOAD_BYTES_PER_SECOND);
	return Math.max(answerMs + travelMs, isBytes(body) ? UPLOAD_TIMEOUT_MS : 0);
}

/** A stream's size is not known: 0. */
function sizeOf(body: SubmitRequest['body']): number {
	if (typeof body === 'string') return new TextEncoder().encode(body).byteLength;
	if (body instanceof Blob) return body.size;
	return body instanceof ReadableStream ? 0 : body.byteLength;
}

function withJson(
	task: string,
	input: unknown,
	{ idempotencyKey: _key, mediaType: _type, traceparent: _trace, ...options }: SubmitOptions,
	parameters: Parameters,
	headers: SubmitRequest['headers'],
): SubmitRequest {
	const hasParameters = Object.keys(parameters).length > 0;
	const body = JSON.stringify({ task, input, ...(hasParameters && { parameters }), options });
	return { path: '/v1/jobs', headers: { ...headers, 'content-type': 'application/json' }, body };
}

function withBytes(
	task: string,
	body: Bytes,
	options: SubmitOptions,
	parameters: Parameters,
	headers: SubmitRequest['headers'],
): SubmitRequest {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
	const type = options.mediaType ?? (body instanceof Blob && body.type !== '' ? body.type : 'application/octet-stream');
	return {
		path: `/v1/tasks/${encodeURIComponent(task)}/jobs${query.size > 0 ? `?${query}` : ''}`,
		headers: { ...headers, ...optionHeaders(options), 'content-type': type },
		body,
	};
}

function optionHeaders({ tags, webhook, ...options }: SubmitOptions): Record<string, string> {
	const bad = tags?.find((tag) => !/^[\x21-\x2b\x2d-\x7e]+$/.test(tag));
	if (bad !== undefined)
		throw new TypeError(`Expected tags of visible ASCII without commas, with bytes, got: "${bad}"`);
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

/** A structured-field string (RFC 9651 §3.3.3), which the header is. */
function quoted(text: string): string {
	return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
