/**
 * The platform lets one invocation wait for the response headers of six requests. A seventh is held until one of them has
 * a response, while every timeout that the code has started for it runs. Calls to objects don't count; sends to a queue do.
 */
import type { Isolate } from './world.ts';

const MAX_CONNECTIONS = 6;

interface Use {
	count: number;
	readonly waiting: (() => void)[];
}

export class Connections {
	readonly #uses = new WeakMap<Isolate, Use>();
	/** Called when a request has to wait for a connection. */
	readonly #onHeld: (isolate: Isolate) => void;

	constructor(onHeld: (isolate: Isolate) => void) {
		this.#onHeld = onHeld;
	}

	/**
	 * Sends a request when the invocation has a connection for it.
	 *
	 * @param send starts the request. The promise settles when its headers have arrived.
	 * @returns the response. A request that is aborted before it is sent is never sent.
	 */
	async use<T>(isolate: Isolate | undefined, send: () => Promise<T>, signal?: AbortSignal): Promise<T> {
		signal?.throwIfAborted();
		// Each event of an object is an invocation of its own.
		if (!isolate || isolate.kind === 'client' || isolate.kind === 'object') return send();
		const use = this.#uses.get(isolate) ?? { count: 0, waiting: [] };
		this.#uses.set(isolate, use);
		if (use.count < MAX_CONNECTIONS) use.count++;
		else await this.#turn(isolate, use, signal);
		try {
			return await send();
		} finally {
			const next = use.waiting.shift();
			if (next) next();
			else use.count--;
		}
	}

	#turn(isolate: Isolate, use: Use, signal: AbortSignal | undefined): Promise<void> {
		this.#onHeld(isolate);
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		use.waiting.push(resolve);
		signal?.addEventListener('abort', () => {
			const place = use.waiting.indexOf(resolve);
			if (place < 0) return;
			use.waiting.splice(place, 1);
			reject(signal.reason);
		});
		return promise;
	}
}
