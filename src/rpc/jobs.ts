/**
 * Calls to jobs' objects. An object may be reset during a call (a deploy, a crash). The platform marks errors that are worth a
 * retry, and a retry needs a fresh stub.
 */
import { OBJECT_ID } from '../core/job/id.ts';
import type { JobNews } from '../core/job/news.ts';
import type { JobObjectApi } from '../core/job/object-api.ts';
import { type Patience, retryTransient } from './retry-transient.ts';

type OnNews = (news: JobNews) => void;

export class Jobs {
	readonly #namespace: DurableObjectNamespace;
	readonly #patience: Patience;
	readonly #onNews: OnNews | undefined;
	/** A cache: most requests need the id of one job several times. */
	#last: { readonly id: string; readonly objectId: DurableObjectId } | undefined;

	/**
	 * @param patience how long `call` repeats a call.
	 * @param onNews takes what a job's object wants its caller to tell the list. Without it, the list asks.
	 */
	constructor(namespace: DurableObjectNamespace, onNews?: OnNews, patience: Patience = {}) {
		this.#namespace = namespace;
		this.#onNews = onNews;
		this.#patience = patience;
	}

	/** The same objects, for an attempt: repeats every failed call until `untilMs`, in milliseconds since the epoch. */
	repeatingUntil(untilMs: number): Jobs {
		return new Jobs(this.#namespace, this.#onNews, { untilMs });
	}

	/** A new job's id. It costs no call, because it is random. */
	newId(): string {
		const objectId = this.#namespace.newUniqueId();
		const id = objectId.toString();
		this.#last = { id, objectId };
		return id;
	}

	/** The id for an idempotency key of this tenant and task, always the same. */
	idForKey(tenant: string, task: string, key: string): string {
		return this.#namespace.idFromName(JSON.stringify([tenant, task, key])).toString();
	}

	/** The id for a position in a batch, by the batch's key, always the same. */
	idForPlace(tenant: string, batchKey: string, place: number): string {
		return this.#namespace.idFromName(JSON.stringify([tenant, 'batch', batchKey, place])).toString();
	}

	/** Whether `id` is a valid job id. The platform signs ids, so a forged one is rejected without a call. */
	isId(id: string): boolean {
		if (!OBJECT_ID.test(id)) return false;
		try {
			this.#idOf(id);
			return true;
		} catch {
			return false;
		}
	}

	/** Calls a job's object, and repeats a failed call. Only for idempotent calls. */
	async call<T>(id: string, call: (job: JobObjectApi) => Promise<T>): Promise<T> {
		const answer = await retryTransient(() => this.callOnce(id, call), this.#patience);
		const news = newsIn(answer);
		if (news) this.#onNews?.(news);
		return answer;
	}

	async callOnce<T>(id: string, call: (job: JobObjectApi) => Promise<T>): Promise<T> {
		return call(this.#stub(id) as unknown as JobObjectApi);
	}

	/** Tries once to open a socket to the object. The response has `webSocket`, or an error status. */
	connect(id: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
		return this.#stub(id).fetch(`http://job${path}`, { headers: { ...headers, upgrade: 'websocket' } });
	}

	#stub(id: string): DurableObjectStub {
		return this.#namespace.get(this.#idOf(id));
	}

	#idOf(id: string): DurableObjectId {
		if (this.#last?.id !== id) this.#last = { id, objectId: this.#namespace.idFromString(id) };
		return this.#last.objectId;
	}
}

function newsIn(answer: unknown): JobNews | undefined {
	return typeof answer === 'object' && answer !== null && 'news' in answer ? (answer.news as JobNews) : undefined;
}
