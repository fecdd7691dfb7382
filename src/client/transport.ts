/**
 * A way to be told what happens to a job. The three of them say the same things in the same words, so that whoever follows a
 * job need not know which one it is, and can go on on another.
 */
import type { JobEvent, StatusDocument } from './document.ts';

/** Whatever reaches us from the server. Each shows that the way to it is open. */
export type Sign =
	/** Nothing but life: a heartbeat, a pong. */
	| { readonly is: 'life' }
	| { readonly is: 'event'; readonly event: JobEvent }
	/** The last one: the server has nothing after our cursor, and never will. */
	| { readonly is: 'over' }
	/** The last one: the server took its leave, as it does after the last event, and now and then before. */
	| { readonly is: 'closed'; readonly retryAfterMs?: number | undefined }
	/** The last one: ask again, not sooner than this. */
	| {
			readonly is: 'again';
			readonly retryAfterMs?: number | undefined;
			/** The answer was held until there was something to say, or the time was over: ask again at once. */
			readonly isHeld?: boolean;
			/** How the job is, for a reader that has all its events and not the job. */
			readonly job?: StatusDocument;
	  };

/** How far a reader has come. */
export interface Position {
	/** The `seq` of the last event it has; `undefined`: begin with the job as it is now. */
	readonly after: number | undefined;
	/** The job as of that event; `undefined` before the first. */
	readonly job: StatusDocument | undefined;
}

/** @throws {TransportError} {@link ProblemError} when it doesn't work, or no longer; {@link ProtocolError} for nonsense. */
export type Transport = (position: Position, signal: AbortSignal) => AsyncIterable<Sign>;

export const LIFE: Sign = { is: 'life' };
