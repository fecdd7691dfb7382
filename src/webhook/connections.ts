import { WEBHOOK_CONNECTIONS } from '../core/job/limits.ts';

/** Limits the connections of one Worker invocation. They are handed out in the order of the requests. */
export class Connections {
	#free: number;
	readonly #waiting: (() => void)[] = [];

	/** @param atOnce maximum number of connections in use at one time. */
	constructor(atOnce = WEBHOOK_CONNECTIONS) {
		this.#free = atOnce;
	}

	/** Runs `act` with a connection of its own, after waiting for a free one. */
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
