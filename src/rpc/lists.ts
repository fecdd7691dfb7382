/** Calls to the lists of tenants' jobs. Each is a part of the object of the tenant's topic `jobs`. */
import type { ListApi } from '../core/list/list-api.ts';
import { retryTransient } from './retry-transient.ts';

/** The topic that every tenant has. */
export const JOBS_TOPIC = 'jobs';

export class Lists {
	readonly #namespace: DurableObjectNamespace | undefined;

	/** @param namespace `undefined` in a deployment without lists. */
	constructor(namespace: DurableObjectNamespace | undefined) {
		this.#namespace = namespace;
	}

	get areOn(): boolean {
		return this.#namespace !== undefined;
	}

	/** Calls a tenant's list. Repeats a failed call, because all its calls are idempotent. */
	call<T>(tenant: string, call: (list: ListApi) => Promise<T>): Promise<T> {
		return retryTransient(() => call(this.#listFor(tenant)));
	}

	#listFor(tenant: string): ListApi {
		if (!this.#namespace) throw new Error('Expected a binding TOPICS of the class TopicObject');
		const id = this.#namespace.idFromName(JSON.stringify([tenant, JOBS_TOPIC]));
		return this.#namespace.get(id) as unknown as ListApi;
	}
}
