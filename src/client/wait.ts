/** Waits that can be aborted, and then release their timers and listeners. */
import { MAX_TIMER_MS } from './limits.ts';

/** @throws the signal's reason. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
	if (ms > 0) await orAborted<undefined>(signal, (resolve) => startTimer(() => resolve(undefined), ms));
	signal.throwIfAborted();
}

/** Awaits a promise until the signal fires. The promise itself continues. @throws the signal's reason. */
export function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
	if (!signal) return promise;
	return orAborted(signal, (resolve, reject) => {
		promise.then(resolve, reject);
		return () => {};
	});
}

/** A new signal for each call without one, so that no listeners accumulate on it. */
export function unaborted(): AbortSignal {
	return new AbortController().signal;
}

/** @param start begins the wait, and returns a function that undoes it. */
export function orAborted<Value>(
	signal: AbortSignal,
	start: (resolve: (value: Value) => void, reject: (error: unknown) => void) => () => void,
): Promise<Value> {
	let undo = () => {};
	return new Promise<Value>((resolve, reject) => {
		signal.throwIfAborted();
		const rejectOnAbort = () => reject(signal.reason);
		signal.addEventListener('abort', rejectOnAbort);
		const stop = start(resolve, reject);
		undo = () => {
			signal.removeEventListener('abort', rejectOnAbort);
			stop();
		};
	}).finally(() => undo());
}

/** @param ms may be infinite. @returns a function that stops the timer. */
export function startTimer(fire: () => void, ms: number): () => void {
	const timer = setTimeout(fire, Math.min(ms, MAX_TIMER_MS));
	return () => clearTimeout(timer);
}
