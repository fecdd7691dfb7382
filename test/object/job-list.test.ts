import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { JobNews, ListedJob } from '../../src/core/job/news.ts';
import type { ListNews } from '../../src/core/list/entry.ts';
import { matchesFilter } from '../../src/core/list/filter.ts';
import {
	BELIEVED_MS,
	CHECKPOINT,
	LEAF_JOBS,
	LEAVES_A_TURN,
	PAGE_ITEMS,
	SWEEP_INTERVAL_MS,
	UNHEARD_AT_ONCE,
	UNHEARD_MS,
} from '../../src/core/list/limits.ts';
import type { JobCounts, JobFilter } from '../../src/core/list/list-api.ts';
import type { Position } from '../../src/core/list/position.ts';
import { JobList } from '../../src/object/job-list.ts';
import { countListed, readListPage } from '../../src/object/list-reader.ts';
import { erased, idFor, type MadeJob, newsFor, T0 } from '../core/list/news.ts';

const HOUR = 3_600_000;

/** A list over an object's storage, and its log. */
class Bench {
	list: JobList;
	now = T0;
	readonly doubtful: Position[] = [];
	readonly #sql: SqlStorage;

	constructor(sql: SqlStorage) {
		this.#sql = sql;
		sql.exec('CREATE TABLE test_log (last INTEGER PRIMARY KEY, extra TEXT NOT NULL)');
		this.list = this.#open();
	}

	/** As the object of the topic does it. @returns the events, as `nth seq type`. */
	tell(...news: ListNews[]): string[] {
		const { events, extra, doubtful } = this.list.apply(news, this.now);
		this.doubtful.push(...doubtful);
		if (extra !== undefined) {
			const row = this.#sql
				.exec<{ last: number }>('INSERT INTO test_log (extra) VALUES (?) RETURNING last', extra)
				.one();
			this.list.logged({ ...row, extra });
		}
		return events.map(({ news: { id }, event: { seq, type } }) => `${Number.parseInt(id.slice(8), 16)} ${seq} ${type}`);
	}

	/** The job was asked, and does not exist. */
	erase(position: Position): void {
		const news = this.list.erasure(position, this.now);
		if (news) this.tell(news);
	}

	restart(): void {
		this.list = this.#open();
	}

	/** Follows the cursors. */
	ids(filter: JobFilter = {}, limit: number = PAGE_ITEMS.max): string[] {
		return this.jobs(filter, limit).map(({ id }) => id);
	}

	jobs(filter: JobFilter = {}, limit: number = PAGE_ITEMS.max): ListedJob[] {
		const found: ListedJob[] = [];
		let cursor: string | undefined;
		do {
			const page = readListPage(
				this.list.leaves,
				cursor === undefined ? { filter, limit } : { filter, limit, cursor },
				this.now,
			);
			expect(page.entries.length).toBeLessThanOrEqual(limit);
			found.push(...page.entries.map(({ job }) => job));
			cursor = page.nextCursor;
		} while (cursor !== undefined);
		return found;
	}

	async counts(filter: JobFilter = {}): Promise<JobCounts> {
		return (await countListed(this.list.leaves, filter, this.now)).counts;
	}

	rows(table: string): number {
		return Number(this.#sql.exec(`SELECT COUNT(*) AS rows FROM ${table}`).one().rows);
	}

	#open(): JobList {
		const sql = this.#sql;
		const after = (position: number) =>
			sql.exec<{ last: number; extra: string }>(
				'SELECT last, extra FROM test_log WHERE last > ? ORDER BY last',
				position,
			);
		return new JobList(sql, { after }, this.now);
	}
}

function withList(test: (bench: Bench) => void | Promise<void>): Promise<void> {
	return runInDurableObject(env.TENANTS.get(env.TENANTS.newUniqueId()), async (_, { storage }) =>
		test(new Bench(storage.sql)),
	);
}

const range = (count: number) => Array.from({ length: count }, (_, nth) => nth);
const newestFirst = (count: number) => range(count).map(idFor).reverse();

