/** The delivered event in one form, whichever format the webhook has: CloudEvents 1.0. */
import type { StatusDocument } from '../client/document.ts';
import { isObject } from '../core/http/json.ts';
import { essence, isJson } from '../core/http/media-type.ts';
import { DeliveryRejected } from './rejected.ts';

/** An event as a CloudEvent. */
export interface DeliveredEvent<Type extends string = string, Data = unknown> {
	readonly specversion: '1.0';
	/** The same for every try of a delivery: handle each id once. */
	readonly id: string;
	/** `job.succeeded`, or the type of a topic's event. Not signed for a topic's event in the format `cloudevents`. */
	readonly type: Type;
	/** The URL of the job, or of the topic in the format `cloudevents`, where it is not signed. */
	readonly source?: string;
	/** The job's id. */
	readonly subject?: string;
	/** When it happened, in RFC 3339. Not signed in the format `cloudevents`. */
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
}

const FINAL_STATUSES: readonly unknown[] = ['succeeded', 'failed', 'canceled'] satisfies StatusDocument['status'][];
const UNFINISHED_STATUSES: readonly unknown[] = ['pending', 'running'] satisfies StatusDocument['status'][];
const UNFINISHED_TYPES: readonly string[] = [
	'job.accepted',
	'job.started',
	'job.progress',
	'job.retrying',
] satisfies JobEventType[];

/**
 * Whether the event is a job's. Its `data` is the status document at that moment.
 *
 * Only what the signature covers decides: the message's id begins with the job's, which no message of a topic does whatever was
 * published, and the type is one that a job with this status has.
 */
export function isJobEvent(event: DeliveredEvent): event is JobDelivery {
	const { id, type, data } = event;
	return isStatusDocument(id, data) && agrees(type, data.status);
}

/** Whether the data is the status document of the job that the message's id names. */
function isStatusDocument(messageId: string, data: unknown): data is StatusDocument {
	if (!isObject(data) || !isObject(data.links) || typeof data.links.self !== 'string') return false;
	const [, jobId] = /^([0-9a-f]{64})(?::\d+){1,2}$/.exec(messageId) ?? [];
	if (jobId === undefined || data.id !== jobId) return false;
	return FINAL_STATUSES.includes(data.status) || UNFINISHED_STATUSES.includes(data.status);
}

function agrees(type: string, status: StatusDocument['status']): boolean {
	return FINAL_STATUSES.includes(status) ? type === `job.${status}` : UNFINISHED_TYPES.includes(type);
}

const aboutJob = (job: StatusDocument) => ({ source: job.links.self.replace(/\?.*$/, ''), subject: job.id });

/** @throws {DeliveryRejected} `InvalidBody` or `InvalidHeader`. */
export function readEvent(message: VerifiedMessage): DeliveredEvent {
	return message.header('ce-specversion') === undefined ? readStandard(message) : readCloudEvent(message);
}

function readStandard({ id, bytes }: VerifiedMessage): DeliveredEvent {
	const body = parseSignedJson(bytes);
	if (!isObject(body) || typeof body.type !== 'string' || typeof body.timestamp !== 'string')
		throw new DeliveryRejected('InvalidBody', 'Expected a body with type, timestamp and data');
	const event: DeliveredEvent = { specversion: '1.0', id, type: body.type, time: body.timestamp, data: body.data };
	return isJobEvent(event) ? { ...event, ...aboutJob(event.data) } : event;
}

/** The binary mode of CloudEvents: attributes in headers, the data in the body. */
function readCloudEvent({ id, header, bytes }: VerifiedMessage): DeliveredEvent {
	const attribute = (name: string): string => {
		const value = header(name);
		if (value === undefined) throw new DeliveryRejected('InvalidHeader', `Expected the header ${name}`);
		return value;
	};
	// The signature covers the id and no attribute, so they must belong to the same message.
	if (attribute('ce-id') !== id) throw new DeliveryRejected('InvalidHeader', 'ce-id: expected the webhook-id');
	const [type, source, time] = [attribute('ce-type'), attribute('ce-source'), attribute('ce-time')];
	const event = { specversion: '1.0', id, type, source, time, data: readData(header('content-type'), bytes) } as const;
	if (!isStatusDocument(id, event.data)) return event;
	const { status } = event.data;
	if (!agrees(type, status))
		throw new DeliveryRejected('InvalidHeader', `ce-type: expected an event after which a job is ${status}`);
	return { ...event, ...aboutJob(event.data) };
}

function readData(mediaType: string | undefined, bytes: Uint8Array): unknown {
	if (bytes.byteLength === 0) return undefined;
	return isJson(essence(mediaType ?? null)) ? parseSignedJson(bytes) : bytes;
}

function parseSignedJson(bytes: Uint8Array): unknown {
	try {
		return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown;
	} catch (cause) {
		throw new DeliveryRejected('InvalidBody', 'Expected JSON', { cause });
	}
}
