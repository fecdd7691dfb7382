/** Queue between callbacks and an awaiting reader. It keeps the items in order. */
import { orAborted, startTimer } from '../wait.ts';

export class Inbox<Item> {
	readonly #items: { readonly item: Item; readonly size: number }[] = [];
	#wake: (() => void) | undefined;
	#waiting = 0;

	/** The sizes of the items that wait, together. */
	get waiting(): number {
		return this.#waiting;
	}

	put(item: Item, size = 0): void {
		this.#items.push({ item, size });
		this.#waiting += size;
		this.#wake?.();
	}

	/** Returns the next item; `undefined` when none arrived within `ms` milliseconds. @throws the signal's reason. */
	async take(ms: number, signal: AbortSignal): Promise<Item | undefined> {
		signal.throwIfAborted();
		if (this.#items.length === 0) await this.#news(ms, signal);
		const next = this.#items.shift();
		this.#waiting -= next?.size ?? 0;
		return next?.item;
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
