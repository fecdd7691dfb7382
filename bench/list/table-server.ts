/**
 * The same jobs in a plain table with the obvious indexes, behind `node:http`. It has no access control, no validation and no
 * links, and it is told nothing: it is the least that an answer from such a table can cost.
 *
 *     node table-server.ts sqlite file.db
 *     node table-server.ts postgres postgres://bench@127.0.0.1:5432/postgres single
 *     node table-server.ts postgres postgres://bench@127.0.0.1:5432/postgres composite
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import type { ListedJob } from '../../src/core/job/news.ts';
import { type MadeList, madeNews } from './made-jobs.ts';

const ROWS_AT_ONCE = 5_000;
const COLUMNS = ['text', 'bigint', 'text', 'text', 'text', 'text', 'text', 'text', 'text'];
const TAGS = 7;
const UNNESTED = `SELECT a, b, c, d, e, f, g, string_to_array(h, ' '), i::jsonb
	FROM unnest(${COLUMNS.map((type, nth) => `$${nth + 1}::${type}[]`).join(', ')}) AS t (a, b, c, d, e, f, g, h, i)`;

type Row = readonly (string | number | null | readonly string[])[];

interface Store {
	fill(list: MadeList): Promise<void>;
	query(sql: string, values: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
	/** The condition that the job has a tag, with the placeholder of the value. */
	tagged(table: string, placeholder: string): string;
	placeholder(nth: number): string;
}

const INDEXES = {
	single: ['created_at DESC, id DESC', 'status', 'task', 'correlation_id', 'error_code'],
	composite: ['', 'status, ', 'task, ', 'correlation_id, ', 'error_code, '].map(
		(first) => `${first}created_at DESC, id DESC`,
	),
};

function createIndexes(table: string, kind: keyof typeof INDEXES): string[] {
	return INDEXES[kind].map((columns, nth) => `CREATE INDEX ${table}_${nth} ON ${table} (${columns})`);
}

function rowFor(job: ListedJob, createdAt: number): Row {
	const { id, status, phase, task, correlationId, error, tags } = job;
	return [id, createdAt, status, phase, task, correlationId, error?.code ?? null, tags, JSON.stringify(job)];
}

function* rowsIn(list: MadeList): Generator<Row[]> {
	for (let first = 0; first < list.total; first += ROWS_AT_ONCE) {
		const count = Math.min(ROWS_AT_ONCE, list.total - first);
		yield Array.from({ length: count }, (_, nth) => {
			const { job, createdAt } = madeNews(first + nth, list);
			return rowFor(job as ListedJob, createdAt);
		});
	}
}

/** The tags are in a table of their own, because SQLite has no index for lists. */
function sqlite(file: string): Store {
	const db = new DatabaseSync(file);
	db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -200000');
	return {
		async fill(list) {
			const table = `jobs_${list.total}`;
			db.exec(
				`CREATE TABLE ${table} (id TEXT PRIMARY KEY, created_at INTEGER, status TEXT, phase TEXT, task TEXT, correlation_id TEXT, error_code TEXT, document TEXT)`,
			);
			db.exec(
				`CREATE TABLE ${table}_tags (tag TEXT, created_at INTEGER, id TEXT, PRIMARY KEY (tag, created_at, id)) WITHOUT ROWID`,
			);
			const insert = db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
			const insertTag = db.prepare(`INSERT INTO ${table}_tags VALUES (?, ?, ?)`);
			for (const rows of rowsIn(list)) {
				db.exec('BEGIN');
				for (const row of rows) {
					insert.run(...(row.filter((value) => !Array.isArray(value)) as (string | number | null)[]));
					for (const tag of row[7] as string[]) insertTag.run(tag, row[1] as number, row[0] as string);
				}
				db.exec('COMMIT');
			}
			for (const statement of createIndexes(table, 'composite')) db.exec(statement);
			db.exec('ANALYZE');
		},
		query: async (sql, values) => statementFor(db, sql).all(...(values as string[])),
		tagged: (table, value) => `id IN (SELECT id FROM ${table}_tags WHERE tag = ${value} ORDER BY created_at DESC)`,
		placeholder: () => '?',
	};
}

const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

function statementFor(db: DatabaseSync, sql: string) {
	const known = statements.get(sql) ?? db.prepare(sql);
	statements.set(sql, known);
	return known;
}