describe('the list', () => {
	it('has each job once, the newest first, over many leaves, pages and restarts', () =>
		withList((bench) => {
			const jobs = 3 * LEAF_JOBS.max + CHECKPOINT.news;
			for (let nth = 0; nth < jobs; nth += 7)
				bench.tell(...range(7).flatMap((more) => (nth + more < jobs ? [newsFor({ nth: nth + more })] : [])));
			expect(bench.ids()).toEqual(newestFirst(jobs));
			bench.restart();
			expect(bench.ids({}, 33)).toEqual(newestFirst(jobs));
			expect(bench.rows('list_leaves')).toBeGreaterThan(3);
		}));

	it('writes few rows: none without a checkpoint, and at most one for 20 news with', () =>
		withList((bench) => {
			for (let nth = 0; nth < CHECKPOINT.news / 2 - 1; nth++) {
				bench.tell(newsFor({ nth }));
				bench.tell(newsFor({ nth, phase: 'succeeded', seq: 3, goneAt: T0 + HOUR }));
			}
			expect(bench.rows('list_leaves')).toBe(0);
			bench.tell(newsFor({ nth: 5_000 }), newsFor({ nth: 5_001 }));
			const rows = 2 * bench.rows('list_leaves') + bench.rows('list_state');
			expect(rows).toBeGreaterThan(0);
			expect(rows).toBeLessThan(CHECKPOINT.news / 20);
			expect(bench.list.stored).toBeGreaterThan(0);
		}));

	it('takes jobs that come late, or all at one moment, into leaves of a bounded size', () =>
		withList((bench) => {
			const jobs = 4 * LEAF_JOBS.max;
			const shuffled = range(jobs).sort((a, b) => (idFor(a) < idFor(b) ? -1 : 1));
			for (const nth of shuffled) bench.tell(newsFor({ nth, createdAt: T0 + (nth >> 9) }));
			const wanted = range(jobs).sort((a, b) => (b >> 9) - (a >> 9) || (idFor(a) < idFor(b) ? 1 : -1));
			expect(bench.ids()).toEqual(wanted.map(idFor));
			bench.restart();
			expect(bench.ids()).toEqual(wanted.map(idFor));
		}));

	it('shows the newest state, whatever the order of the news, and each event once', () =>
		withList((bench) => {
			const ended = newsFor({ nth: 1, phase: 'failed', seq: 3, errorCode: 'Bad', goneAt: T0 + HOUR });
			expect(bench.tell(newsFor({ nth: 1 }))).toEqual(['1 1 accepted']);
			expect(bench.tell(newsFor({ nth: 1 }))).toEqual([]);
			expect(bench.tell(ended, newsFor({ nth: 1 }))).toEqual(['1 3 failed']);
			expect(bench.tell(newsFor({ nth: 2, phase: 'succeeded', seq: 2, goneAt: T0 + HOUR }))).toEqual([
				'2 1 accepted',
				'2 2 succeeded',
			]);
			bench.restart();
			expect(bench.tell(newsFor({ nth: 1 }), ended, newsFor({ nth: 2 }))).toEqual([]);
			expect(bench.jobs().map(({ status }) => status)).toEqual(['succeeded', 'failed']);
			// A retry.
			expect(bench.tell(newsFor({ nth: 1, phase: 'queued', seq: 5 }))).toEqual([]);
			expect(bench.jobs()[1]).toMatchObject({ id: idFor(1), status: 'pending', seq: 5 });
		}));

	it('writes no row of the log for news that changes nothing', () =>
		withList((bench) => {
			for (let round = 0; round < 3; round++) bench.tell(newsFor({ nth: 1 }), newsFor({ nth: 2 }));
			expect(bench.rows('test_log')).toBe(1);
		}));

	it('does not bring an erased job back, and tells its events all the same', () =>
		withList(async (bench) => {
			expect(bench.tell(erased({ nth: 1, seq: 3, goneAt: T0 + HOUR }))).toEqual([]);
			const late = newsFor({ nth: 1, phase: 'succeeded', seq: 2, goneAt: T0 + 5 * HOUR });
			expect(bench.tell(late)).toEqual(['1 1 accepted', '1 2 succeeded']);
			expect(bench.ids()).toEqual([]);
			expect(await bench.counts()).toEqual({ total: 0, byStatus: {}, byTask: {}, byErrorCode: {} });
			bench.restart();
			expect(bench.tell(late)).toEqual([]);
			expect(bench.ids()).toEqual([]);
		}));

	it('has a job whose key was used again once, also when nobody told that the earlier one was erased', () =>
		withList((bench) => {
			for (const nth of range(LEAF_JOBS.max * 2)) bench.tell(newsFor({ nth }));
			const again = newsFor({ nth: 7, createdAt: T0 + HOUR });
			expect(bench.tell(again)).toEqual(['7 1 accepted']);
			expect(bench.tell(newsFor({ nth: 7, phase: 'succeeded', seq: 2, goneAt: T0 + 2 * HOUR }))).toEqual([]);
			const wanted = [idFor(7), ...newestFirst(LEAF_JOBS.max * 2).filter((id) => id !== idFor(7))];
			expect(bench.ids()).toEqual(wanted);
			bench.restart();
			expect(bench.ids()).toEqual(wanted);
		}));

	it('has each job once while keys are used again and again, over divisions, checkpoints, sweeps and restarts', () =>
		withList(async (bench) => {
			const random = randomFrom(9);
			const newest = new Map<string, number>();
			for (let round = 0; round < 150; round++) {
				bench.now += 60_000;
				const told = range(60).map(() => newsFor({ nth: random(3_000), createdAt: bench.now - random(9 * HOUR) }));
				for (const { id, createdAt } of told) newest.set(id, Math.max(createdAt, newest.get(id) ?? 0));
				bench.tell(...told);
				if (random(20) === 0) bench.restart();
				if (random(5) === 0) bench.list.sweep(bench.now);
			}
			const listed = bench.jobs().map(({ id, createdAt }) => [id, Date.parse(createdAt)]);
			expect(listed).toHaveLength(newest.size);
			expect((await bench.counts()).total).toBe(newest.size);
			expect(new Map(listed as [string, number][])).toEqual(newest);
		}));

	it('counts jobs whose keys were used again right after a restart, too', () =>
		withList(async (bench) => {
			const ended = (nth: number, createdAt: number) =>
				newsFor({ nth, createdAt, phase: 'succeeded', seq: 2, goneAt: T0 + 9 * HOUR });
			for (const createdAt of [T0, T0 + HOUR, T0 + 2 * HOUR]) {
				bench.tell(...range(3).map((nth) => newsFor({ nth, createdAt })));
				bench.tell(...range(3).map((nth) => ended(nth, createdAt)));
				bench.restart();
				expect(await bench.counts()).toMatchObject({ total: 3, byStatus: { succeeded: 3 } });
			}
			expect(bench.list.leaves.all.map(({ size, unfinished }) => [size, unfinished])).toEqual([[3, 0]]);
			expect(bench.ids()).toHaveLength(3);
		}));

	it('has it once after a restart, too, with both jobs in the log or with the first one in a row', () =>
		withList((bench) => {
			bench.tell(newsFor({ nth: 3 }));
			bench.tell(newsFor({ nth: 3, createdAt: T0 + HOUR }), newsFor({ nth: 4 }));
			const wanted = [idFor(3), idFor(4)];
			expect(bench.ids()).toEqual(wanted);
			bench.restart();
			expect(bench.ids()).toEqual(wanted);
			for (const nth of range(CHECKPOINT.news)) bench.tell(newsFor({ nth: 10 + nth }));
			bench.tell(newsFor({ nth: 10, createdAt: T0 + 2 * HOUR }));
			bench.restart();
			const ids = bench.ids();
			expect(ids).toHaveLength(2 + CHECKPOINT.news);
			expect(new Set(ids).size).toBe(ids.length);
			expect(ids[0]).toBe(idFor(10));
		}));

	it('drops a job at the millisecond when it is gone, from pages, counts and later from storage', () =>
		withList(async (bench) => {
			const jobs = CHECKPOINT.news + LEAF_JOBS.full;
			for (const nth of range(jobs))
				bench.tell(newsFor({ nth, phase: 'succeeded', seq: 2, goneAt: T0 + HOUR + (nth % 2) * HOUR }));
			bench.now = T0 + HOUR - 1;
			expect(bench.ids()).toHaveLength(jobs);
			bench.now++;
			expect(bench.ids()).toHaveLength(jobs / 2);
			expect(await bench.counts()).toMatchObject({ total: jobs / 2, byStatus: { succeeded: jobs / 2 } });
			expect(bench.tell(newsFor({ nth: 0, phase: 'failed', seq: 9, goneAt: T0 + HOUR }))).toEqual([]);
			expect(bench.list.sweep(bench.now)).toBe(T0 + 2 * HOUR);
			bench.now = T0 + 2 * HOUR;
			expect(bench.ids()).toEqual([]);
			expect(bench.list.sweep(bench.now)).toBeUndefined();
			expect([bench.rows('list_leaves'), bench.rows('list_directory')]).toEqual([0, 0]);
			bench.restart();
			expect(bench.ids()).toEqual([]);
		}));

	it('joins leaves of which little is left', () =>
		withList((bench) => {
			const jobs = 2 * CHECKPOINT.news;
			for (const nth of range(jobs)) {
				const goneAt = T0 + HOUR * (nth % 100 === 0 ? 50 : 1);
				bench.tell(newsFor({ nth, phase: 'succeeded', seq: 2, goneAt }));
			}
			bench.now = T0 + 2 * HOUR;
			expect(bench.rows('list_leaves')).toBeGreaterThan(10);
			while (bench.list.sweep(bench.now) === bench.now);
			const wanted = newestFirst(jobs).filter((_, at) => (jobs - 1 - at) % 100 === 0);
			expect(bench.ids()).toEqual(wanted);
			expect(bench.rows('list_leaves')).toBe(1);
			bench.restart();
			expect(bench.ids()).toEqual(wanted);
		}));

	it('counts each job once while its leaf is divided between two turns', () =>
		withList(async (bench) => {
			const jobs = 12 * LEAF_JOBS.full;
			bench.tell(...range(jobs).map((nth) => newsFor({ nth, createdAt: T0 + 10 * nth, correlationId: 'c' })));
			const counting = bench.counts({ correlationId: 'c' });
			// Of the leaf that was read last.
			const first = (LEAVES_A_TURN.jobs - 1) * LEAF_JOBS.full;
			bench.tell(
				...range(LEAF_JOBS.full + 1).map((nth) => newsFor({ nth: jobs + nth, createdAt: T0 + 10 * first + 1 })),
			);
			expect((await counting).total).toBe(jobs);
		}));

	it('counts each job once while its leaf joins others between two turns', () =>
		withList(async (bench) => {
			const jobs = 12 * LEAF_JOBS.full;
			const goneAt = (nth: number) => T0 + HOUR * (nth % 100 === 0 ? 50 : 1);
			for (let nth = 0; nth < jobs; nth++)
				bench.tell(newsFor({ nth, phase: 'succeeded', seq: 2, goneAt: goneAt(nth), correlationId: 'c' }));
			bench.now = T0 + 2 * HOUR;
			const counting = bench.counts({ correlationId: 'c' });
			bench.list.sweep(bench.now);
			expect(bench.rows('list_leaves')).toBe(1);
			expect((await counting).total).toBe(Math.ceil(jobs / 100));
		}));

	it('finds the oldest pending job', () =>
		withList(async (bench) => {
			for (const nth of range(LEAF_JOBS.max * 3))
				bench.tell(newsFor({ nth, ...(nth % 300 === 299 ? {} : { phase: 'succeeded', seq: 2, goneAt: T0 + HOUR }) }));
			expect(await bench.counts()).toMatchObject({ oldestPendingAt: T0 + 299 });
			expect(await bench.counts({ createdAfter: T0 + 300 })).toMatchObject({ oldestPendingAt: T0 + 599 });
			expect(await bench.counts({ status: 'succeeded' })).not.toHaveProperty('oldestPendingAt');
		}));
});

