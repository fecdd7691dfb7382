/** What happens to a job, or an operation, to be read with `for await`. */
import type { JobEvent } from './document.ts';

/**
 * A generator's own `return` waits for the event that is being waited for. This one doesn't: it ends that wait, and the
 * socket and the timers with it.
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
