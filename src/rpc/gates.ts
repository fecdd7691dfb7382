/** How the rest of the Worker reaches the gate of an upstream. */
import type { GateApi } from '../upstream/gate-api.ts';

export class Gates {
	readonly #namespace: DurableObjectNamespace;

	constructor(namespace: DurableObjectNamespace) {
		this.#namespace = namespace;
	}

	/** Only for the name of an upstream that is configured: asking makes an object. */
	of(name: string): GateApi {
		return this.#namespace.getByName(name) as unknown as GateApi;
	}
}
