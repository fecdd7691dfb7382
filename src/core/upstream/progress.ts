/**
 * Estimates the progress of a request while its reply arrives, as the share of the total time, not of the bytes. A slow API
 * computes for a minute and then answers within a second. Measured in bytes, it would seem to need nine more minutes after the
 * first tenth.
 *
 * Pure: the caller passes the current time.
 */

/** Minimum time that a reply must have been arriving before its speed is meaningful, in milliseconds. */
const TELLING_MS = 200;

export class ReplyProgress {
	readonly #startedAt: number;
	readonly #totalBytes: number;
	#first: { readonly at: number; readonly bytes: number } | undefined;

	/** @param startedAt the time when the request was sent, in milliseconds since the epoch. */
	constructor(startedAt: number, totalBytes: number) {
		this.#startedAt = startedAt;
		this.#totalBytes = totalBytes;
	}

	/** @returns `undefined` while there is too little data for an estimate. */
	percentAt(now: number, receivedBytes: number): number | undefined {
		// The first bytes arrived before the measurement began, so they don't count.
		this.#first ??= { at: now, bytes: receivedBytes };
		const { at, bytes } = this.#first;
		const share = (receivedBytes - bytes) / (this.#totalBytes - bytes);
		if (now - at < TELLING_MS || !(share > 0)) return undefined;
		const totalMs = at - this.#startedAt + (now - at) / share;
		return Math.min(100, (100 * (now - this.#startedAt)) / totalMs);
	}
}
