/**
 * A transport for a job's events. All three yield the same signs, so a reader can switch between them without missing an event.
 */
import type { JobEvent, StatusDocument } from '../document.ts';
import type { Http } from '../http.ts';
import type { JobUrls } from '../job-urls.ts';

/** A sign from the server. Each one shows that the connection works. */
export type TransportMessage =
	/** A sign of life only: a heartbeat or a pong. */
	| { readonly type: 'life' }
	| { readonly type: 'event'; readonly event: JobEvent }
	/** The last sign: the server has no events after our cursor, and will have none. */
	| { readonly type: 'over' }
	/** The last sign: the server closed the connection, as it does after the last event, and sometimes earlier. */
	| { readonly type: 'closed'; readonly retryAfterMs?: number | undefined }
	/** The last sign: ask again, not sooner than `retryAfterMs`. */
	| {
			readonly type: 'again';
			readonly retryAfterMs?: number | undefined;
			/** The server held the response until something changed, or the time limit was reached: ask again at once. */
			readonly isHeld?: boolean;
			/** The job's status, for a reader that has all events but not the job. */
			readonly job?: StatusDocument;
	  };

/** A job, and the HTTP client that reads it. */
export interface JobSource {
	readonly http: Http;
	readonly urls: JobUrls;
}

/** A reader's position in the events. */
export interface Position {
	/** The `seq` of the last event the reader has; `undefined` to begin with the current job. */
	readonly after: number | undefined;
	/** The job as of that event; `undefined` before the first. */
	readonly job: StatusDocument | undefined;
}

/** @throws {TransportError} {@link ProblemError} when the transport fails; {@link ProtocolError} for malformed responses. */
export type Transport = (position: Position, signal: AbortSignal) => AsyncIterable<TransportMessage>;

export const LIFE: TransportMessage = { type: 'life' };
