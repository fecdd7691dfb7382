/**
 * The idempotency keys of a topic's events, in memory: the key's hash, and the number of its event. An index in storage would cost a
 * row for each event. A closed segment has its hashes in one row, so that a woken object reads few rows to know them again.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

/** Two hashes are equal by chance once in 10^14: then both events are candidates, and the stored key decides. */
const HASH_BYTES = 6;
/** Up to 2^48 events. */
const NUMBER_BYTES = 6;
const ENTRY_BYTES = HASH_BYTES + NUMBER_BYTES;

type Row = Record<string, SqlStorageValue>;

export class TopicKeys {
	readonly #sql: SqlStorage;
	/** `undefined` until it is needed. */
	#numbers: Map<number, number | number[]> | undefined;

	constructor(sql: SqlStorage) {
		this.#sql = sql;
	}

	/** The events that may have this key. */
	candidates(key: string, tables: readonly string[]): readonly number[] {
		this.#numbers ??= this.#load(tables);
		const found = this.#numbers.get(keyHash(key)) ?? [];
		return typeof found === 'number' ? [found] : found;
	}

	add(key: string, seq: number): void {
		if (this.#numbers) noteKey(this.#numbers, keyHash(key), seq);
	}

	/** Writes the keys of a full segment, one row, even if it has none: then its other rows need no reading. */
	close(table: string): void {
		const keyed = this.#keyed(table);
		const entries = Buffer.alloc(keyed.length * ENTRY_BYTES);
		for (const [index, { first, key }] of keyed.entries()) {
			entries.writeUIntBE(keyHash(String(key)), index * ENTRY_BYTES, HASH_BYTES);
			entries.writeUIntBE(Number(first), index * ENTRY_BYTES + HASH_BYTES, NUMBER_BYTES);
		}
		const bytes = entries.buffer.slice(entries.byteOffset, entries.byteOffset + entries.byteLength);
		this.#sql.exec(`INSERT INTO ${table} VALUES (0, 0, 0, 0, NULL, NULL, '', ?)`, bytes);
	}

	/** Forgets deleted events. */
	forgetBefore(first: number): void {
		for (const [hash, found] of this.#numbers ?? []) {
			const kept = (typeof found === 'number' ? [found] : found).filter((seq) => seq >= first);
			if (kept.length === 0) this.#numbers?.delete(hash);
		}
	}

	#load(tables: readonly string[]): Map<number, number | number[]> {
		const numbers = new Map<number, number | number[]>();
		for (const table of tables) {
			const [closed] = this.#sql.exec<Row>(`SELECT extra FROM ${table} WHERE first = 0`).toArray();
			if (closed) noteKeys(numbers, closed.extra as ArrayBuffer);
			else for (const { first, key } of this.#keyed(table)) noteKey(numbers, keyHash(String(key)), Number(first));
		}
		return numbers;
	}

	#keyed(table: string): Row[] {
		return this.#sql.exec<Row>(`SELECT first, key FROM ${table} WHERE key IS NOT NULL ORDER BY first`).toArray();
	}
}

function noteKey(numbers: Map<number, number | number[]>, hash: number, seq: number): void {
	const before = numbers.get(hash);
	if (before === undefined) numbers.set(hash, seq);
	else numbers.set(hash, [...(typeof before === 'number' ? [before] : before), seq]);
}

function noteKeys(numbers: Map<number, number | number[]>, bytes: ArrayBuffer): void {
	const entries = Buffer.from(bytes);
	for (let at = 0; at < entries.byteLength; at += ENTRY_BYTES)
		noteKey(numbers, entries.readUIntBE(at, HASH_BYTES), entries.readUIntBE(at + HASH_BYTES, NUMBER_BYTES));
}

function keyHash(key: string): number {
	return createHash('sha256').update(key).digest().readUIntBE(0, HASH_BYTES);
}
