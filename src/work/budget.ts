/**
 * Memory that many share in one isolate: large JSON is there several times over while it is read and validated. Whoever
 * doesn't fit waits for its turn; one that would never fit goes when nobody else is there. It is for short work only: whoever
 * holds it keeps everybody waiting, of every tenant.
 */

import { INLINE_BODY_BYTES, MIB } from '../job/limits.ts';

/** Whoever waits for room looks for it this often. */
const LOOK_AGAIN_MS = 20;

export class MemoryBudget {
	readonly #totalBytes: number;
	#usedBytes = 0;

	constructor(totalBytes: number) {
		this.#totalBytes = totalBytes;
	}

	/** Takes room that is to be given back, as soon as there is any. @returns `false` when there was none in this time. */
	async take(sizeBytes: number, patienceMs: number): Promise<boolean> {
		// Each looks for itself: a promise that another request resolves may leave this one without its connections.
		for (let waitedMs = 0; this.#usedBytes + sizeBytes > this.#totalBytes; waitedMs += LOOK_AGAIN_MS) {
			if (waitedMs >= patienceMs) return false;
			await scheduler.wait(LOOK_AGAIN_MS);
		}
		this.#usedBytes += sizeBytes;
		return true;
	}

	give(sizeBytes: number): void {
		this.#usedBytes -= sizeBytes;
	}

	/** Runs `work` when there is room for it, and gives the room back when it is over. */
	async use<T>(sizeBytes: number, work: () => Promise<T>): Promise<T> {
		const bytes = Math.min(sizeBytes, this.#totalBytes);
		await this.take(bytes, Number.POSITIVE_INFINITY);
		try {
			return await work();
		} finally {
			this.give(bytes);
		}
	}
}

/** What reading JSON may take at one time, at the door and in attempts together, of the 128 MB of an isolate. */
export const JSON_MEMORY = new MemoryBudget(64 * MIB);

/** While JSON is read it is there as bytes, as text and as a value, and perhaps as text again. */
const JSON_COPIES = 4;

/** What it takes to read JSON, in bytes. Small JSON doesn't count. */
export function memoryForJson(sizeBytes: number): number {
	return sizeBytes <= INLINE_BODY_BYTES ? 0 : sizeBytes * JSON_COPIES;
}
