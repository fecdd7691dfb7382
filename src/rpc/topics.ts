/** Calls to the objects of topics. */
import { OBJECT_ID } from '../core/job/id.ts';
import type { Publication, Published, TopicObjectApi } from '../core/topic/topic-api.ts';
import { retryTransient } from './retry-transient.ts';

export class Topics {
	readonly #namespace: DurableObjectNamespace;

	constructor(namespace: DurableObjectNamespace) {
		this.#namespace = namespace;
	}

	/** The id of a tenant's topic, always the same. */
	idFor(tenant: string, topic: string): string {
		return this.#namespace.idFromName(JSON.stringify([tenant, topic])).toString();
	}

	/** Calls a topic's object, and repeats a failed call. Only for idempotent calls. */
	call<T>(id: string, call: (topic: TopicObjectApi) => Promise<T>): Promise<T> {
		return retryTransient(() => call(this.#stub(id) as unknown as TopicObjectApi));
	}

	/** Publishes an event, once, even if the call has to be repeated. */
	publish(id: string, publication: Publication): Promise<Published> {
		let isRepeat = false;
		return this.call(id, (topic) => {
			const call = isRepeat ? { ...publication, isRepeat: true as const } : publication;
			isRepeat = true;
			return topic.publish(call);
		});
	}

	/** Opens a reader's socket. The response has `webSocket`, or an error status. */
	connect(id: string, query: URLSearchParams): Promise<Response> {
		return retryTransient(() =>
			this.#stub(id).fetch(`http://topic/watch?${query}`, { headers: { upgrade: 'websocket' } }),
		);
	}

	/** Whether `id` is a topic's id. */
	isId(id: string): boolean {
		if (!OBJECT_ID.test(id)) return false;
		try {
			this.#namespace.idFromString(id);
			return true;
		} catch {
			return false;
		}
	}

	#stub(id: string): DurableObjectStub {
		return this.#namespace.get(this.#namespace.idFromString(id));
	}
}
