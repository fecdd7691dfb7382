/** Calls to the lists of tenants' jobs. A deployment whose list is off has none. */
import type { JobNews } from '../core/job/news.ts';
import type { ListApi } from '../core/list/list-api.ts';
import { JOBS_TOPIC } from '../core/topic/names.ts';
import type { Retention } from '../core/topic/retention.ts';
import { LOGGED_IDS, logError } from '../log.ts';
import { retryTransient } from './retry-transient.ts';
import { withTimeout } from './with-timeout.ts';

/** Messages of new jobs are held back for at most this time, if the list does not answer. */
const TELL_TIMEOUT_MS = 1_000;

export class Lists {
	readonly #namespace: DurableObjectNamespace | undefined;
	readonly #retention: Retention | undefined;

	/**
	 * @param namespace the objects of topics; `undefined` where the list is off.
	 * @param retention of the topic `jobs`. Left out by a caller that does not know the settings.
	 */
	constructor(namespace: DurableObjectNamespace | undefined, retention?: Retention) {
		this.#namespace = namespace;
		this.#retention = retention;
	}

	/** Whether there are lists at all. */
	get areOn(): boolean {
		return this.#namespace !== undefined;
	}

	/** Calls a tenant's list. Repeats a failed call, because all its calls are idempotent. */
	call<T>(tenant: string, call: (list: ListApi) => Promise<T>): Promise<T> {
		return retryTransient(() => call(this.#listOf(tenant)));
	}

	/** Tells a tenant's list. Resolves to whether the news is durable there, as far as is known in time; never rejects. */
	async tell(tenant: string, news: readonly JobNews[]): Promise<boolean> {
		try {
			const told = this.call(tenant, (list) => list.tell(news, this.#retention));
			await withTimeout(TELL_TIMEOUT_MS, told);
			return true;
		} catch (error) {
			logError('list of jobs not told', { jobs: news.slice(0, LOGGED_IDS).map(({ id }) => id), error });
			return false;
		}
	}

	#listOf(tenant: string): ListApi {
		if (!this.#namespace) throw new Error('Expected a binding TOPICS of the class TopicObject');
		const id = this.#namespace.idFromName(JSON.stringify([tenant, JOBS_TOPIC]));
		return this.#namespace.get(id) as unknown as ListApi;
	}
}
