/** Objects that know only calls of version 0.1.0. They run in a Worker of their own, on the runtime and without the test runner. */
import { DurableObject } from 'cloudflare:workers';

export class JobObject extends DurableObject {
	async read() {
		return { found: 'nothing' };
	}
}

export class UpstreamGate extends DurableObject {
	#exits = [];

	async leave(...exit) {
		this.#exits.push(exit);
		return { isCalm: true };
	}

	async exits() {
		return this.#exits;
	}
}

export default { fetch: () => new Response() };