async function postgres(connectionString: string, kind: keyof typeof INDEXES): Promise<Store> {
	const { default: pg } = await import(new URL('../peers/node_modules/pg/lib/index.js', import.meta.url).href);
	const schema = `coatcheck_list_${kind}`;
	const pool = new pg.Pool({ connectionString, max: 4, options: `-c search_path=${schema}` });
	await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
	return {
		async fill(list) {
			const table = `jobs_${list.total}`;
			// A table of an earlier run of the same day is used again.
			const { rows: found } = await pool.query(`SELECT obj_description(to_regclass('${table}')) AS filled`);
			if (found[0]?.filled === String(list.now)) return;
			await pool.query(`DROP TABLE IF EXISTS ${table}`);
			await pool.query(
				`CREATE TABLE ${table} (id TEXT PRIMARY KEY, created_at BIGINT, status TEXT, phase TEXT, task TEXT, correlation_id TEXT, error_code TEXT, tags TEXT[], document JSONB)`,
			);
			if (kind === 'composite') await pool.query(`INSERT INTO ${table} TABLE coatcheck_list_single.${table}`);
			else
				for (const rows of rowsIn(list)) {
					const columns = COLUMNS.map((_, nth) =>
						rows.map((row) => (nth === TAGS ? (row[nth] as string[]).join(' ') : row[nth])),
					);
					await pool.query(`INSERT INTO ${table} ${UNNESTED}`, columns);
				}
			for (const statement of createIndexes(table, kind)) await pool.query(statement);
			await pool.query(`CREATE INDEX ${table}_tags ON ${table} USING GIN (tags)`);
			await pool.query(`VACUUM ANALYZE ${table}`);
			await pool.query(`COMMENT ON TABLE ${table} IS '${list.now}'`);
		},
		async query(sql, values) {
			const { rows } = await pool.query({ name: statementName(sql), text: sql, values });
			return rows;
		},
		tagged: (_, value) => `tags @> ARRAY[${value}]`,
		placeholder: (nth) => `$${nth}`,
	};
}

const names = new Map<string, string>();

/** PostgreSQL keeps the plan of a statement with a name. */
function statementName(sql: string): string {
	const known = names.get(sql) ?? `statement-${names.size}`;
	names.set(sql, known);
	return known;
}

const FILTERS: Record<string, string> = {
	status: 'status =',
	phase: 'phase =',
	task: 'task =',
	correlationId: 'correlation_id =',
	errorCode: 'error_code =',
	createdAfter: 'created_at >=',
};

async function answer(store: Store, { pathname, searchParams }: URL, size: string): Promise<object> {
	const table = `jobs_${size}`;
	const values: unknown[] = [];
	const conditions: string[] = [];
	for (const [name, value] of searchParams) {
		if (name === 'limit') continue;
		values.push(name === 'createdAfter' ? Date.parse(value) : value);
		const placeholder = store.placeholder(values.length);
		conditions.push(name === 'tag' ? store.tagged(table, placeholder) : `${FILTERS[name]} ${placeholder}`);
	}
	const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
	if (pathname.endsWith('/counts')) {
		const counts = await store.query(
			`SELECT status, task, error_code, COUNT(*) AS jobs FROM ${table} ${where} GROUP BY 1, 2, 3`,
			values,
		);
		const [oldest] = await store.query(
			`SELECT MIN(created_at) AS at FROM ${table} ${where === '' ? 'WHERE' : `${where} AND`} status = 'pending'`,
			values,
		);
		return { total: counts.reduce((sum, { jobs }) => sum + Number(jobs), 0), counts, oldest };
	}
	const limit = Number(searchParams.get('limit') ?? 20);
	const rows = await store.query(
		`SELECT document FROM ${table} ${where} ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`,
		values,
	);
	const documents = rows
		.slice(0, limit)
		.map(({ document }) => (typeof document === 'string' ? JSON.parse(document) : document));
	return rows.length > limit ? { jobs: documents, nextCursor: documents.at(-1).id } : { jobs: documents };
}

const [kind, address = '', indexes = 'composite'] = process.argv.slice(2);
const store = kind === 'sqlite' ? sqlite(address) : await postgres(address, indexes as keyof typeof INDEXES);

const server = createServer(async ({ url = '/', headers, method }, response) => {
	const asked = new URL(url, 'http://bench');
	const size = String(headers['bench-size'] ?? '0');
	try {
		const isFilling = method === 'POST';
		if (isFilling) await store.fill({ total: Number(size), now: Number(asked.searchParams.get('now')) });
		const isNothing = isFilling || asked.pathname === '/healthz';
		const body = JSON.stringify(isNothing ? { status: 'ok' } : await answer(store, asked, size));
		response
			.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
			.end(body);
	} catch (error) {
		response.writeHead(500).end(String(error));
	}
});
server.listen(0, '127.0.0.1', () =>
	process.send?.({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
);
