/** Queue between callbacks and an awaiting reader. It keeps the items in order. */
import { orAborted, startTimer } from '../wait.ts';

export class Inbox<Item> {
	readonly #items: Item[] = [];
	#wake: (() => void) | undefined;

	put(item: Item): void {
		this.#items.push(item);
		this.#wake?.();
	}

	/** Returns the next item; `undefined` when none arrived within `ms` milliseconds. @throws the signal's reason. */
	async take(ms: number, signal: AbortSignal): Promise<Item | undefined> {
		signal.throwIfAborted();
		if (this.#items.length === 0) await this.#news(ms, signal);
		return this.#items.shift();
	}

	#news(ms: number, signal: AbortSignal): Promise<undefined> {
		return orAborted(signal, (resolve) => {
			this.#wake = () => resolve(undefined);
			const stopTimer = startTimer(this.#wake, ms);
			return () => {
				this.#wake = undefined;
				stopTimer();
			};
		});
	}
}
