/** Calls to the lists of tenants' jobs. A deployment whose list is off has none. */
import type { JobNews } from '../core/job/news.ts';
import type { ListApi } from '../core/list/list-api.ts';
import { JOBS_TOPIC } from '../core/topic/names.ts';
import type { Retention } from '../core/topic/retention.ts';
import { logError } from '../log.ts';
import { retryTransient } from './retry-transient.ts';

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
		const { promise: timeout, reject } = Promise.withResolvers<never>();
		const timer = setTimeout(() => reject(new Error(`no response within ${TELL_TIMEOUT_MS} ms`)), TELL_TIMEOUT_MS);
		try {
			await Promise.race([this.call(tenant, (list) => list.tell(news, this.#retention)), timeout]);
			return true;
		} catch (error) {
			logError('list of jobs not told', { jobs: news.slice(0, LOGGED_IDS).map(({ id }) => id), error });
			return false;
		} finally {
			clearTimeout(timer);
		}
	}

	#listOf(tenant: string): ListApi {
		if (!this.#namespace) throw new Error('Expected a binding TOPICS of the class TopicObject');
		const id = this.#namespace.idFromName(JSON.stringify([tenant, JOBS_TOPIC]));
		return this.#namespace.get(id) as unknown as ListApi;
	}
}

/** Maximum number of ids in one log line. */
const LOGGED_IDS = 10;
