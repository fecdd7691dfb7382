/**
 * How far a request is while its reply comes in: the share of the time it takes in all, not of the bytes. A slow API thinks
 * for a minute and then answers within a second; by bytes it would seem to have nine minutes to go when a tenth was there.
 *
 * Pure: what time it is comes in as a number.
 */

/** So long a reply has to have been coming in before its speed says anything, in milliseconds. */
const TELLING_MS = 200;

export class ReplyProgress {
	readonly #startedAt: number;
	readonly #totalBytes: number;
	#first: { readonly at: number; readonly bytes: number } | undefined;

	/** @param startedAt when the request was sent; milliseconds since the epoch. */
	constructor(startedAt: number, totalBytes: number) {
		this.#startedAt = startedAt;
		this.#totalBytes = totalBytes;
	}

	/** @returns `undefined` while there is nothing to go by. */
	percentAt(now: number, receivedBytes: number): number | undefined {
		// What was there at first was sent while nobody looked.
		this.#first ??= { at: now, bytes: receivedBytes };
		const { at, bytes } = this.#first;
		const share = (receivedBytes - bytes) / (this.#totalBytes - bytes);
		if (now - at < TELLING_MS || !(share > 0)) return undefined;
		const totalMs = at - this.#startedAt + (now - at) / share;
		return Math.min(100, (100 * (now - this.#startedAt)) / totalMs);
	}
}
