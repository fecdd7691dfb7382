/** The events of a job, or the states of an operation, to be read with `for await`. */
import type { JobEvent } from '../document.ts';

/**
 * A generator's own `return` waits until the pending `next` settles. This one aborts that wait, and releases its socket and
 * timers.
 */
export class EventStream<Item = JobEvent> implements AsyncIterableIterator<Item> {
	readonly #stop = new AbortController();
	readonly #events: AsyncGenerator<Item, void>;

	constructor(events: (signal: AbortSignal) => AsyncGenerator<Item, void>, signal: AbortSignal | undefined) {
		this.#events = events(signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal);
	}

	async next(): Promise<IteratorResult<Item, undefined>> {
		try {
			const { done, value } = await this.#events.next();
			return done ? { done, value: undefined } : { done: false, value };
		} catch (error) {
			if (this.#stop.signal.aborted) return { done: true, value: undefined };
			throw error;
		}
	}

	async return(): Promise<IteratorResult<Item, undefined>> {
		this.#stop.abort();
		await this.#events.return().catch(() => {});
		return { done: true, value: undefined };
	}

	[Symbol.asyncIterator](): this {
		return this;
	}
}
