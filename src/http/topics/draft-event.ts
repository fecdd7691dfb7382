/**
 * Reads an event from a request: JSON or bytes with a type in a header, or a CloudEvents 1.0 message in binary or structured mode
 * (CloudEvents HTTP binding §3).
 */
import { Buffer } from 'node:buffer';
import * as z from 'zod';
import { defined } from '../../core/defined.ts';
import { isJson } from '../../core/http/media-type.ts';
import { MS_PER_SECOND } from '../../core/job/limits.ts';
import { once } from '../../core/once.ts';
import type { NewEvent } from '../../core/topic/event.ts';
import { MAX_EVENT_BYTES, MAX_EVENT_REQUEST_BYTES } from '../../core/topic/limits.ts';
import { EVENT_TYPE, eventTypeError, GAP_TYPE } from '../../core/topic/names.ts';
import { readBytes, refuseEncoded, requestMediaType, tooLarge } from '../body.ts';
import { inBody, zodFaults } from '../faults.ts';
import { parseJson } from '../json-text.ts';
import { type Fault, shown } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { jsonDigest } from '../submit/fingerprint.ts';
import { invalidRequest, readOptions } from '../submit/options.ts';

export interface EventDraft {
	readonly event: NewEvent;
	readonly idempotency?: { readonly key: string; readonly digest: string };
}

const TYPE_HEADER = 'Coatcheck-Event-Type';
const STRUCTURED = 'application/cloudevents+json';
const ARRIVAL_MS = 30 * MS_PER_SECOND;
/** Maximum length of a CloudEvent's source and id together. */
const MAX_SOURCE_AND_ID_CHARS = 1_024;

/** The content of an event, and the parts that an idempotency key stands for. */
interface Content {
	readonly data?: string;
	readonly dataBase64?: string;
	readonly mediaType?: string;
	readonly identity: unknown;
}

/** @throws {Problem} `InvalidRequest` or `PayloadTooLarge`, with the position of the fault. */
export async function readEventDraft({ request, correlation }: RequestContext): Promise<EventDraft> {
	refuseEncoded(request);
	const { idempotencyKey, correlationId } = readPublishOptions(request.headers);
	const isStructured = requestMediaType(request) === STRUCTURED;
	const { type, id, content } = await (isStructured ? readStructured(request) : readBinary(request));
	const { identity, ...data } = content;
	const event = defined({ type, correlationId: correlationId ?? correlation.correlationId, ...data });
	// Two keys of different kinds must never be equal.
	const key = idempotencyKey === undefined ? id && `c${id}` : `k${idempotencyKey}`;
	if (key === undefined) return { event };
	return { event, idempotency: { key, digest: jsonDigest({ type, identity, mediaType: data.mediaType ?? '' }) } };
}

/** The only options of an event. @throws {Problem} `InvalidRequest` for options of jobs, too. */
function readPublishOptions(headers: Headers) {
	const ours = new Headers();
	const faults: Fault[] = [];
	headers.forEach((value, name) => {
		if (name === 'idempotency-key' || name === 'x-correlation-id') ours.set(name, value);
		else if (name.startsWith('coatcheck-') && name !== TYPE_HEADER.toLowerCase())
			faults.push({ header: name, message: 'unknown header' });
	});
	if (faults.length > 0) throw invalidRequest('The headers are not valid', faults);
	return readOptions(ours);
}

interface ReadEvent {
	readonly type: string;
	/** Source and id of a CloudEvent, which identify it (CloudEvents §3.1). */
	readonly id?: string;
	readonly content: Content;
}

