/** `canceled` and `stale` are orders of the job's object. */
export type StopReason = 'timeout' | 'canceled' | 'stale';

export interface Stopped {
	readonly type: 'stopped';
	readonly reason: StopReason;
}

/** Stops an attempt before its work has ended: aborts its signal, and resolves `stopped`. The first reason counts. */
export class AttemptStop {
	readonly #controller = new AbortController();
	readonly #stopped = Promise.withResolvers<Stopped>();

	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	/** Stays pending if the attempt is never stopped. */
	get stopped(): Promise<Stopped> {
		return this.#stopped.promise;
	}

	stop(reason: StopReason): void {
		this.#stopped.resolve({ type: 'stopped', reason });
		this.#controller.abort(new DOMException(`The attempt was stopped: ${reason}`, 'AbortError'));
	}
}
