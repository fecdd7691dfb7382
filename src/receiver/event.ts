/** The delivered event in one form, whichever format the webhook has: CloudEvents 1.0. */
import type { StatusDocument } from '../client/document.ts';
import { defined } from '../core/defined.ts';
import { isObject } from '../core/http/json.ts';
import { essence, isJson } from '../core/http/media-type.ts';
import { DeliveryRejected } from './rejected.ts';

/** An event as a CloudEvent. */
export interface DeliveredEvent<Type extends string = string, Data = unknown> {
	readonly specversion: '1.0';
	/** The same for every try of a delivery: handle each id once. */
	readonly id: string;
	/** `job.succeeded`, or the type of a topic's event. */
	readonly type: Type;
	/** The URL of the job or of the topic. The format `standard` has none for events of topics. */
	readonly source?: string;
	/** The job's id. */
	readonly subject?: string;
	/** When it happened, in RFC 3339. */
	readonly time: string;
	/**
	 * The status document of the job. For a topic's event, the data as it was published, or the whole event in the format `standard`. Bytes
	 * are a `Uint8Array`.
	 */
	readonly data: Data;
}

export type JobEventType =
	`job.${'accepted' | 'started' | 'progress' | 'retrying' | 'succeeded' | 'failed' | 'canceled'}`;

export type JobDelivery = DeliveredEvent<JobEventType, StatusDocument>;

/** A message whose signature is right. */
export interface VerifiedMessage {
	readonly id: string;
	readonly header: (name: string) => string | undefined;
	readonly bytes: Uint8Array;
	readonly text: string;
}

/** Whether the event is a job's. Its `data` is the status document at that moment. */
export function isJobEvent(event: DeliveredEvent): event is JobDelivery {
	const { type, data } = event;
	return type.startsWith('job.') && isObject(data) && typeof data.status === 'string' && isObject(data.links);
}

/** @throws {DeliveryRejected} `InvalidBody` or `InvalidHeader`. */
export function readEvent(message: VerifiedMessage): DeliveredEvent {
	return message.header('ce-specversion') === undefined ? readStandard(message) : readCloudEvent(message);
}

function readStandard({ id, text }: VerifiedMessage): DeliveredEvent {
	const body = parseSignedJson(text);
	if (!isObject(body) || typeof body.type !== 'string' || typeof body.timestamp !== 'string')
		throw new DeliveryRejected('InvalidBody', 'Expected a body with type, timestamp and data');
	const event: DeliveredEvent = { specversion: '1.0', id, type: body.type, time: body.timestamp, data: body.data };
	return isJobEvent(event)
		? { ...event, source: event.data.links.self.replace(/\?.*$/, ''), subject: event.data.id }
		: event;
}

/** The binary mode of CloudEvents: attributes in headers, the data in the body. */
function readCloudEvent({ id, header, bytes, text }: VerifiedMessage): DeliveredEvent {
	const attribute = (name: string): string => {
		const value = header(name);
		if (value === undefined) throw new DeliveryRejected('InvalidHeader', `Expected the header ${name}`);
		return value;
	};
	// The signature covers only this id, so the attributes must belong to the same message.
	if (attribute('ce-id') !== id) throw new DeliveryRejected('InvalidHeader', 'ce-id: expected the webhook-id');
	const attributes = defined({
		specversion: '1.0',
		id,
		type: attribute('ce-type'),
		source: attribute('ce-source'),
		subject: header('ce-subject'),
		time: attribute('ce-time'),
	});
	return { ...attributes, data: readData(header('content-type'), bytes, text) };
}

function readData(mediaType: string | undefined, bytes: Uint8Array, text: string): unknown {
	if (bytes.byteLength === 0) return undefined;
	return isJson(essence(mediaType ?? null)) ? parseSignedJson(text) : bytes;
}

function parseSignedJson(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch (cause) {
		throw new DeliveryRejected('InvalidBody', 'Expected JSON', { cause });
	}
}