describe('an unfinished job without news', () => {
	it('is asked after 30 seconds, then at intervals that double, at most 100 at once, whether or not the list restarts', () =>
		withList((bench) => {
			const jobs = 250;
			bench.tell(...range(jobs).map((nth) => newsFor({ nth, createdAt: T0, phase: nth % 2 ? 'running' : 'queued' })));
			bench.tell(newsFor({ nth: 999, createdAt: T0, phase: 'succeeded', seq: 2, goneAt: T0 + HOUR }));
			const asked = (): number => {
				const { jobs, nextAt } = bench.list.unheard(bench.now);
				expect(jobs.length).toBeLessThanOrEqual(UNHEARD_AT_ONCE);
				return nextAt === bench.now ? jobs.length + asked() : jobs.length;
			};
			const { first } = UNHEARD_MS;
			expect(bench.list.unheard(bench.now)).toEqual({ jobs: [], nextAt: T0 + first });
			const found: number[] = [];
			for (bench.now = T0; bench.now < T0 + 8 * first; bench.now += first) found.push(asked());
			expect(found).toEqual([0, jobs, 0, jobs, 0, 0, 0, jobs]);
			for (let round = 0; round < 3; round++, bench.now += first) {
				bench.restart();
				expect(asked()).toBe(0);
			}
			bench.now = T0 + 15 * first;
			bench.restart();
			expect(asked()).toBe(jobs);
			expect(asked()).toBe(0);
		}));

	it('is no longer listed when it does not exist, also after a restart with its news', () =>
		withList((bench) => {
			bench.tell(newsFor({ nth: 1 }), newsFor({ nth: 2 }));
			bench.erase({ id: idFor(1), createdAt: T0 + 99 });
			expect(bench.ids()).toEqual([idFor(2), idFor(1)]);
			bench.erase({ id: idFor(1), createdAt: T0 + 1 });
			expect(bench.ids()).toEqual([idFor(2)]);
			bench.restart();
			expect(bench.ids()).toEqual([idFor(2)]);
			bench.now += UNHEARD_MS.first + 2;
			expect(bench.list.unheard(bench.now).jobs.map(({ id }) => id)).toEqual([idFor(2)]);
		}));

	it('that was found not to exist is not brought back by late news, and has no event twice', () =>
		withList((bench) => {
			expect(bench.tell(newsFor({ nth: 1 }))).toEqual(['1 1 accepted']);
			bench.erase({ id: idFor(1), createdAt: T0 + 1 });
			expect(bench.tell(newsFor({ nth: 1, readAt: T0 + 1 }))).toEqual([]);
			bench.now += BELIEVED_MS + 1;
			bench.list.sweep(bench.now);
			expect(bench.tell(newsFor({ nth: 1, phase: 'running', seq: 2, readAt: T0 + 2 }))).toEqual([]);
			bench.now += 2 * HOUR;
			bench.list.sweep(bench.now);
			expect(bench.tell(newsFor({ nth: 1, readAt: T0 + 1 }))).toEqual([]);
			expect(bench.ids()).toEqual([]);
		}));
});

