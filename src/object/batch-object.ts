/**
 * One batch's object: the list of its jobs, and the final statuses that are known. It makes no calls: a request that
 * reads the batch asks the jobs, and stores the statuses here, so that later requests needn't ask for a while.
 */
import {
	type BatchRecord,
	goodForMs,
	isMoreSettled,
	type StatusReport,
	type Submitted,
	unsettled,
	withFindings,
	withJobs,
} from '../core/batch/batch.ts';
import type { Added, BatchObjectApi, BatchReading, BatchView } from '../core/batch/batch-api.ts';
import { ASKING_MS } from '../core/batch/limits.ts';
import { isVisibleTo, type Reader } from '../core/job/reader.ts';
import { BatchCalls010 } from './calls-010.ts';

const KEY = 'batch';

export class BatchObject extends BatchCalls010 implements BatchObjectApi {
	/**
	 * `null` when storage holds none, `undefined` before it was loaded. May be newer than the stored batch, where that
	 * saves a row.
	 */
	#batch: BatchRecord | null | undefined;
	/** A request is asking the jobs until this time. */
	#askedUntil = 0;

	async acceptsKey(request: BatchRequest): Promise<boolean> {
		const batch = this.#current(Date.now());
		return !batch || isSameRequest(batch, request);
	}

	async add(submitted: Submitted): Promise<Added> {
		const now = Date.now();
		const before = this.#current(now);
		if (before && !isSameRequest(before, submitted)) return { added: false };
		const batch = withJobs(before, submitted, now);
		this.#save(batch);
		void this.ctx.storage.setAlarm(batch.keptUntil);
		return { added: true, view: batchView(batch) };
	}

	async readBatch(reader: Reader): Promise<BatchReading> {
		const now = Date.now();
		const batch = this.#current(now);
		if (!batch || !isVisibleTo(reader, batch)) return { found: 'nothing', knowsTokens: true };
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

	async recordStatuses(report: StatusReport): Promise<BatchReading> {
		const before = this.#current(Date.now());
		if (!before) return { found: 'nothing' };
		const batch = withFindings(before, report);
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

type BatchRequest = Pick<BatchRecord, 'tenant' | 'fingerprint'>;

function isSameRequest(one: BatchRequest, other: BatchRequest): boolean {
	return one.tenant === other.tenant && one.fingerprint === other.fingerprint;
}

function batchView({ createdAt, keptUntil, countedAt, ids, counts }: BatchRecord): BatchView {
	return { createdAt, keptUntil, countedAt, total: ids.length, counts };
}
