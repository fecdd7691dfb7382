/** Reads and validates a submission before it is stored. */

import { createHash } from 'node:crypto';
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { isJson, JSON_TYPE, matchesMediaType } from '../../core/http/media-type.ts';
import type { WireOptions } from '../../core/job/options.ts';
import type { InputForm } from '../../core/job/record.ts';
import { once } from '../../core/once.ts';
import { charsetOf, decoderFor } from '../../work/charset.ts';
import { MAX_TASK_NAME_CHARS, type RegisteredTask } from '../../work/registry.ts';
import { readPieces, refuseEncoded, refuseTooLarge, requestMediaType } from '../body.ts';
import { inBody, zodFaults } from '../faults.ts';
import { readJson } from '../json-body.ts';
import { type Fault, Problem, shown } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { jsonDigest } from './fingerprint.ts';
import { checkParameters, invalidInput, invalidRequest, readOptions, readParameters } from './options.ts';

/** The properties of a task or an upstream that its jobs need. */
export type Work = Pick<RegisteredTask, 'name' | 'lane' | 'maxAttempts' | 'timeoutSeconds'>;

export interface Draft {
	readonly task: Work;
	readonly options: WireOptions;
	readonly parameters: Readonly<Record<string, unknown>>;
	/** The parameters that an idempotency key represents. Default: all of them. */
	readonly identity?: Readonly<Record<string, unknown>>;
	/** `identity` as version 0.1.0 computed it, where that differs: recognises repeats of requests that it accepted. */
	readonly identityIn010?: Readonly<Record<string, unknown>>;
	readonly input: DraftInput;
	/** Whether a lost attempt is never repeated. */
	readonly isOnce?: boolean;
}

export interface DraftInput {
	readonly form: InputForm;
	readonly mediaType: string;
	readonly maxBytes: number;
	/** Absent when the size is known only after the last piece. */
	readonly sizeBytes?: number;
	readonly pieces: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
	/** Receives each piece when the digest covers the raw bytes. */
	readonly onBytes?: (bytes: Uint8Array) => void;
	/** Digest of the input for the idempotency key: of a JSON value, or of raw bytes. Called after the last piece. */
	readonly digest: () => string;
}

const taskError = `expected the name of a task, a string of at most ${MAX_TASK_NAME_CHARS} characters`;

const Envelope = once(() =>
	z.strictObject({
		task: z.string(taskError).max(MAX_TASK_NAME_CHARS, taskError),
		input: z.unknown(),
		parameters: z.unknown().optional(),
		options: z.unknown().optional(),
	}),
);

/** `POST /v1/jobs`: the body is an envelope with the input. */
export async function readEnvelopeDraft(context: RequestContext): Promise<Draft> {
	const { request, config } = context;
	refuseEncoded(request);
	if (!isJson(requestMediaType(request))) throw unsupported(request, [JSON_TYPE]);
	return readJson(request, { maxBytes: config.maxInputBytes }, (body) => readDraft(body, context));
}

export interface EnvelopeTerms {
	/** Headers with the job's options. Default: the request's. */
	readonly headers?: Headers;
	/** Whether the job is identified by something other than its own key. Default: no. */
	readonly isKeyed?: boolean;
}

/** An envelope's draft. */
export async function readDraft(
	body: unknown,
	{ request, config, tasks }: RequestContext,
	{ headers = request.headers, isKeyed = false }: EnvelopeTerms = {},
): Promise<Draft> {
	const envelope = Envelope().safeParse(body);
	if (!envelope.success) throw invalidRequest('The envelope is not valid', zodFaults(envelope.error, inBody()));
	const { input, parameters = {} } = envelope.data;
	const task = taskNamed(tasks, envelope.data.task, [
		{ pointer: '/task', message: 'expected the name of a known task' },
	]);
	if (!task.json) {
		throw new Problem(
			'UnsupportedMediaType',
			`Task "${task.name}" expects bytes: POST them to /v1/tasks/${task.name}/jobs as ${task.binary?.mediaTypes.join(' or ')}`,
		);
	}
	const options = readOptions(headers, envelope.data.options);
	checkParameters(task, parameters);
	await checkInput(task.json, input, '/input');
	return {
		task,
		options,
		parameters,
		input: jsonDraftInput(input, config.maxInputBytes, isKeyed || isHashed(options)),
	};
}