describe('late news', () => {
	const left = { nth: 1, phase: 'succeeded', seq: 2, goneAt: T0 + 2 * HOUR } as const;

	it.each([
		['accepted', newsFor({ nth: 1, readAt: T0 + 1 })],
		['an end', newsFor({ ...left, goneAt: T0 + 48 * HOUR, readAt: T0 + 1 })],
	])('of a job that has left the list brings nothing back, but names the job to ask: %s', (_, late) =>
		withList(async (bench) => {
			bench.tell(newsFor({ nth: 1 }), newsFor({ nth: 2 }));
			bench.tell(newsFor(left));
			bench.now = T0 + 2 * HOUR + SWEEP_INTERVAL_MS;
			bench.list.sweep(bench.now);
			expect(bench.tell(late)).toEqual([]);
			expect(bench.doubtful).toEqual([{ createdAt: T0 + 1, id: idFor(1) }]);
			expect(bench.ids()).toEqual([idFor(2)]);
			expect(await bench.counts()).toMatchObject({ total: 1 });
		}));

	it('is believed of a job that the list knows, and of one that it cannot have forgotten', () =>
		withList((bench) => {
			bench.tell(newsFor({ nth: 1, readAt: T0 }));
			bench.now = T0 + BELIEVED_MS;
			expect(bench.tell(newsFor({ nth: 2, readAt: T0 }))).toEqual(['2 1 accepted']);
			bench.now += HOUR;
			expect(bench.tell(newsFor({ nth: 1, phase: 'succeeded', seq: 2, goneAt: T0 + 9 * HOUR, readAt: T0 }))).toEqual([
				'1 2 succeeded',
			]);
			expect(bench.doubtful).toEqual([]);
		}));

	it('of how long a finished job is kept counts by the time when the job was read', () =>
		withList((bench) => {
			const ended = (goneAt: number, readAt: number) => newsFor({ ...left, goneAt, readAt });
			bench.tell(ended(T0 + 2 * HOUR, T0 + 1));
			expect(bench.tell(ended(T0 + 3 * HOUR, T0 + 9), ended(T0 + HOUR, T0 + 5))).toEqual([]);
			bench.restart();
			bench.now = T0 + 3 * HOUR - 1;
			bench.list.sweep(bench.now);
			expect(bench.ids()).toEqual([idFor(1)]);
			bench.tell(ended(T0 + HOUR, T0 + 10));
			expect(bench.ids()).toEqual([]);
		}));
});

