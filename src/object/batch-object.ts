/**
 * One batch's object: the list of its jobs, and the final statuses that are known. A request that reads the batch asks the
 * jobs, and stores the statuses here, so that later requests needn't ask for a while. The object itself calls its jobs only
 * once, to erase them.
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
import type { Added, BatchObjectApi, BatchReading, BatchView, Preparation } from '../core/batch/batch-api.ts';
import { ASKING_MS } from '../core/batch/limits.ts';
import { ALARM_GIVE_UP_MS, ALARM_LAST_TRIES, MIN_ALARM_AHEAD_MS } from '../core/job/limits.ts';
import { isVisibleTo, type Reader } from '../core/job/reader.ts';
import { Jobs } from '../rpc/jobs.ts';
import { withOwnObjects } from '../rpc/own-objects.ts';
import { BatchErasure } from './batch-erasure.ts';
import { BatchCalls010 } from './calls-010.ts';

const KEY = 'batch';

export class BatchObject extends BatchCalls010 implements BatchObjectApi {
	readonly #erasure: BatchErasure;
	/**
	 * `null` when storage holds none, `undefined` before it was loaded. May be newer than the stored batch, where that
	 * saves a row.
	 */
	#batch: BatchRecord | null | undefined;
	/** A request is asking the jobs until this time. */
	#askedUntil = 0;

	constructor(ctx: DurableObjectState, env: object) {
		super(ctx, env);
		this.#erasure = new BatchErasure(ctx.storage.kv, new Jobs(withOwnObjects(env, ctx).JOBS));
	}

	async prepare({ erasure, ...request }: Preparation): Promise<boolean> {
		const now = Date.now();
		const batch = this.#current(now);
		if (batch && !isSameRequest(batch, request)) return false;
		if (!erasure) return true;
		this.#erasure.plan(erasure);
		this.#setAlarm();
		return true;
	}

	async add(submitted: Submitted): Promise<Added> {
		const now = Date.now();
		const before = this.#current(now);
		if (before && !isSameRequest(before, submitted)) return { added: false };
		const batch = withJobs(before, submitted, now);
		this.#save(batch);
		this.#setAlarm();
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

	override async alarm(info?: AlarmInvocationInfo): Promise<void> {
		const now = Date.now();
		// Before storage is read, which may be what fails.
		if ((info?.retryCount ?? 0) >= ALARM_LAST_TRIES) return this.ctx.storage.setAlarm(now + ALARM_GIVE_UP_MS);
		if (now >= this.#erasure.at) {
			await this.#erasure.eraseNext(now, () => this.#setAlarm());
		}
		// An alarm may fire twice, and the key may have a new batch by then.
		if (Number.isFinite(this.#nextAlarmAt(Date.now()))) return this.#setAlarm();
		this.#batch = null;
		await this.ctx.storage.deleteAll();
	}

	/** Writes one row. */
	#setAlarm(): void {
		const now = Date.now();
		void this.ctx.storage.setAlarm(Math.max(this.#nextAlarmAt(now), now + MIN_ALARM_AHEAD_MS));
	}

	/** Infinity if neither a batch nor jobs to erase are left. */
	#nextAlarmAt(now: number): number {
		return Math.min(this.#erasure.at, this.#current(now)?.keptUntil ?? Number.POSITIVE_INFINITY);
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
