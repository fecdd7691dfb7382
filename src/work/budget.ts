/**
 * Memory that all requests and attempts of an isolate share: large JSON is in memory several times over while it is read.
 * A reader takes a hold before it reads, and waits for a bounded time when there is no room.
 *
 * The platform may end an invocation at any `await`, and no `finally` runs then. So every hold expires: an invocation
 * that has ended takes nothing from the others for long.
 */
import { INLINE_BODY_BYTES, MAX_JSON_BYTES, MIB, MS_PER_SECOND } from '../job/limits.ts';

/** A reader that waits for room looks for it this often. */
const LOOK_AGAIN_MS = 20;
/** A hold that did not grow for this long has expired. */
const HOLD_MS = 30 * MS_PER_SECOND;

/** There was no room in time: too much JSON is being read in this isolate. */
export class NoMemory extends Error {
	override readonly name = 'NoMemory';

	constructor() {
		super('Too much JSON is being read at the same time');
	}
}

/** Part of a budget. */
export interface MemoryHold {
	/** Takes more, and starts the hold's time anew. @returns `false` when there was no room within `patienceMs`. */
	grow(sizeBytes: number, patienceMs: number): Promise<boolean>;
	/** Gives everything back. */
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

	/** A hold of nothing yet. */
	hold(): MemoryHold {
		const hold: MemoryHold = {
			grow: (sizeBytes, patienceMs) => this.#grow(hold, sizeBytes, patienceMs),
			release: () => this.#taken.delete(hold),
		};
		return hold;
	}

	/**
	 * Runs `work` when there is room for it. `work` should not wait for I/O: until it ends or the hold expires, every other
	 * reader of the isolate has less room. Work that needs more than the whole budget runs when nothing else does.
	 *
	 * @throws {NoMemory} when there was no room within `patienceMs`.
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
		// Each reader looks for itself: a promise that another request resolves may leave this one without its connections.
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

/** Bytes of JSON on their way, at the door and in attempts together: three of the largest. */
export const ARRIVING_MEMORY = new MemoryBudget(3 * MAX_JSON_BYTES);

/** What parsing JSON may take at one time, at the door and in attempts together, of the 128 MB of an isolate. */
export const JSON_MEMORY = new MemoryBudget(64 * MIB);

/** A reader waits this long for room: less than the time limit of most attempts, and than the patience of most clients. */
export const MEMORY_PATIENCE_MS = 10 * MS_PER_SECOND;

/** While JSON is read it is there as bytes, as text and as a value, and perhaps as text again. */
const JSON_COPIES = 4;

/** What it takes to read JSON, in bytes. Small JSON doesn't count. */
export function memoryForJson(sizeBytes: number): number {
	return sizeBytes <= INLINE_BODY_BYTES ? 0 : sizeBytes * JSON_COPIES;
}
