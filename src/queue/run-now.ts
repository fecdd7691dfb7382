/**
 * Runs first attempts in the Worker that accepted their jobs: the lane `now`. A job needs no message then. Its object sends
 * one if the attempt is lost, as for every job.
 */
import { defined } from '../core/defined.ts';
import { MS_PER_SECOND, NOW_LANE } from '../core/job/limits.ts';
import type { JobMessage } from '../core/job/message.ts';
import type { Report } from '../core/job/object-api.ts';
import { logError } from '../log.ts';
import { type Handlers, toDelaySeconds } from './consume.ts';
import type { Lanes } from './lanes.ts';
import { sendMessage } from './send.ts';

/** Maximum number of such attempts at once in an isolate: as many as a batch of lane `jobs` has. */
export const NOW_ATTEMPTS_AT_ONCE = 20;
/**
 * The platform may end an invocation without a word. A place is free again after this time, which is longer than an
 * attempt and its report can take.
 */
const PLACE_LASTS_MS = 60 * MS_PER_SECOND;

/** The dependencies of an attempt that runs at once. */
export interface NowRunner {
	readonly lanes: Lanes;
	readonly work: Handlers['work'];
}

/** The message of a job that runs at once. */
export interface NowMessage {
	readonly message: JobMessage;
	/** Tells the list of the job, meanwhile. Resolves to whether the list knows it then. Left out where the list is off. */
	readonly tell?: () => Promise<boolean>;
}

/** The first attempts that run at once in one isolate. */
export class AttemptsNow {
	/** When each place was taken, in milliseconds since the epoch. */
	readonly #taken = new Map<symbol, number>();

	/**
	 * Runs a durable job's first attempt, if a place is free.
	 *
	 * @returns `undefined` when no place is free: send the message then. Else a promise that never rejects, and resolves to
	 * whether the attempt was the last one, as far as its Worker knows.
	 */
	run({ lanes, work }: NowRunner, { message, tell }: NowMessage): Promise<boolean> | undefined {
		const place = this.#takePlace(Date.now());
		if (place === undefined) return undefined;
		// An attempt that is never heard of again is noticed by its job, which sends a message then.
		const attempt = work(defined({ message, isRepeat: false, isShared: true, isListed: tell?.() }))
			.catch((error: unknown): Report => {
				logError('attempt not reported', { job: message.id, error });
				return { retryInMs: 0 };
			})
			.finally(() => this.#taken.delete(place));
		return attempt.then(async ({ retryInMs, refusal, lane = NOW_LANE, next = message }) => {
			if (retryInMs !== undefined) await sendMessage({ lanes, lane }, next, toDelaySeconds(retryInMs));
			return retryInMs === undefined && refusal === undefined;
		});
	}

	#takePlace(now: number): symbol | undefined {
		for (const [place, takenAt] of this.#taken) {
			// A clock that was set back must not keep a place.
			if (Math.abs(now - takenAt) > PLACE_LASTS_MS) this.#taken.delete(place);
		}
		if (this.#taken.size >= NOW_ATTEMPTS_AT_ONCE) return undefined;
		const place = Symbol('place');
		this.#taken.set(place, now);
		return place;
	}
}