/** The body is the data, and the type is in a header. */
async function readBinary(request: Request): Promise<ReadEvent> {
	const { headers } = request;
	const version = headers.get('ce-specversion');
	if (version !== null && version !== '1.0')
		throw invalidHeader('ce-specversion', `expected 1.0, got: ${shown(version)}`);
	const ours = headers.get(TYPE_HEADER);
	const theirs = headers.get('ce-type');
	if (ours !== null && theirs !== null && ours !== theirs)
		throw invalidHeader(TYPE_HEADER, 'expected the same type as in ce-type, or only one of both headers');
	const type = checkType(ours ?? theirs ?? '', (message) => ({
		header: theirs === null ? TYPE_HEADER : 'ce-type',
		message,
	}));
	const id = cloudEventId(headers.get('ce-source'), headers.get('ce-id'));
	const bytes = await readBytes(request, MAX_EVENT_BYTES, { arrivalMs: ARRIVAL_MS });
	if (bytes.byteLength === 0) return defined({ type, id, content: { identity: null } });
	if (isJson(requestMediaType(request))) return defined({ type, id, content: jsonContent(parseJson(bytes)) });
	const mediaType = headers.get('content-type') ?? 'application/octet-stream';
	return defined({ type, id, content: bytesContent(Buffer.from(bytes).toString('base64'), mediaType) });
}

const Structured = once(() =>
	z.looseObject({
		specversion: z.literal('1.0', 'expected "1.0"'),
		type: z.string('expected a string'),
		source: z.string('expected a string'),
		id: z.string('expected a string'),
		datacontenttype: z.string('expected a string').optional(),
		data: z.unknown(),
		data_base64: z.base64('expected base64').optional(),
	}),
);

/** The body is the whole CloudEvent (CloudEvents JSON format §3). */
async function readStructured(request: Request): Promise<ReadEvent> {
	const bytes = await readBytes(request, MAX_EVENT_REQUEST_BYTES, { arrivalMs: ARRIVAL_MS });
	const parsed = Structured().safeParse(parseJson(bytes));
	if (!parsed.success) throw invalidRequest('The CloudEvent is not valid', zodFaults(parsed.error, inBody()));
	const { type: named, source, id: name, data, data_base64: base64, datacontenttype } = parsed.data;
	const type = checkType(named, (message) => ({ pointer: '/type', message }));
	const id = cloudEventId(source, name);
	if (base64 !== undefined) {
		const sizeBytes = Buffer.byteLength(base64, 'base64');
		if (sizeBytes > MAX_EVENT_BYTES) throw tooLarge(MAX_EVENT_BYTES, sizeBytes);
		return defined({ type, id, content: bytesContent(base64, datacontenttype ?? 'application/octet-stream') });
	}
	const content: Content = data === undefined ? { identity: null } : jsonContent(data);
	const sizeBytes = Buffer.byteLength(content.data ?? '');
	if (sizeBytes > MAX_EVENT_BYTES) throw tooLarge(MAX_EVENT_BYTES, sizeBytes);
	return defined({ type, id, content });
}

function jsonContent(value: unknown): Content {
	return { data: JSON.stringify(value), identity: value };
}

function bytesContent(dataBase64: string, mediaType: string): Content {
	return { dataBase64, mediaType, identity: dataBase64 };
}

function checkType(type: string, locate: (message: string) => Fault): string {
	const isValid = EVENT_TYPE.test(type);
	if (isValid && type !== GAP_TYPE) return type;
	const message = isValid
		? `expected another type: only the service sends "${GAP_TYPE}"`
		: `${eventTypeError}, got: ${type === '' ? 'none' : shown(type)}`;
	throw invalidRequest(`The event's type is not valid: ${message}`, [locate(message)]);
}

function cloudEventId(source: string | null, id: string | null): string | undefined {
	if (id === null) return undefined;
	const key = JSON.stringify([source ?? '', id]);
	if (key.length <= MAX_SOURCE_AND_ID_CHARS) return key;
	throw invalidHeader('ce-id', `expected source and id of at most ${MAX_SOURCE_AND_ID_CHARS} characters together`);
}

function invalidHeader(header: string, message: string): Error {
	return invalidRequest(`${header}: ${message}`, [{ header, message }]);
}
