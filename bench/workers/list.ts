/**
 * This deployment with lists of made-up jobs, one for each size. A request's header says which list it is for. The lists are
 * filled by the class that keeps them, with a log of its own.
 */
import { DurableObject } from 'cloudflare:workers';
import { coatcheck } from '../../src/coatcheck.ts';
import type { JobNews } from '../../src/core/job/news.ts';
import type { JobFilter, ListApi, ListQuery } from '../../src/core/list/list-api.ts';
import { JobList } from '../../src/object/job-list.ts';
import { countListed, readListPage } from '../../src/object/list-reader.ts';
import { tasks } from '../../src/tasks/index.ts';
import { type MadeList, madeNews } from '../list/made-jobs.ts';

export { BatchObject } from '../../src/object/batch-object.ts';
export { JobObject } from '../../src/object/job-object.ts';
export { TenantObject } from '../../src/object/tenant-object.ts';
export { UpstreamGate } from '../../src/object/upstream-gate.ts';

const NEWS_AT_ONCE = 500;

/** Rows written: by the log, and in all. */
interface Rows {
	readonly log: number;
	readonly all: number;
}

export class TopicObject extends DurableObject implements ListApi {
	readonly #list: JobList;
	readonly #rows = { log: 0, all: 0 };

	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		const { sql } = ctx.storage;
		sql.exec('CREATE TABLE IF NOT EXISTS bench_log (last INTEGER PRIMARY KEY, extra TEXT NOT NULL)');
		const after = (position: number) =>
			sql.exec<{ last: number; extra: string }>('SELECT * FROM bench_log WHERE last > ? ORDER BY last', position);
		this.#list = new JobList(this.#counting(sql), { after }, Date.now());
	}

	async tell(news: readonly JobNews[]): Promise<void> {
		const { extra } = this.#list.apply(news, Date.now());
		if (extra === undefined) return;
		const { sql } = this.ctx.storage;
		const row = sql.exec<{ last: number }>('INSERT INTO bench_log (extra) VALUES (?) RETURNING last', extra).one();
		this.#rows.log++;
		this.#list.logged({ ...row, extra });
		sql.exec('DELETE FROM bench_log WHERE last <= ?', this.#list.stored);
	}

	async listJobs(query: ListQuery) {
		return readListPage(this.#list.leaves, query, Date.now());
	}

	async countJobs(filter: JobFilter) {
		return (await countListed(this.#list.leaves, filter, Date.now())).counts;
	}

	async countCombinations(filter: JobFilter) {
		return (await countListed(this.#list.leaves, filter, Date.now())).byCombination;
	}

	async fill(list: MadeList, from: number, to: number): Promise<void> {
		for (let first = from; first < to; first += NEWS_AT_ONCE) {
			const count = Math.min(NEWS_AT_ONCE, to - first);
			await this.tell(Array.from({ length: count }, (_, nth) => madeNews(first + nth, list)));
		}
	}

	/**
	 * As at 200 jobs a second for a minute: a call every 100 ms with what was accepted and what ended, up to 30 seconds later.
	 */
	async live(now: number): Promise<Rows & { readonly jobs: number }> {
		const [jobs, aCall, callsLater] = [12_000, 20, 300];
		const list = { total: jobs, now };
		const ends = new Map<number, JobNews[]>();
		this.#rows.log = this.#rows.all = 0;
		for (let call = 0; call <= jobs / aCall + callsLater; call++) {
			const news = ends.get(call) ?? [];
			for (let nth = call * aCall; nth < Math.min(jobs, (call + 1) * aCall); nth++) {
				const end = madeNews(nth, list);
				const { goneAt: _goneAt, job, ...open } = end;
				const at = call + 1 + ((nth * 7_919) % callsLater);
				ends.set(at, [...(ends.get(at) ?? []), end]);
				if (job)
					news.push({
						...open,
						seq: 1,
						events: end.events.slice(0, 1),
						job: { ...job, status: 'pending', phase: 'queued', seq: 1 },
					});
			}
			await this.tell(news);
		}
		return { ...this.#rows, jobs };
	}

	async evict(): Promise<void> {
		this.ctx.abort();
	}

	#counting(sql: SqlStorage): SqlStorage {
		const exec: SqlStorage['exec'] = (...statement) => {
			const cursor = sql.exec<never>(...statement);
			this.#rows.all += cursor.rowsWritten;
			return cursor;
		};
		return { exec } as SqlStorage;
	}
}

const { fetch, queue } = coatcheck({ tasks });

interface ListEnv extends Omit<Env, 'TOPICS'> {
	readonly TOPICS: DurableObjectNamespace<TopicObject>;
}

/** One environment for each size: the settings are read once for each. */
const environments = new Map<string, ListEnv>();

export default {
	async fetch(request, env, ctx) {
		const size = request.headers.get('bench-size') ?? '0';
		const url = new URL(request.url);
		if (!url.pathname.startsWith('/bench/')) return fetch(request as never, environmentFor(size, env), ctx);
		const { now, from, to } = Object.fromEntries([...url.searchParams].map(([name, value]) => [name, Number(value)]));
		const stub = env.TOPICS.get(listId(size, env));
		const list = { total: Number(size), now: now ?? 0 };
		if (url.pathname === '/bench/fill') await stub.fill(list, from ?? 0, to ?? 0);
		if (url.pathname === '/bench/live') return Response.json(await stub.live(list.now));
		if (url.pathname === '/bench/evict') await stub.evict().catch(() => undefined);
		return new Response(null, { status: 204 });
	},
	queue,
} satisfies ExportedHandler<ListEnv>;

function environmentFor(size: string, env: ListEnv): ListEnv {
	const known = environments.get(size);
	if (known) return known;
	const TOPICS = { idFromName: () => listId(size, env), get: (id: DurableObjectId) => env.TOPICS.get(id) };
	const environment = { ...env, TOPICS } as unknown as ListEnv;
	environments.set(size, environment);
	return environment;
}

function listId(size: string, env: ListEnv): DurableObjectId {
	return env.TOPICS.idFromName(`list of ${size}`);
}
