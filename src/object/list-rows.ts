/**
 * The rows of a list: two for each leaf, one that says how far the log is part of them, and one for the last look at unfinished jobs. The directory has what a start
 * reads, so that a list of a million jobs is there after some milliseconds.
 */
import type { LeafParts } from '../core/list/leaf.ts';
import { CACHED_LEAVES } from '../core/list/limits.ts';
import type { PackedLeaf } from '../core/list/packing.ts';

/** A persisted contract. `counts` is NULL where they are too varied; the times of a leaf without finished jobs are NULL. */
const TABLES = `
	CREATE TABLE IF NOT EXISTS list_directory (
		n INTEGER PRIMARY KEY, first_at INTEGER NOT NULL, first_id TEXT NOT NULL, last_at INTEGER NOT NULL,
		last_id TEXT NOT NULL, size INTEGER NOT NULL, unfinished INTEGER NOT NULL, first_gone_at INTEGER,
		last_gone_at INTEGER, counts TEXT
	);
	CREATE TABLE IF NOT EXISTS list_leaves (
		n INTEGER PRIMARY KEY, bloom BLOB NOT NULL, facets TEXT NOT NULL, lines TEXT NOT NULL
	);
	CREATE TABLE IF NOT EXISTS list_state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;`;

const DIRECTORY = `SELECT n, first_at, first_id, last_at, last_id, size, unfinished, first_gone_at, last_gone_at, counts
	FROM list_directory`;
const POSITION = 'position';
const CHECKED_AT = 'checkedAt';

type DirectoryRow = [
	n: number,
	firstAt: number,
	firstId: string,
	lastAt: number,
	lastId: string,
	size: number,
	unfinished: number,
	firstGoneAt: number | null,
	lastGoneAt: number | null,
	counts: string | null,
];

export interface StoredLeaf extends LeafParts {
	readonly n: number;
}

export class ListRows {
	readonly #sql: SqlStorage;
	/** The texts that were read or written last, the oldest first. */
	readonly #texts = new Map<number, string>();

	constructor(sql: SqlStorage) {
		this.#sql = sql;
		this.#sql.exec(TABLES);
	}

	/** In no order. */
	directory(): StoredLeaf[] {
		return Array.from(this.#sql.exec(DIRECTORY).raw<DirectoryRow>(), storedLeaf);
	}

	/** The number of the last row of the log that is part of the leaves; 0 before the first. */
	get position(): number {
		return this.#state(POSITION) ?? 0;
	}

	setPosition(position: number): void {
		this.#setState(POSITION, position);
	}

	/** When all unfinished jobs that had to be asked were taken, in milliseconds since the epoch; `undefined` before the first time. */
	get checkedAt(): number | undefined {
		return this.#state(CHECKED_AT);
	}

	setCheckedAt(at: number): void {
		this.#setState(CHECKED_AT, at);
	}

	text(n: number): string {
		const cached = this.#texts.get(n);
		if (cached !== undefined) return this.#cache(n, cached);
		const [row] = this.#sql.exec<{ lines: string }>('SELECT lines FROM list_leaves WHERE n = ?', n);
		return this.#cache(n, row?.lines ?? '');
	}

	/** It comes before the lines in the row, so that those are not read. */
	bloom(n: number): Uint8Array {
		return new Uint8Array(
			this.#sql.exec<{ bloom: ArrayBuffer }>('SELECT bloom FROM list_leaves WHERE n = ?', n).one().bloom,
		);
	}

	/** As above. */
	facets(n: number): string {
		return this.#sql.exec<{ facets: string }>('SELECT facets FROM list_leaves WHERE n = ?', n).one().facets;
	}

	write(n: number, leaf: PackedLeaf): void {
		const { first, last, size, unfinished, firstGoneAt, lastGoneAt, counts = null, bloom, facets, text } = leaf;
		const goneAts = [firstGoneAt, lastGoneAt].map((at) => (Number.isFinite(at) ? at : null));
		const positions = [first.createdAt, first.id, last.createdAt, last.id];
		const values = [n, ...positions, size, unfinished, ...goneAts, counts];
		this.#sql.exec('INSERT OR REPLACE INTO list_directory VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', ...values);
		this.#sql.exec('INSERT OR REPLACE INTO list_leaves VALUES (?, ?, ?, ?)', n, bloom, facets, text);
		this.#cache(n, text);
	}

	delete(n: number): void {
		this.#sql.exec('DELETE FROM list_directory WHERE n = ?', n);
		this.#sql.exec('DELETE FROM list_leaves WHERE n = ?', n);
		this.#texts.delete(n);
	}

	#state(name: string): number | undefined {
		return this.#sql.exec<{ value: number }>('SELECT value FROM list_state WHERE name = ?', name).toArray()[0]?.value;
	}

	#setState(name: string, value: number): void {
		this.#sql.exec('INSERT OR REPLACE INTO list_state VALUES (?, ?)', name, value);
	}

	#cache(n: number, text: string): string {
		this.#texts.delete(n);
		this.#texts.set(n, text);
		const [oldest] = this.#texts.keys();
		if (this.#texts.size > CACHED_LEAVES && oldest !== undefined) this.#texts.delete(oldest);
		return text;
	}
}

function storedLeaf(row: DirectoryRow): StoredLeaf {
	const [n, firstAt, firstId, lastAt, lastId, size, unfinished, firstGoneAt, lastGoneAt, counts] = row;
	return {
		n,
		first: { createdAt: firstAt, id: firstId },
		last: { createdAt: lastAt, id: lastId },
		size,
		unfinished,
		firstGoneAt: firstGoneAt ?? Number.POSITIVE_INFINITY,
		lastGoneAt: lastGoneAt ?? Number.NEGATIVE_INFINITY,
		counts: counts ?? undefined,
	};
}
