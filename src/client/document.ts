/**
 * Checks the server's documents as far as this client relies on them. It ignores all other fields, so that a newer server may
 * send more.
 */
import { isObject } from '../core/http/json.ts';
import type { Phase, StatusDocument as SentDocument, JobEvent as SentEvent } from '../core/job/document.ts';
import { ProtocolError } from './errors.ts';

/** A closed set: a server that sends any other status is not Coatcheck. */
const STATUSES = ['pending', 'running', 'succeeded', 'failed', 'canceled'] as const satisfies SentDocument['status'][];
const TYPES = [
	'snapshot',
	'accepted',
	'started',
	'progress',
	'retrying',
	'succeeded',
	'failed',
	'canceled',
] as const satisfies SentEvent['type'][];

/** A job at one moment. Times are RFC 3339. */
export type StatusDocument = Omit<SentDocument, 'phase'> & {
	/** More detailed than the status. New phases may be added: ignore those you don't know. */
	readonly phase: Phase | (string & Record<never, never>);
};

/** An event of a job. `seq` increases, and is the same on every transport. */
export type JobEvent = Omit<SentEvent, 'job'> & { readonly job: StatusDocument };

export function isOver({ status }: Pick<StatusDocument, 'status'>): boolean {
	return status === 'succeeded' || status === 'failed' || status === 'canceled';
}

/** @throws {ProtocolError} when the value is not a status document, or its status is unknown. */
export function parseStatusDocument(value: unknown): StatusDocument {
	if (!isObject(value)) throw unexpected('a status document', value);
	if (!isOneOf(STATUSES, value.status)) throw unexpected(`a status of ${STATUSES.join(', ')}`, value.status);
	if (typeof value.id !== 'string') throw unexpected('the id of a job', value.id);
	if (!Number.isSafeInteger(value.seq)) throw unexpected('a seq', value.seq);
	return value as unknown as StatusDocument;
}

/** @returns `undefined` for a type that this version doesn't know. @throws {ProtocolError} when the value is not an event. */
export function parseEvent(value: unknown): JobEvent | undefined {
	if (!isObject(value) || !Number.isSafeInteger(value.seq)) throw unexpected('an event with a seq', value);
	parseStatusDocument(value.job);
	return isOneOf(TYPES, value.type) ? (value as unknown as JobEvent) : undefined;
}

/** @throws {ProtocolError} */
export function parseResponseText(json: string): unknown {
	try {
		return JSON.parse(json) as unknown;
	} catch (cause) {
		throw unexpected('JSON', json, { cause });
	}
}

function isOneOf<Value extends string>(values: readonly Value[], value: unknown): value is Value {
	return (values as readonly unknown[]).includes(value);
}

const MAX_SHOWN_CHARS = 60;

/** @param expected ends the words "Expected …, got: …". */
export function unexpected(expected: string, value: unknown, options?: ErrorOptions): ProtocolError {
	const text = JSON.stringify(value) ?? 'nothing';
	const shown = text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
	return new ProtocolError(`Expected ${expected}, got: ${shown}`, options);
}
