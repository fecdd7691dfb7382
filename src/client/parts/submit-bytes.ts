/** Builds the request that submits bytes. */
import type { Bytes } from '../inference.ts';
import { UPLOAD_TIMEOUT_MS } from '../limits.ts';
import {
	type Parameters,
	type Submission,
	type SubmissionHead,
	type SubmitOptions,
	type SubmitRequest,
	uploadMs,
} from '../submission.ts';

/** Bytes are sent unchanged, with their options in headers. @throws {TypeError} for tags that a header can't carry. */
export function withBytes(
	{ task, input, parameters }: Submission<Bytes>,
	{ options, headers }: SubmissionHead,
): SubmitRequest {
	const type = mediaTypeFor(input, options);
	return {
		path: taskPath(task, parameters),
		headers: { ...headers, ...optionHeaders(options), 'content-type': type },
		body: input,
		uploadMs: uploadMs(sizeInBytes(input)),
		leastTimeoutMs: UPLOAD_TIMEOUT_MS,
	};
}

/** A stream's size is unknown and counts as 0. */
function sizeInBytes(body: Bytes): number {
	if (body instanceof Blob) return body.size;
	return body instanceof ReadableStream ? 0 : body.byteLength;
}

function taskPath(task: string, parameters: Parameters): string {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
	return `/v1/tasks/${encodeURIComponent(task)}/jobs${query.size > 0 ? `?${query}` : ''}`;
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
