/**
 * Which transport to use next, and how long to wait before. Pure: it is given what came of the last session and says what to
 * do now.
 *
 * A transport that shows any sign of life is kept. One that shows none gives way to the next, at once; when the last has
 * failed, it all begins again from the first, later each time.
 */
import { MAX_SILENT_ROUNDS, STEADY_MS } from './limits.ts';
import { nextWaitMs } from './waiting.ts';

export interface Course {
	/** Which of the transports, from 0. */
	readonly at: number;
	/** How often in a row every transport was tried in vain. */
	readonly silentRounds: number;
	/** How often in a row it was waited, and nothing was new. */
	readonly quiet: number;
}

/** What came of one session with a transport. */
export interface Session {
	/** Anything came from the server but the end of the session. */
	readonly isAlive: boolean;
	/** An event came that the reader didn't have. */
	readonly isNews: boolean;
	readonly lastedMs: number;
	/** The least the server asks to be left alone for, in milliseconds. */
	readonly retryAfterMs: number | undefined;
	/** The server refused because of too many requests. Default: false. */
	readonly isRateLimited?: boolean;
	/** The server held its answer until there was something to say. Default: false. */
	readonly isHeld?: boolean;
	/** A connection that had worked broke off, or was closed. Default: false. */
	readonly isLost?: boolean;
}

export const START: Course = { at: 0, silentRounds: 0, quiet: 0 };

/**
 * @param transports how many there are to choose from.
 * @param random a number in [0, 1).
 * @returns `undefined` when it is time to give up.
 */
export function nextCourse(
	{ at, silentRounds, quiet }: Course,
	session: Session,
	transports: number,
	random: number,
): { readonly course: Course; readonly waitMs: number } | undefined {
	const { isAlive, isNews, lastedMs, retryAfterMs, isLost } = session;
	const later = (course: Course) => ({
		course,
		waitMs: nextWaitMs({ quiet: course.quiet, retryAfterMs, random, isLost }),
	});
	if (session.isHeld) return { course: { at, silentRounds: 0, quiet: 0 }, waitMs: 0 };
	if (isAlive) return later({ at, silentRounds: 0, quiet: isNews || lastedMs >= STEADY_MS ? 0 : quiet + 1 });
	// A server may have no room for another watcher, and still answer polls.
	if (!session.isRateLimited && at + 1 < transports) {
		return { course: { at: at + 1, silentRounds, quiet }, waitMs: 0 };
	}
	if (silentRounds + 1 >= MAX_SILENT_ROUNDS) return undefined;
	return later({ at: 0, silentRounds: silentRounds + 1, quiet: quiet + 1 });
}
