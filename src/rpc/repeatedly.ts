/** Calls of objects that are made again when the platform says that it may help. */

/** So often in all. */
const MAX_TRIES = 3;
/** Before the second try; before the third twice as long. */
const RETRY_WAIT_MS = 50;

/** What the platform's errors say of themselves. */
interface PlatformError {
	readonly retryable?: boolean;
	readonly overloaded?: boolean;
}

/** @param call makes a fresh stub each time: one that has failed is not to be used again. */
export async function repeatedly<T>(call: () => Promise<T>): Promise<T> {
	for (let tried = 1; ; tried++) {
		try {
			return await call();
		} catch (error) {
			const { retryable = false, overloaded = false } = error as PlatformError;
			if (!retryable || overloaded || tried >= MAX_TRIES) throw error;
			await scheduler.wait(RETRY_WAIT_MS * tried);
		}
	}
}

/** Whether the platform turned a call away because there is too much to do. Asking again at once makes it worse. */
export function isOverloaded(error: unknown): boolean {
	return error instanceof Error && (error as PlatformError).overloaded === true;
}
