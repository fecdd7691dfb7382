/** The record of one topic: whose it is, the settings that it was called with last, and its share of the tenant's quota. */
import { type Allowance, NO_ALLOWANCE } from '../core/topic/allowance.ts';
import type { TopicSettings } from '../core/topic/topic-api.ts';

const KEY = 'topic';

/** Persisted: only add optional fields. */
interface TopicRecord {
	readonly settings: TopicSettings;
	readonly allowance: Allowance;
	/** Since when the topic has no events, in milliseconds since the epoch. Left out while it has some. */
	readonly emptySince?: number;
}

export class TopicRecords {
	readonly #storage: DurableObjectStorage;
	#record: TopicRecord | undefined;

	constructor(storage: DurableObjectStorage) {
		this.#storage = storage;
		this.#record = storage.kv.get<TopicRecord>(KEY);
	}

	/** `undefined` before the first event. */
	get settings(): TopicSettings | undefined {
		return this.#record?.settings;
	}

	get allowance(): Allowance {
		return this.#record?.allowance ?? NO_ALLOWANCE;
	}

	get emptySince(): number | undefined {
		return this.#record?.emptySince;
	}

	/** Writes one row if anything is new. */
	keep(settings: TopicSettings, allowance: Allowance = this.allowance): void {
		const next = { ...this.#record, settings, allowance };
		if (!isSameRecord(next, this.#record)) this.#save(next);
	}

	keepAllowance(allowance: Allowance): void {
		if (this.#record) this.#save({ ...this.#record, allowance });
	}

	/** @param now `undefined`: the topic has events. */
	noteEmpty(now: number | undefined): void {
		if (!this.#record || (now === undefined) === (this.emptySince === undefined)) return;
		const { emptySince: _, ...record } = this.#record;
		this.#save(now === undefined ? record : { ...record, emptySince: now });
	}

	/** Called before everything is deleted. */
	forget(): void {
		this.#record = undefined;
	}

	#save(record: TopicRecord): void {
		this.#record = record;
		this.#storage.kv.put(KEY, record);
	}
}

function isSameRecord(one: TopicRecord, other: TopicRecord | undefined): boolean {
	return JSON.stringify(one) === JSON.stringify(other);
}
