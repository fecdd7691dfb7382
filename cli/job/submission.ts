/** The input and options of `submit`, from the command line to the client's form. Pure. */

import { extname } from 'node:path';
import type { ArgsDef } from 'citty';
import { type ParseError, parse } from 'jsonc-parser';
import type { SubmitOptions } from '../../src/client/index.ts';
import { essence, isJson } from '../../src/core/http/media-type.ts';
import { readWholeNumber } from '../arguments.ts';
import { UsageError } from '../failure.ts';

export const SUBMIT_OPTIONS = {
	input: { type: 'string', description: 'The input: JSON, @<file>, or - for stdin', valueHint: 'json|@file|-' },
	file: { type: 'string', description: 'The input from a file: JSON from .json, bytes from any other' },
	type: { type: 'string', description: "The media type of a file or of stdin. Default: the file's, otherwise JSON" },
	param: { type: 'string', description: 'A parameter of the task. Repeat it for several', valueHint: 'name=value' },
	tag: { type: 'string', description: 'A tag. Repeat it for several' },
	'idempotency-key': { type: 'string', description: 'The same key, task and input are the same job' },
	'correlation-id': { type: 'string', description: 'An id to find the job by. Default: generated' },
	'delay-seconds': { type: 'string', description: 'Start no earlier' },
	'start-within-seconds': { type: 'string', description: 'Fail if it has not started by then' },
	'timeout-seconds': { type: 'string', description: "The time limit of one attempt. Default: the task's" },
	'max-attempts': { type: 'string', description: "Default: the task's" },
	'retain-seconds': { type: 'string', description: 'How long the finished job is kept. Default: a day' },
	'webhook-url': { type: 'string', description: "The receiver of the job's events" },
	'webhook-events': { type: 'string', description: 'Its events, separated by commas. Default: the three final ones' },
	'webhook-format': { type: 'enum', options: ['standard', 'cloudevents'], description: 'Default: standard' },
} satisfies ArgsDef;

export type SubmitValues = Partial<Record<keyof typeof SUBMIT_OPTIONS, string | undefined>>;

/** Where the input is. */
export type InputSource =
	| { readonly type: 'none' }
	| { readonly type: 'text'; readonly json: string }
	| { readonly type: 'file'; readonly path: string; readonly mediaType: string }
	| { readonly type: 'stdin'; readonly mediaType: string };

const JSON_TYPE = 'application/json';
const MEDIA_TYPES: Readonly<Record<string, string>> = {
	'.json': JSON_TYPE,
	'.csv': 'text/csv',
	'.txt': 'text/plain',
	'.xml': 'application/xml',
	'.pdf': 'application/pdf',
	'.jpg': 'image/jpeg',
	'.jpeg': 'image/jpeg',
	'.png': 'image/png',
	'.webp': 'image/webp',
	'.gif': 'image/gif',
	'.svg': 'image/svg+xml',
	'.mp3': 'audio/mpeg',
	'.wav': 'audio/wav',
	'.mp4': 'video/mp4',
	'.zip': 'application/zip',
};

/** @throws {UsageError} */
export function inputSource({ input, file, type }: SubmitValues): InputSource {
	if (input !== undefined && file !== undefined) throw new UsageError('Expected --input or --file, not both');
	if (file !== undefined) return { type: 'file', path: file, mediaType: type ?? guessMediaType(file) };
	if (input === undefined) return { type: 'none' };
	if (input === '-') return { type: 'stdin', mediaType: type ?? JSON_TYPE };
	if (input.startsWith('@')) return { type: 'file', path: input.slice(1), mediaType: type ?? guessMediaType(input) };
	if (type !== undefined) throw new UsageError('--type: expected only with --file, --input @<file> or --input -');
	return { type: 'text', json: input };
}

/** JSON as a value, and anything else as bytes with their media type. @throws {UsageError} */
export function readInput(bytes: Uint8Array<ArrayBuffer>, mediaType: string): unknown {
	return isJson(essence(mediaType)) ? readJson(readText(bytes)) : new Blob([bytes], { type: mediaType });
}

function readText(bytes: Uint8Array): string {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		throw new UsageError('The input: expected JSON in UTF-8');
	}
}

/** @throws {UsageError} with the place, but no part of the text, which may be secret. */
export function readJson(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		const errors: ParseError[] = [];
		parse(text, errors, { disallowComments: true });
		const before = text.slice(0, errors[0]?.offset ?? text.length).split('\n');
		const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
		throw new UsageError(`--input: expected JSON (wrong at ${place}); for bytes, give --type`);
	}
}

/** @throws {UsageError} */
export function submitOptions(values: SubmitValues, tags: readonly string[]): SubmitOptions {
	const webhook = values['webhook-url'] === undefined ? undefined : webhookOptions(values['webhook-url'], values);
	const options = {
		idempotencyKey: values['idempotency-key'],
		correlationId: values['correlation-id'],
		delaySeconds: readWholeNumber('delay-seconds', values['delay-seconds']),
		startWithinSeconds: readWholeNumber('start-within-seconds', values['start-within-seconds'], 1),
		timeoutSeconds: readWholeNumber('timeout-seconds', values['timeout-seconds'], 1),
		maxAttempts: readWholeNumber('max-attempts', values['max-attempts'], 1),
		retainSeconds: readWholeNumber('retain-seconds', values['retain-seconds'], 1),
		tags: tags.length > 0 ? tags : undefined,
		webhook,
	};
	return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function webhookOptions(url: string, values: SubmitValues) {
	const events = values['webhook-events']?.split(',').filter(Boolean);
	const format = values['webhook-format'] as 'standard' | 'cloudevents' | undefined;
	return { url, ...(events ? { events } : {}), ...(format ? { format } : {}) };
}

/** @throws {UsageError} */
export function readParameters(pairs: readonly string[]): Record<string, string> {
	return Object.fromEntries(
		pairs.map((pair) => {
			const at = pair.indexOf('=');
			if (at < 1) throw new UsageError(`--param: expected name=value, got: "${pair}"`);
			return [pair.slice(0, at), pair.slice(at + 1)];
		}),
	);
}

function guessMediaType(path: string): string {
	return MEDIA_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
}
