/**
 * One batch's object: the list of its jobs, and the final statuses that are known. It makes no calls: a request that
 * reads the batch asks the jobs, and stores the statuses here, so that later requests needn't ask for a while.
 */
import { DurableObject } from 'cloudflare:workers';
import {
	type BatchRecord,
	goodForMs,
	isMoreSettled,
	type StatusUpdates,
	type Submitted,
	unsettled,
	withFindings,
	withJobs,
} from '../core/batch/batch.ts';
import type { Added, BatchObjectApi, BatchReading, BatchView } from '../core/batch/batch-api.ts';
import { ASKING_MS } from '../core/batch/limits.ts';

const KEY = 'batch';

export class BatchObject extends DurableObject implements BatchObjectApi {
	/**
	 * `null` when storage holds none, `undefined` before it was loaded. May be newer than the stored batch, where that
	 * saves a row.
	 */
	#batch: BatchRecord | null | undefined;
	/** A request is asking the jobs until this time. */
	#askedUntil = 0;

	async isFor(tenant: string, fingerprint: string): Promise<boolean> {
		const batch = this.#current(Date.now());
		return !batch || (batch.tenant === tenant && batch.fingerprint === fingerprint);
	}

	async add(submitted: Submitted): Promise<Added> {
		const now = Date.now();
		const before = this.#current(now);
		const isSame = before?.tenant === submitted.tenant && before.fingerprint === submitted.fingerprint;
		if (before && !isSame) return { added: false };
		const batch = withJobs(before, submitted, now);
		this.#save(batch);
		void this.ctx.storage.setAlarm(batch.keptUntil);
		return { added: true, view: batchView(batch) };
	}

	async look(tenant: string | undefined, createdAt?: number): Promise<BatchReading> {
		const now = Date.now();
		const batch = this.#current(now);
		const isReaders = tenant === undefined ? createdAt !== undefined : batch?.tenant === tenant;
		if (!batch || !isReaders || (createdAt ?? batch.createdAt) !== batch.createdAt)
			return { found: 'nothing', knowsTokens: true };
		const { ids, countedAt, round } = batch;
		const open = unsettled(batch);
		const isNew = now - countedAt < goodForMs(open.length);
		if (isNew || now < this.#askedUntil || open.length === 0) return { found: 'counts', view: batchView(batch) };
		this.#askedUntil = now + ASKING_MS;
		return {
			found: 'jobs',
			view: batchView(batch),
			tenant: batch.tenant,
			round,
			ask: open.map((index) => [index, ids[index] ?? '']),
		};
	}

	async note(findings: StatusUpdates, countedAt: number, round: number): Promise<BatchReading> {
		const before = this.#current(Date.now());
		if (!before) return { found: 'nothing' };
		const batch = withFindings(before, findings, countedAt, round);
		this.#askedUntil = 0;
		if (isMoreSettled(batch, before)) this.#save(batch);
		else this.#batch = batch;
		return { found: 'counts', view: batchView(batch) };
	}

	override async alarm(): Promise<void> {
		// An alarm may fire twice, and the key may have a new batch by then.
		const batch = this.#current(Date.now());
		if (batch) return this.ctx.storage.setAlarm(batch.keptUntil);
		this.#batch = null;
		await this.ctx.storage.deleteAll();
	}

	/** Returns the batch, unless it has expired, even if the alarm is late. */
	#current(now: number): BatchRecord | undefined {
		if (this.#batch === undefined) this.#batch = this.ctx.storage.kv.get<BatchRecord>(KEY) ?? null;
		return this.#batch && now < this.#batch.keptUntil ? this.#batch : undefined;
	}

	/** Writes one row. */
	#save(batch: BatchRecord): void {
		this.#batch = batch;
		this.ctx.storage.kv.put(KEY, batch);
	}
}

function batchView({ createdAt, keptUntil, countedAt, ids, counts }: BatchRecord): BatchView {
	return { createdAt, keptUntil, countedAt, total: ids.length, counts };
}
