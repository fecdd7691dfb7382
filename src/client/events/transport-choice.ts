/**
 * Chooses the next transport and the wait before it. Pure: it takes the outcome of the last session and returns the next step.
 *
 * A transport that shows any sign of life is kept. One that shows none is replaced by the next, without a wait. When the last
 * transport has failed, the first is tried again, with a longer wait each round.
 */
import { MAX_SILENT_ROUNDS, STEADY_MS } from '../limits.ts';
import { nextWaitMs } from '../waiting.ts';

export interface TransportChoice {
	/** Index of the transport, from 0. */
	readonly at: number;
	/** Number of consecutive rounds in which every transport failed. */
	readonly silentRounds: number;
	/** Number of consecutive waits after which nothing was new. */
	readonly quiet: number;
}

/** Outcome of one session with a transport. */
export interface Session {
	/** The server sent anything other than the end of the session. */
	readonly isAlive: boolean;
	/** An event arrived that the reader didn't have. */
	readonly isNews: boolean;
	readonly lastedMs: number;
	/** The shortest wait that the server asks for, in milliseconds. */
	readonly retryAfterMs: number | undefined;
	/** The server refused because of its rate limit. Default: false. */
	readonly isRateLimited?: boolean;
	/** The server held its response until something changed. Default: false. */
	readonly isHeld?: boolean;
	/** A working connection broke off, or was closed. Default: false. */
	readonly isLost?: boolean;
}

export const START: TransportChoice = { at: 0, silentRounds: 0, quiet: 0 };

export interface ChoiceTerms {
	/** Number of transports to choose from. */
	readonly transports: number;
	/** A number in [0, 1). */
	readonly random: number;
}

/** @returns `undefined` after too many failed rounds. */
export function nextTransport(
	{ at, silentRounds, quiet }: TransportChoice,
	session: Session,
	{ transports, random }: ChoiceTerms,
): { readonly course: TransportChoice; readonly waitMs: number } | undefined {
	const { isAlive, isNews, lastedMs, retryAfterMs, isLost } = session;
	const later = (course: TransportChoice) => ({
		course,
		waitMs: nextWaitMs({ quiet: course.quiet, retryAfterMs, random, isLost }),
	});
	if (session.isHeld) return { course: { at, silentRounds: 0, quiet: 0 }, waitMs: 0 };
	if (isAlive) return later({ at, silentRounds: 0, quiet: isNews || lastedMs >= STEADY_MS ? 0 : quiet + 1 });
	// A server may have no capacity for another watcher, and still answer polls.
	if (!session.isRateLimited && at + 1 < transports) {
		return { course: { at: at + 1, silentRounds, quiet }, waitMs: 0 };
	}
	if (silentRounds + 1 >= MAX_SILENT_ROUNDS) return undefined;
	return later({ at: 0, silentRounds: silentRounds + 1, quiet: quiet + 1 });
}
