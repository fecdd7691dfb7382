/** The rows of a tenant's object about its topics: the share of each in the quota for topics. */
import type { Granted, TopicAllowanceRequest, TopicsQuery } from '../core/quota/tenant-api.ts';
import { type Allowance, NO_ALLOWANCE, topicShortage } from '../core/topic/allowance.ts';

/** A persisted contract. It is made with the tenant's first topic, because it costs rows. */
const TABLE = `
	CREATE TABLE IF NOT EXISTS topics (
		name TEXT NOT NULL PRIMARY KEY, bytes INTEGER NOT NULL, events INTEGER NOT NULL
	) WITHOUT ROWID`;

type Row = Record<string, SqlStorageValue>;

export class TopicShares {
	readonly #sql: SqlStorage;
	/** The sum of all shares; `undefined` before it was read. */
	#total: Allowance | undefined;

	constructor(sql: SqlStorage) {
		this.#sql = sql;
	}

	/** Grants what the topic wants or, if that is too much, what it needs. */
	grant({ topic, needed, wanted, quotas }: TopicAllowanceRequest): Granted {
		const total = this.#sum();
		const own = this.#shareOf(topic);
		const others = { bytes: total.bytes - own.bytes, events: total.events - own.events };
		const isRoom = topicShortage(others, wanted, quotas) === undefined;
		const shortage = isRoom ? undefined : topicShortage(others, needed, quotas);
		if (shortage) return { shortage };
		const allowance = isRoom ? wanted : needed;
		this.set(topic, allowance);
		return { allowance };
	}

	/** Writes one row. */
	set(topic: string, { bytes, events }: Allowance): void {
		const total = this.#sum();
		const own = this.#shareOf(topic);
		this.#total = { bytes: total.bytes - own.bytes + bytes, events: total.events - own.events + events };
		if (bytes === 0 && events === 0) this.#sql.exec('DELETE FROM topics WHERE name = ?', topic);
		else this.#sql.exec('INSERT OR REPLACE INTO topics VALUES (?, ?, ?)', topic, bytes, events);
	}

	/** Sorted. Makes no table, so that asking costs a tenant without topics no rows. */
	names({ limit, after = '' }: TopicsQuery): string[] {
		if (this.#sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'topics'").toArray().length === 0) return [];
		const rows = this.#sql.exec<Row>('SELECT name FROM topics WHERE name > ? ORDER BY name LIMIT ?', after, limit);
		return rows.toArray().map(({ name }) => String(name));
	}

	#sum(): Allowance {
		if (this.#total) return this.#total;
		this.#sql.exec(TABLE);
		const [sum] = this.#sql
			.exec<Row>('SELECT COALESCE(SUM(bytes), 0) AS bytes, COALESCE(SUM(events), 0) AS events FROM topics')
			.toArray();
		this.#total = { bytes: Number(sum?.bytes), events: Number(sum?.events) };
		return this.#total;
	}

	#shareOf(topic: string): Allowance {
		const [row] = this.#sql.exec<Row>('SELECT bytes, events FROM topics WHERE name = ?', topic).toArray();
		return row ? { bytes: Number(row.bytes), events: Number(row.events) } : NO_ALLOWANCE;
	}
}
