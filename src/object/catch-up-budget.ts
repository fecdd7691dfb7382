/** The bytes of earlier events that the WebSockets of one topic may get now. The budget grows with the time. */
import { MS_PER_SECOND } from '../core/job/limits.ts';
import { CATCH_UP_BYTES } from '../core/topic/limits.ts';

export class CatchUpBudget {
	#leftBytes: number = CATCH_UP_BYTES.atOnce;
	#countedAt = 0;

	spend(bytes: number, now: number): void {
		this.#grow(now);
		this.#leftBytes -= bytes;
	}

	isSpent(now: number): boolean {
		this.#grow(now);
		return this.#leftBytes <= 0;
	}

	#grow(now: number): void {
		const grownBytes = (Math.max(0, now - this.#countedAt) * CATCH_UP_BYTES.perSecond) / MS_PER_SECOND;
		this.#leftBytes = Math.min(CATCH_UP_BYTES.atOnce, this.#leftBytes + grownBytes);
		this.#countedAt = now;
	}
}
