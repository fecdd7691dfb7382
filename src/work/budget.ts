/**
 * Memory that the attempts in one isolate share: a batch runs many side by side, and each large JSON input is in memory
 * several times over while it is read and validated. Whoever doesn't fit waits for its turn; one that would never fit goes
 * when nobody else is there.
 */
export class MemoryBudget {
	readonly #totalBytes: number;
	#usedBytes = 0;
	readonly #waiting: (() => void)[] = [];

	constructor(totalBytes: number) {
		this.#totalBytes = totalBytes;
	}

	/** Runs `work` when there is room for it, and gives the room back when it is over. */
	async use<T>(sizeBytes: number, work: () => Promise<T>): Promise<T> {
		const bytes = Math.min(sizeBytes, this.#totalBytes);
		while (this.#usedBytes + bytes > this.#totalBytes) {
			const { promise, resolve } = Promise.withResolvers<void>();
			this.#waiting.push(resolve);
			await promise;
		}
		this.#usedBytes += bytes;
		try {
			return await work();
		} finally {
			this.#usedBytes -= bytes;
			for (const resume of this.#waiting.splice(0)) resume();
		}
	}
}
