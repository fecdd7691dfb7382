/**
 * Memory that many share in one isolate: large JSON is there several times over while it is read and validated. Whoever
 * doesn't fit waits for its turn; one that would never fit goes when nobody else is there. It is for short work only: whoever
 * holds it keeps everybody waiting, of every tenant.
 */

/** Whoever waits for room looks for it this often. */
const LOOK_AGAIN_MS = 20;

export class MemoryBudget {
	readonly #totalBytes: number;
	#usedBytes = 0;

	constructor(totalBytes: number) {
		this.#totalBytes = totalBytes;
	}

	/** Runs `work` when there is room for it, and gives the room back when it is over. */
	async use<T>(sizeBytes: number, work: () => Promise<T>): Promise<T> {
		const bytes = Math.min(sizeBytes, this.#totalBytes);
		while (this.#usedBytes + bytes > this.#totalBytes) {
			// Each looks for itself: a promise that another request resolves may leave this one without its connections.
			await scheduler.wait(LOOK_AGAIN_MS);
		}
		this.#usedBytes += bytes;
		try {
			return await work();
		} finally {
			this.#usedBytes -= bytes;
		}
	}
}
