/** A call to an object or a queue may hang for minutes. Whoever must go on without its answer gives it a timeout. */

/** @throws an error that says so, if the promise is not settled in time. What it stands for may still happen. */
export async function withTimeout<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
	const { promise: timeout, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error(`no response within ${timeoutMs} ms`)), timeoutMs);
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}