const TASKS = ['sleep', 'thumbnail', 'profile-csv'];
const PHASES = ['queued', 'running', 'waiting', 'succeeded', 'failed', 'dead-lettered', 'canceled'] as const;
const FINAL: readonly string[] = PHASES.slice(3);

/** The same numbers for a seed. */
function randomFrom(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}

function randomNews(random: (below: number) => number, now: number, jobs: number): MadeJob {
	const nth = random(jobs);
	const phase = PHASES[random(PHASES.length)] ?? 'queued';
	const isOver = FINAL.includes(phase);
	return {
		nth,
		createdAt: T0 + nth * 100,
		phase,
		seq: 1 + random(6),
		task: TASKS[nth % TASKS.length] ?? 'sleep',
		tags: [`all "quoted" ü`, `tag-${nth % 50}`],
		correlationId: `c-${nth >> 1}`,
		updatedAt: now,
		...(isOver && { goneAt: now + 1 + random(40) * 1_000 }),
		...(phase === 'failed' && { errorCode: `Code${random(90)}` }),
	};
}

const FILTERS: readonly JobFilter[] = [
	{},
	{ status: 'failed' },
	{ status: 'pending', task: 'thumbnail' },
	{ phase: 'dead-lettered' },
	{ task: 'sleep' },
	{ tags: ['tag-7'] },
	{ tags: ['all "quoted" ü', 'tag-49'], status: 'succeeded' },
	{ tags: ['none'] },
	{ correlationId: 'c-17' },
	{ errorCode: 'Code3' },
	{ createdAfter: T0 + 30_000, createdBefore: T0 + 70_000 },
	{ createdBefore: T0 + 5_000, status: 'running' },
];

