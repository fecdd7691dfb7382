import { WEBHOOK_CONNECTIONS } from '../job/limits.ts';

/** The connections of one invocation of the Worker, given out in the order in which they are asked for. */
export class Connections {
	#free: number;
	readonly #waiting: (() => void)[] = [];

	/** @param atOnce how many may be in use at one time. */
	constructor(atOnce = WEBHOOK_CONNECTIONS) {
		this.#free = atOnce;
	}

	/** Runs `act` with a connection of its own, and waits for one first if need be. */
	async use<Result>(act: () => Promise<Result>): Promise<Result> {
		if (this.#free > 0) this.#free--;
		else await new Promise<void>((resolve) => this.#waiting.push(resolve));
		try {
			return await act();
		} finally {
			const next = this.#waiting.shift();
			if (next) next();
			else this.#free++;
		}
	}
}
