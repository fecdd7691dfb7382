/**
 * How the rest of the Worker reaches a job's object. An object may be reset under a call (a deploy, a crash): the platform
 * says when asking again may help, and wants a fresh stub for it.
 */
import type { JobObjectApi } from '../job/object-api.ts';
import { type Patience, repeatedly } from './repeatedly.ts';

const JOB_ID = /^[0-9a-f]{64}$/;

export class Jobs {
	readonly #namespace: DurableObjectNamespace;
	readonly #patience: Patience;
	/** Most requests are about one job, and ask for its id more than once. */
	#lastId: DurableObjectId | undefined;

	/** @param patience how long `call` repeats a call. */
	constructor(namespace: DurableObjectNamespace, patience: Patience = {}) {
		this.#namespace = namespace;
		this.#patience = patience;
	}

	/** The same objects for an attempt: every call is repeated until `untilMs`, in milliseconds since the epoch. */
	repeatingUntil(untilMs: number): Jobs {
		return new Jobs(this.#namespace, { untilMs });
	}

	/** A new job's id. It costs no call: uniqueness is in its randomness. */
	newId(): string {
		return this.#namespace.newUniqueId().toString();
	}

	/** The one id that stands for an idempotency key of this tenant and task. */
	idForKey(tenant: string, task: string, key: string): string {
		return this.#namespace.idFromName(JSON.stringify([tenant, task, key])).toString();
	}

	/** The one id that stands for a place in a batch, by the batch's key. */
	idForPlace(tenant: string, batchKey: string, place: number): string {
		return this.#namespace.idFromName(JSON.stringify([tenant, 'batch', batchKey, place])).toString();
	}

	/** Whether `id` can be a job's: ids are signed by the platform, so a forged one is found out without a call. */
	isId(id: string): boolean {
		if (!JOB_ID.test(id)) return false;
		try {
			this.#idOf(id);
			return true;
		} catch {
			return false;
		}
	}

	/** Calls a job's object, and repeats a call that failed. Only for calls that do no harm twice. */
	async call<T>(id: string, call: (job: JobObjectApi) => Promise<T>): Promise<T> {
		return repeatedly(() => this.callOnce(id, call), this.#patience);
	}

	async callOnce<T>(id: string, call: (job: JobObjectApi) => Promise<T>): Promise<T> {
		return call(this.#stub(id) as unknown as JobObjectApi);
	}

	/** Tries once to open a socket to the object. The answer has `webSocket`, or a status that says why not. */
	connect(id: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
		return this.#stub(id).fetch(`http://job${path}`, { headers: { ...headers, upgrade: 'websocket' } });
	}

	#stub(id: string): DurableObjectStub {
		return this.#namespace.get(this.#idOf(id));
	}

	#idOf(id: string): DurableObjectId {
		if (this.#lastId?.toString() !== id) this.#lastId = this.#namespace.idFromString(id);
		return this.#lastId;
	}
}
