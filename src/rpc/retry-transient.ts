/** Repeats calls to objects. An object may be unreachable for seconds: a deploy, a crash, a move to another machine. */
import { doubledMs } from '../core/http/doubling-wait.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';

/** Maximum time for repeating a failed call. */
export const CALL_PATIENCE_MS = 2 * MS_PER_SECOND;
/** The wait before the second try is at most `first`; each later one at most twice as long, up to `max`. */
const RETRY_WAIT_MS = { first: 100, max: 10 * MS_PER_SECOND } as const;

/** The duration of retries. */
export interface Patience {
	/**
	 * Repeat after every error until this time, in milliseconds since the epoch. Default: repeat for
	 * {@link CALL_PATIENCE_MS}, and only errors that the platform marks as retryable.
	 */
	readonly untilMs?: number | undefined;
}

/** The marks that the platform puts on its errors. */
interface PlatformError {
	readonly retryable?: boolean;
	readonly overloaded?: boolean;
	/** The object was reset during the call. It restarts for the next one. */
	readonly durableObjectReset?: boolean;
}

/**
 * Calls until a call succeeds or patience ends, with growing, jittered waits.
 *
 * @param call makes a fresh stub each time: a stub that has failed once keeps failing.
 * @throws the last error.
 */
export async function retryTransient<T>(call: () => Promise<T>, { untilMs }: Patience = {}): Promise<T> {
	const endsAt = untilMs ?? Date.now() + CALL_PATIENCE_MS;
	for (let tries = 1; ; tries++) {
		try {
			return await call();
		} catch (error) {
			const waitMs = retryWaitMs(tries, Math.random());
			// With a deadline, every error is retried, because some transient platform errors carry no mark.
			const mayRepeat = untilMs !== undefined || isRetryable(error);
			if (!mayRepeat || Date.now() + waitMs > endsAt) throw error;
			await scheduler.wait(waitMs);
		}
	}
}

/** The wait after the given number of tries, in milliseconds. @param random in [0, 1). */
export function retryWaitMs(tries: number, random: number): number {
	const longestMs = doubledMs(RETRY_WAIT_MS, tries - 1);
	return Math.ceil((longestMs * (1 + random)) / 2);
}

/** Errors of an object that shuts down carry no mark. */
const SHUTDOWN = /reset because its code was updated|instance is no longer active/;
/** workerd 1.20261023.1 throws a TypeError without a mark: `The RPC receiver does not implement the method "readJob".` */
const OUTDATED = /^The RPC receiver does not implement the method "/;

/** Whether an object is only temporarily unreachable. */
export function isTransientFailure(error: unknown): boolean {
	return isRetryable(error) || isOverloaded(error);
}

function isShutdown(error: unknown): boolean {
	return error instanceof Error && SHUTDOWN.test(error.message);
}

/**
 * Whether the object still runs the code of the version before this one, and lacks the method that was called. The deploy
 * restarts it soon.
 */
export function isOutdated(error: unknown): boolean {
	return error instanceof Error && OUTDATED.test(error.message);
}

function isRetryable(error: unknown): boolean {
	const { retryable = false, overloaded = false, durableObjectReset = false } = (error ?? {}) as PlatformError;
	return ((retryable || durableObjectReset) && !overloaded) || isShutdown(error) || isOutdated(error);
}

/** Whether the platform rejected a call because of overload. An immediate retry makes it worse. */
export function isOverloaded(error: unknown): boolean {
	return error instanceof Error && (error as PlatformError).overloaded === true;
}
