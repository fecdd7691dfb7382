/** Calls to the circuit breakers (gates) of upstreams. */
import type { GateApi } from '../core/upstream/gate-api.ts';

export class Gates {
	readonly #namespace: DurableObjectNamespace;

	constructor(namespace: DurableObjectNamespace) {
		this.#namespace = namespace;
	}

	/** @param name of a configured upstream, because a call creates the object. */
	of(name: string): GateApi {
		return this.#namespace.getByName(name) as unknown as GateApi;
	}
}
