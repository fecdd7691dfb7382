/** Lets one piece of work at a time use a resource. */

/** Time between two checks of a waiting job, in milliseconds. */
const LOOK_EVERY_MS = 20;

/**
 * A lock with its resource. Jobs of several queue batches share an isolate, and so its 128 MB.
 *
 * Waiting jobs check on their own timer instead of awaiting the job before them. A batch that the platform ends never settles
 * its promises, so all jobs after it would wait for ever.
 */
export class Turn<Resource> {
	readonly #create: () => Resource;
	readonly #limitMs: number;
	#resource: Resource;
	#holder: { readonly sinceMs: number } | undefined;

	/**
	 * @param create makes the resource that the holder works with.
	 * @param limitMs maximum time to hold the lock. After that the holder counts as lost, and the next one gets a new resource.
	 */
	constructor(create: () => Resource, limitMs: number) {
		this.#create = create;
		this.#limitMs = limitMs;
		this.#resource = create();
	}

	/**
	 * Waits for the lock, then works.
	 *
	 * @throws the signal's reason when it fires before the lock is free.
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
