/** Calls to the objects of batches. */

import type { BatchObjectApi } from '../core/batch/batch-api.ts';
import { isIdIn } from './object-id.ts';
import { retryTransient } from './retry-transient.ts';

export class Batches {
	readonly #namespace: DurableObjectNamespace;

	constructor(namespace: DurableObjectNamespace) {
		this.#namespace = namespace;
	}

	newId(): string {
		return this.#namespace.newUniqueId().toString();
	}

	/** The id for an idempotency key of this tenant, always the same. */
	idForKey(tenant: string, key: string): string {
		return this.#namespace.idFromName(JSON.stringify([tenant, key])).toString();
	}

	/** Calls a batch's object. Repeats a failed call, because all its calls are idempotent. */
	call<T>(id: string, call: (batch: BatchObjectApi) => Promise<T>): Promise<T> {
		return retryTransient(() =>
			call(this.#namespace.get(this.#namespace.idFromString(id)) as unknown as BatchObjectApi),
		);
	}

	/** Whether `id` is a valid batch id. Job ids are not. */
	isId(id: string): boolean {
		return isIdIn(this.#namespace, id);
	}
}
