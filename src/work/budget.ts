/**
 * A memory budget that all requests and attempts of an isolate share: reading large JSON takes several times its size. A
 * reader takes a hold before it reads. If there is no room, it waits up to a time limit.
 *
 * The platform may end an invocation at any `await`, and then no `finally` runs. Every hold therefore expires, so that an
 * ended invocation doesn't reduce the budget for long.
 */
import { INLINE_BODY_BYTES, MAX_JSON_BYTES, MIB, MS_PER_SECOND } from '../core/job/limits.ts';

/** Interval at which a waiting reader checks for room. */
const LOOK_AGAIN_MS = 20;
/** A hold that has not grown for this long expires. */
const HOLD_MS = 30 * MS_PER_SECOND;

/** There was no room within the time limit: the isolate is reading too much JSON. */
export class NoMemory extends Error {
	override readonly name = 'NoMemory';

	constructor() {
		super('Too much JSON is being read at the same time');
	}
}

/** A reserved part of a budget. */
export interface MemoryHold {
	/** Reserves more, and restarts the hold's expiry. @returns `false` if there was no room within `patienceMs`. */
	grow(sizeBytes: number, patienceMs: number): Promise<boolean>;
	/** Releases the whole hold. */
	release(): void;
}

interface Taken {
	readonly sizeBytes: number;
	/** Milliseconds since the epoch. */
	readonly expiresAt: number;
}

export interface MemoryBudgetOptions {
	/** Default: 30 s. */
	readonly holdMs?: number;
}

export class MemoryBudget {
	readonly #totalBytes: number;
	readonly #holdMs: number;
	readonly #taken = new Map<MemoryHold, Taken>();

	constructor(totalBytes: number, { holdMs = HOLD_MS }: MemoryBudgetOptions = {}) {
		this.#totalBytes = totalBytes;
		this.#holdMs = holdMs;
	}

	/** Creates an empty hold. */
	hold(): MemoryHold {
		const hold: MemoryHold = {
			grow: (sizeBytes, patienceMs) => this.#grow(hold, sizeBytes, patienceMs),
			release: () => this.#taken.delete(hold),
		};
		return hold;
	}

	/**
	 * Runs `work` when there is room for it. `work` should not wait for I/O: until it ends or the hold expires, all other
	 * readers of the isolate have less room. Work that needs more than the whole budget runs alone.
	 *
	 * @throws {NoMemory} if there was no room within `patienceMs`.
	 */
	async use<T>(sizeBytes: number, patienceMs: number, work: () => T | Promise<T>): Promise<T> {
		const hold = this.hold();
		if (!(await hold.grow(Math.min(sizeBytes, this.#totalBytes), patienceMs))) throw new NoMemory();
		try {
			return await work();
		} finally {
			hold.release();
		}
	}

	async #grow(hold: MemoryHold, sizeBytes: number, patienceMs: number): Promise<boolean> {
		// Each reader polls for itself: a promise that another request resolves may leave this request without its
		// connections.
		for (let waitedMs = 0; this.#usedBytes(Date.now()) + sizeBytes > this.#totalBytes; waitedMs += LOOK_AGAIN_MS) {
			if (waitedMs >= patienceMs) return false;
			await scheduler.wait(LOOK_AGAIN_MS);
		}
		const before = this.#taken.get(hold)?.sizeBytes ?? 0;
		this.#taken.set(hold, { sizeBytes: before + sizeBytes, expiresAt: Date.now() + this.#holdMs });
		return true;
	}

	#usedBytes(now: number): number {
		let usedBytes = 0;
		for (const [hold, { sizeBytes, expiresAt }] of this.#taken) {
			if (now >= expiresAt) this.#taken.delete(hold);
			else usedBytes += sizeBytes;
		}
		return usedBytes;
	}
}

/** Budget for JSON that is being received, by requests and attempts together: three of the largest bodies. */
export const ARRIVING_MEMORY = new MemoryBudget(3 * MAX_JSON_BYTES);

/** Budget for parsing JSON, in requests and attempts together, of the 128 MB of an isolate. */
export const JSON_MEMORY = new MemoryBudget(64 * MIB);

/** Maximum time that a reader waits for room: less than most attempts' timeouts, and less than most clients wait. */
export const MEMORY_PATIENCE_MS = 10 * MS_PER_SECOND;

/** While JSON is read, it exists as bytes, as text and as a value, and perhaps as text again. */
const JSON_COPIES = 4;

/** Memory needed to read JSON, in bytes. Small JSON doesn't count. */
export function memoryForJson(sizeBytes: number): number {
	return sizeBytes <= INLINE_BODY_BYTES ? 0 : sizeBytes * JSON_COPIES;
}
