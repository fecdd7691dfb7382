/** Lets one piece of work at a time have what there is only one of. */

/** How often those who wait look whether it is their turn, in milliseconds. */
const LOOK_EVERY_MS = 20;

/**
 * A place for one, and what belongs to it. Jobs of several queue batches share an isolate, and so its 128 MB.
 *
 * Those who wait look again on their own timer instead of awaiting the one before them: a batch that the platform ends
 * never settles its promises, and everyone after it would wait for ever.
 */
export class Turn<Resource> {
	readonly #create: () => Resource;
	readonly #limitMs: number;
	#resource: Resource;
	#holder: { readonly sinceMs: number } | undefined;

	/**
	 * @param create makes what the holder of the turn works with.
	 * @param limitMs how long a turn may last. After that it counts as lost, and the next one begins with a new resource.
	 */
	constructor(create: () => Resource, limitMs: number) {
		this.#create = create;
		this.#limitMs = limitMs;
		this.#resource = create();
	}

	/**
	 * Waits for the turn, then works.
	 *
	 * @throws the signal's reason when it fires before the turn has come.
	 */
	async take<Result>(signal: AbortSignal, work: (resource: Resource) => Promise<Result>): Promise<Result> {
		signal.throwIfAborted();
		while (this.#holder && Date.now() - this.#holder.sinceMs < this.#limitMs) {
			await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
			signal.throwIfAborted();
		}
		if (this.#holder) this.#resource = this.#create();
		const own = { sinceMs: Date.now() };
		this.#holder = own;
		try {
			return await work(this.#resource);
		} finally {
			if (this.#holder === own) this.#holder = undefined;
		}
	}
}
