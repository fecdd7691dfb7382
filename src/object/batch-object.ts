/**
 * One batch's object: the list of its jobs, and which of them nobody needs to ask again. It calls nobody: a request that wants
 * to know how the batch is asks the jobs, and leaves here what it heard, so that the next one needn't for a while.
 */
import { DurableObject } from 'cloudflare:workers';
import {
	type BatchRecord,
	type Counts,
	countsOf,
	type Findings,
	goodForMs,
	unsettled,
	withFindings,
} from '../batch/batch.ts';
import type { BatchObjectApi, BatchView, Look, NewBatch, Opened } from '../batch/batch-api.ts';

const KEY = 'batch';

export class BatchObject extends DurableObject implements BatchObjectApi {
	/** `null` when storage holds none, `undefined` until it was looked for. */
	#batch: BatchRecord | null | undefined;
	/** What was counted last. Forgetting it costs another count. */
	#counted: { readonly counts: Counts; readonly at: number } | undefined;

	async open({ tenant, fingerprint, ids, keptUntil }: NewBatch): Promise<Opened> {
		const now = Date.now();
		const existing = this.#current(now);
		if (existing) {
			const isSame = existing.tenant === tenant && existing.fingerprint === fingerprint;
			return isSame ? { opened: true, view: viewOf(existing), isReplay: true } : { opened: false };
		}
		const batch: BatchRecord = {
			version: 1,
			tenant,
			...(fingerprint !== undefined && { fingerprint }),
			createdAt: now,
			keptUntil,
			ids,
			succeeded: [],
			gone: [],
		};
		this.#save(batch);
		void this.ctx.storage.setAlarm(keptUntil);
		return { opened: true, view: viewOf(batch), isReplay: false };
	}

	async look(tenant: string, createdAt?: number): Promise<Look> {
		const now = Date.now();
		const batch = this.#current(now);
		if (batch?.tenant !== tenant || (createdAt ?? batch.createdAt) !== batch.createdAt) return { found: 'nothing' };
		const view = viewOf(batch);
		const open = unsettled(batch);
		if (this.#counted && now - this.#counted.at < goodForMs(open.length)) {
			const { counts, at } = this.#counted;
			return { found: 'counts', view, counts, countedAt: at };
		}
		const { ids, succeeded, gone } = batch;
		return { found: 'jobs', view, known: { succeeded, gone }, ask: open.map((index) => [index, ids[index] ?? '']) };
	}

	async note(findings: Findings, countedAt: number): Promise<void> {
		const batch = this.#current(Date.now());
		if (!batch) return;
		this.#counted = { counts: countsOf(batch, findings), at: countedAt };
		const next = withFindings(batch, findings);
		if (next !== batch) this.#save(next);
	}

	override async alarm(): Promise<void> {
		this.#batch = null;
		this.#counted = undefined;
		await this.ctx.storage.deleteAll();
	}

	/** The batch, unless its time is over, whether the alarm was here yet or not. */
	#current(now: number): BatchRecord | undefined {
		if (this.#batch === undefined) this.#batch = this.ctx.storage.kv.get<BatchRecord>(KEY) ?? null;
		return this.#batch && now < this.#batch.keptUntil ? this.#batch : undefined;
	}

	/** One row. */
	#save(batch: BatchRecord): void {
		this.#batch = batch;
		this.ctx.storage.kv.put(KEY, batch);
	}
}

function viewOf({ createdAt, keptUntil, ids }: BatchRecord): BatchView {
	return { createdAt, keptUntil, total: ids.length };
}