/** `POST /v1/tasks/{task}/jobs`: the body is the input. */
export async function readBodyDraft({ request, config, url, params, tasks }: RequestContext): Promise<Draft> {
	const task = taskNamed(tasks, params.task ?? '');
	refuseEncoded(request);
	const head = { task, options: readOptions(request.headers), parameters: readParameters(task, url.searchParams) };
	const { json, binary } = task;
	const mediaType = requestMediaType(request);
	if (json && isJson(mediaType)) {
		return readJson(request, { maxBytes: config.maxInputBytes }, async (input) => {
			await checkInput(json, input, '');
			return { ...head, input: jsonDraftInput(input, config.maxInputBytes, isHashed(head.options)) };
		});
	}
	if (!binary || !matchesMediaType(binary.mediaTypes, mediaType)) {
		throw unsupported(request, [...(json ? [JSON_TYPE] : []), ...(binary?.mediaTypes ?? [])]);
	}
	if (binary.isText) refuseUnknownCharset(request);
	const maxBytes = Math.min(binary.maxBytes ?? config.maxInputBytes, config.maxInputBytes);
	refuseTooLarge(request, maxBytes);
	return { ...head, input: bytesInput(request, maxBytes, isHashed(head.options)) };
}

/** The input is hashed only for an idempotency key. */
function isHashed({ idempotencyKey }: WireOptions): boolean {
	return idempotencyKey !== undefined;
}

/**
 * Stores the client's value, not the schema's output: the attempt validates again, and a schema's output need not be JSON.
 * Serializes it again, because a body can be mostly white space.
 */
function jsonDraftInput(value: unknown, maxBytes: number, isHashed: boolean): DraftInput {
	const bytes = new TextEncoder().encode(JSON.stringify(value));
	// Computed now, because the value is not kept.
	const digest = isHashed ? jsonDigest(value) : '';
	return {
		form: 'json',
		mediaType: JSON_TYPE,
		maxBytes,
		sizeBytes: bytes.byteLength,
		pieces: () => [bytes],
		digest: () => digest,
	};
}

/** The raw body. */
export function bytesInput(request: Request, maxBytes: number, isHashed: boolean): DraftInput {
	const hash = createHash('sha256');
	const declared = request.body === null ? '0' : (request.headers.get('content-length') ?? '');
	return defined({
		form: 'bytes' as const,
		mediaType: request.headers.get('content-type') ?? 'application/octet-stream',
		maxBytes,
		sizeBytes: /^\d+$/.test(declared) ? Number(declared) : undefined,
		pieces: () => readPieces(request),
		onBytes: isHashed ? (bytes: Uint8Array) => void hash.update(bytes) : undefined,
		digest: () => hash.digest('hex'),
	});
}

async function checkInput(schema: z.ZodType, input: unknown, prefix: string): Promise<void> {
	const parsed = await schema.safeParseAsync(input);
	if (!parsed.success) throw invalidInput(parsed.error, prefix);
}

function taskNamed(tasks: RequestContext['tasks'], name: string, errors: readonly Fault[] = []): RegisteredTask {
	const task = tasks.get(name);
	if (task) return task;
	const known = [...tasks.keys()].join(', ');
	const detail = `Unknown task "${shown(name)}", expected one of: ${known}`;
	throw new Problem('UnknownTask', detail, errors.length > 0 ? { errors } : {});
}

/** Text in an unknown encoding would be decoded wrongly. */
function refuseUnknownCharset(request: Request): void {
	const charset = charsetOf(request.headers.get('content-type') ?? '');
	if (charset === undefined || decoderFor(charset)) return;
	const message = `expected a charset such as utf-8, windows-1252 or utf-16le, got: ${shown(charset)}`;
	throw new Problem('UnsupportedMediaType', `Content-Type: ${message}`, {
		errors: [{ header: 'Content-Type', message }],
	});
}

export function unsupported(request: Request, wanted: readonly string[]): Problem {
	const got = shown(request.headers.get('content-type') ?? 'none');
	const message = `expected ${wanted.join(' or ')}, got: ${got}`;
	return new Problem('UnsupportedMediaType', `Content-Type: ${message}`, {
		errors: [{ header: 'Content-Type', message }],
		headers: { 'accept-post': wanted.join(', ') },
	});
}