it.each([
	1, 2, 3,
])('the list agrees with a plain model after random news, restarts, sweeps and time (seed %i)', (seed) =>
	withList(async (bench) => {
		const random = randomFrom(seed);
		const model = new Map<string, JobNews>();
		for (let round = 0; round < 60; round++) {
			// Late news of a job that is gone: the list has forgotten that it was there.
			const isOver = ({ id }: JobNews) => (model.get(id)?.goneAt ?? bench.now + 1) <= bench.now;
			const told = range(1 + random(120))
				.map(() => newsFor(randomNews(random, bench.now, 1_200)))
				.filter((news) => !isOver(news));
			for (const news of told) {
				const known = model.get(news.id);
				if (!known || news.seq > known.seq) model.set(news.id, news);
			}
			bench.tell(...told);
			if (random(5) === 0) bench.restart();
			if (random(5) === 0) bench.list.sweep(bench.now);
			if (random(3) === 0) bench.now += random(60_000);
			const filter = FILTERS[round % FILTERS.length] ?? {};
			const visible = [...model.values()]
				.filter(({ goneAt = bench.now + 1 }) => goneAt > bench.now)
				.flatMap(({ job }) => (job && matchesFilter(job, filter) ? [job] : []))
				.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
			expect(bench.jobs(filter, 1 + random(100))).toEqual(visible);
			const { total, byStatus, oldestPendingAt } = await bench.counts(filter);
			const oldest = visible.findLast(({ status }) => status === 'pending');
			expect(oldestPendingAt).toBe(oldest && Date.parse(oldest.createdAt));
			expect(total).toBe(visible.length);
			const failed = visible.filter(({ status }) => status === 'failed').length;
			expect(byStatus.failed ?? 0).toBe(failed);
		}
	}));
