/**
 * A topic's events: as text, because a topic passes on what it was given and never looks into it.
 *
 * An event is stored as a line: its JSON without the opening brace and its number. Readers get the brace, the number and the
 * line. Both are contracts: fields are only added, and a field without a value is left out.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { GAP_TYPE } from './names.ts';

/** An event as readers get it. */
export interface TopicEvent {
	readonly seq: number;
	readonly type: string;
	/** RFC 3339. */
	readonly at: string;
	readonly correlationId?: string;
	/** Left out when the event has bytes, or no data at all. */
	readonly data?: unknown;
	/** The bytes of an event whose data is not JSON, with their media type. */
	readonly dataBase64?: string;
	readonly mediaType?: string;
	/** A reply's only: the number of task subscriptions of each topic that led to it, added up: at least one for each job. */
	readonly hops?: number;
}

/** An event to append. */
export interface NewEvent {
	readonly type: string;
	readonly correlationId?: string;
	/** When it happened, in milliseconds since the epoch. Default: now. */
	readonly at?: number;
	/** JSON. */
	readonly data?: string;
	readonly dataBase64?: string;
	readonly mediaType?: string;
	readonly hops?: number;
}

/** The events that a reader wants: those that match every member. */
export interface EventFilter {
	/** One of these types. */
	readonly types?: readonly string[] | undefined;
	readonly correlationId?: string | undefined;
}

/** The line of an event. The type and the correlation id come first, so that a filter needs no parser. */
export function eventLine(event: NewEvent, now: number): string {
	const { type, correlationId, at, hops, data, dataBase64, mediaType } = event;
	const members = [
		`"type":${JSON.stringify(type)}`,
		correlationId === undefined ? '' : `"correlationId":${JSON.stringify(correlationId)}`,
		`"at":"${new Date(at ?? now).toISOString()}"`,
		hops === undefined ? '' : `"hops":${hops}`,
		data === undefined ? '' : `"data":${data}`,
		mediaType === undefined ? '' : `"mediaType":${JSON.stringify(mediaType)}`,
		dataBase64 === undefined ? '' : `"dataBase64":"${dataBase64}"`,
	];
	return `${members.filter(Boolean).join(',')}}`;
}

/** The event of a line, as readers get it. */
export function eventText(seq: number, line: string): string {
	return `{"seq":${seq},${line}`;
}

/**
 * Tells a reader that the events after its cursor are gone, up to the one before `first`. Its number is the last of those, so
 * that a reader which has it continues with `first`.
 */
export function gapText({ after, first }: { readonly after: number; readonly first: number }, now: number): string {
	const data = JSON.stringify({ after, first });
	return eventText(first - 1, eventLine({ type: GAP_TYPE, data }, now));
}

/**
 * Tells a reader its place: it has all events up to this number, those that its filter excludes among them. It is no event, and goes to
 * readers that ask for it. A contract, too: an event has `seq`, and this has not.
 */
export function placeText(lastSeq: number): string {
	return JSON.stringify({ lastSeq });
}

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const HEAD = new RegExp(`^"type":(${STRING})(?:,"correlationId":(${STRING}))?`);

/** Compiles a filter of lines. */
export function lineFilter({ types, correlationId }: EventFilter): (line: string) => boolean {
	if (types === undefined && correlationId === undefined) return () => true;
	const wantedTypes = types && new Set(types.map((type) => JSON.stringify(type)));
	const wantedId = correlationId === undefined ? undefined : JSON.stringify(correlationId);
	return (line) => {
		const [, type = '', id] = HEAD.exec(line) ?? [];
		return (wantedTypes?.has(type) ?? true) && (wantedId === undefined || wantedId === id);
	};
}
