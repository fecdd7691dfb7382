/**
 * The rows of a tenant's object: reservations of jobs in flight, and bytes that finished jobs keep. The totals are in
 * memory, and are computed from the rows whenever the object starts.
 */
import { EXPIRED_AT_ONCE } from '../core/quota/limits.ts';
import type { Reservation, Usage } from '../core/quota/quotas.ts';

/** A persisted contract. Neither table has a separate index, so that each change costs one row. */
const TABLES = `
	CREATE TABLE IF NOT EXISTS in_flight (
		name TEXT NOT NULL PRIMARY KEY, job TEXT NOT NULL, bytes INTEGER, held_until INTEGER NOT NULL
	) WITHOUT ROWID;
	CREATE TABLE IF NOT EXISTS kept (
		until INTEGER NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (until, name)
	) WITHOUT ROWID;`;

const NEXT_EXPIRED = 'SELECT until, name FROM kept WHERE until <= ? ORDER BY until LIMIT ?';

type Row = Record<string, SqlStorageValue>;

export class Reservations {
	readonly #sql: SqlStorage;
	#jobsInFlight = 0;
	#storedBytes = 0;

	constructor(sql: SqlStorage) {
		this.#sql = sql;
		this.#sql.exec(TABLES);
		for (const table of ['in_flight', 'kept']) {
			const [sum] = this.#rows(`SELECT COUNT(*) AS jobs, COALESCE(SUM(bytes), 0) AS bytes FROM ${table}`);
			if (table === 'in_flight') this.#jobsInFlight = Number(sum?.jobs);
			this.#storedBytes += Number(sum?.bytes);
		}
	}

	get usage(): Usage {
		return { jobsInFlight: this.#jobsInFlight, storedBytes: this.#storedBytes };
	}

	get(name: string): Reservation | undefined {
		return this.#rows('SELECT * FROM in_flight WHERE name = ?', name).map(toReservation)[0];
	}

	add({ name, job, bytes, heldUntil }: Reservation): void {
		this.#sql.exec('INSERT INTO in_flight VALUES (?, ?, ?, ?)', name, job, bytes ?? null, heldUntil);
		this.#jobsInFlight++;
		this.#storedBytes += bytes ?? 0;
	}

	/** @returns the removed reservation; `undefined` if there was none. */
	remove(name: string): Reservation | undefined {
		const [removed] = this.#rows('DELETE FROM in_flight WHERE name = ? RETURNING *', name).map(toReservation);
		if (!removed) return undefined;
		this.#jobsInFlight--;
		this.#storedBytes -= removed.bytes ?? 0;
		return removed;
	}

	keep(name: string, bytes: number, until: number): void {
		this.#sql.exec('INSERT INTO kept VALUES (?, ?, ?)', until, name, bytes);
		this.#storedBytes += bytes;
	}

	dropKept(name: string, until: number): void {
		this.#subtract(this.#rows('DELETE FROM kept WHERE until = ? AND name = ? RETURNING bytes', until, name));
	}

	/** Deletes expired entries, at most `EXPIRED_AT_ONCE` of them. @returns whether there were any. */
	dropExpired(now: number): boolean {
		const expired = this.#rows(
			`DELETE FROM kept WHERE (until, name) IN (${NEXT_EXPIRED}) RETURNING bytes`,
			now,
			EXPIRED_AT_ONCE,
		);
		this.#subtract(expired);
		return expired.length > 0;
	}

	/** When the next kept entry expires. */
	firstExpiry(): number | undefined {
		return this.#rows('SELECT until FROM kept ORDER BY until LIMIT 1').map(({ until }) => Number(until))[0];
	}

	/** The oldest reservations after the one called `name`. */
	after(name: string, count: number): Reservation[] {
		return this.#rows('SELECT * FROM in_flight WHERE name > ? ORDER BY name LIMIT ?', name, count).map(toReservation);
	}

	/** The jobs of the newest reservations. */
	newestJobs(count: number): string[] {
		return this.#rows('SELECT job FROM in_flight ORDER BY name DESC LIMIT ?', count).map(({ job }) => String(job));
	}

	#subtract(rows: readonly Row[]): void {
		for (const { bytes } of rows) this.#storedBytes -= Number(bytes);
	}

	#rows(statement: string, ...values: (string | number)[]): Row[] {
		return this.#sql.exec<Row>(statement, ...values).toArray();
	}
}

function toReservation({ name, job, bytes, held_until }: Row): Reservation {
	const kept = { name: String(name), job: String(job), heldUntil: Number(held_until) };
	return bytes === null ? kept : { ...kept, bytes: Number(bytes) };
}
