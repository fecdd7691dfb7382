/**
 * A transport for events. All three yield the same signs, so a reader can switch between them without missing an event.
 */
import type { JobEvent, StatusDocument } from '../document.ts';

/** The part of an event that a transport needs. */
export interface NumberedEvent {
	readonly seq: number;
	/** Of a job's event: the job as of that event. */
	readonly job?: StatusDocument;
}

/** A sign from the server. Each one shows that the connection works. */
export type TransportMessage<Event = JobEvent> =
	/** A sign of life only: a heartbeat or a pong. */
	| { readonly type: 'life' }
	| { readonly type: 'event'; readonly event: Event }
	/** The cursor from which the reader goes on, when no event tells it: it has all events up to this number that it wants. */
	| { readonly type: 'place'; readonly after: number }
	/** The last sign: the server has no events after our cursor, and will have none. */
	| { readonly type: 'over' }
	/** The last sign: the server closed the connection, as it does after the last event, and sometimes earlier. */
	| { readonly type: 'closed'; readonly retryAfterMs?: number | undefined }
	/** The last sign: ask again, not sooner than `retryAfterMs`. */
	| {
			readonly type: 'again';
			readonly retryAfterMs?: number | undefined;
			/** The server held the response until something changed, or has more already: ask again at once. */
			readonly isHeld?: boolean;
			/** The job's status, for a reader that has all events but not the job. */
			readonly job?: StatusDocument;
			/** The cursor from which the reader goes on. Default: the last event. */
			readonly after?: number;
	  };

/** Events that can be followed: those of a job, or of a topic. */
export interface Feed<Event> {
	/** Without a cursor. */
	readonly socketUrl: string;
	readonly streamUrl: string;
	/** Reads a frame of a socket, or the data of a server-sent event. @throws {ProtocolError} */
	readonly parse: (text: string) => readonly TransportMessage<Event>[];
	/** Whether the server closes the connection after this event. */
	readonly isLast: (event: Event) => boolean;
	/** Loads the transport that works wherever HTTP does. */
	readonly loadPolling: () => Promise<Transport<Event>>;
}

/** A reader's position in the events. */
export interface Position {
	/** The `seq` of the last event the reader has; `undefined` to begin with the current job. */
	readonly after: number | undefined;
	/** The job as of that event; `undefined` before the first, and in a topic. */
	readonly job: StatusDocument | undefined;
}

/** @throws {TransportError} {@link ProblemError} when the transport fails; {@link ProtocolError} for malformed responses. */
export type Transport<Event = JobEvent> = (
	position: Position,
	signal: AbortSignal,
) => AsyncIterable<TransportMessage<Event>>;

export const LIFE = { type: 'life' } as const satisfies TransportMessage;

/** @param event `undefined` for one that this version doesn't know. */
export function toMessage<Event>(event: Event | undefined): TransportMessage<Event> {
	return event ? { type: 'event', event } : LIFE;
}
