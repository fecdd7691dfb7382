/** Calls to the circuit breakers (gates) of upstreams. */
import type { Exit } from '../core/upstream/gate.ts';
import type { GateApi } from '../core/upstream/gate-api.ts';
import { isOutdated, retryTransient } from './retry-transient.ts';

/** A gate of version 0.1.0. */
interface Gate010 {
	leave(
		...exit: [pass: string, health: Exit['health'], wellBefore: boolean, job?: string]
	): Promise<{ isCalm: boolean }>;
}

export class Gates {
	readonly #namespace: DurableObjectNamespace;

	constructor(namespace: DurableObjectNamespace) {
		this.#namespace = namespace;
	}

	/** @param name of a configured upstream, because a call creates the object. */
	of(name: string): GateApi {
		return this.#namespace.getByName(name) as unknown as GateApi;
	}

	/** Calls a gate, and repeats a failed call. Only for idempotent calls. */
	call<T>(name: string, call: (gate: GateApi) => Promise<T>): Promise<T> {
		return retryTransient(() => call(this.of(name)));
	}

	/**
	 * A busy gate may keep the code of version 0.1.0 for minutes of a deploy. Requests that it isn't told of would hold their
	 * slots until they expire.
	 */
	async reportExit(name: string, exit: Exit): Promise<{ readonly isCalm: boolean }> {
		try {
			return await this.of(name).reportExit(exit);
		} catch (error) {
			if (!isOutdated(error)) throw error;
			const { pass, health, wellBefore, job } = exit;
			return (this.of(name) as unknown as Gate010).leave(pass, health, wellBefore, job);
		}
	}
}
