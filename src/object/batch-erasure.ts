/** The jobs that a batch erases, as a row of the batch's object. The only calls that the object makes. */
import {
	type Erasure,
	erasureAfter,
	isErasureHopeless,
	mergeErasures,
	nextErased,
	postponeErasure,
} from '../core/batch/erasure.ts';
import { CALLS_AT_ONCE, ERASE_CALL_MS } from '../core/batch/limits.ts';
import { chunk } from '../core/chunk.ts';
import { LOGGED_IDS, logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { withTimeout } from '../rpc/with-timeout.ts';

const KEY = 'erasure';

export class BatchErasure {
	readonly #kv: SyncKvStorage;
	readonly #jobs: Jobs;

	constructor(kv: SyncKvStorage, jobs: Jobs) {
		this.#kv = kv;
		this.#jobs = jobs;
	}

	/** When the next jobs are erased, in milliseconds since the epoch; infinity if there are none. */
	get at(): number {
		return this.#planned?.at ?? Number.POSITIVE_INFINITY;
	}

	/** Writes one row. */
	plan(erasure: Erasure): void {
		this.#save(mergeErasures(this.#planned, erasure));
	}

	/** Erases the next jobs. Those that can't be reached remain. @param onPostponed sets the alarm for another try. */
	async eraseNext(now: number, onPostponed: () => void): Promise<void> {
		const planned = this.#planned;
		if (!planned) return;
		this.#save(postponeErasure(planned, now));
		onPostponed();
		const tried = nextErased(planned);
		const failed: string[] = [];
		for (const some of chunk(tried, CALLS_AT_ONCE))
			failed.push(...(await Promise.all(some.map((id) => this.#eraseJob(id)))).flat());
		// A batch of the same key may have added jobs during the calls.
		const left = erasureAfter(this.#planned ?? planned, { tried, failed, now });
		if (!left) this.#kv.delete(KEY);
		else if (isErasureHopeless(left)) this.#giveUp(left);
		else this.#save(left);
	}

	#giveUp({ ids }: Erasure): void {
		this.#kv.delete(KEY);
		logError('jobs of a batch never erased: their objects could not be reached', { jobs: ids.slice(0, LOGGED_IDS) });
	}

	/** @returns the job, if it was not reached. */
	async #eraseJob(id: string): Promise<string[]> {
		try {
			const erased = this.#jobs.call(id, (job) => job.eraseIfExpired());
			// A call without a response must not keep the alarm from its end.
			await withTimeout(ERASE_CALL_MS, erased);
			return [];
		} catch (error) {
			logError('job of a batch not erased yet', { job: id, error });
			return [id];
		}
	}

	get #planned(): Erasure | undefined {
		return this.#kv.get<Erasure>(KEY);
	}

	#save(erasure: Erasure): void {
		this.#kv.put(KEY, erasure);
	}
}
