/** The list of jobs and the topic `jobs` in one object: late news, and storage that fails. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { JobNews } from '../../src/core/job/news.ts';
import { CHECKPOINT, LEAF_JOBS, NEWS_IN_ROW, PAGE_ITEMS, UNHEARD_MS } from '../../src/core/list/limits.ts';
import type { ListApi } from '../../src/core/list/list-api.ts';
import type { TopicObjectApi } from '../../src/core/topic/topic-api.ts';
import type { TopicObject } from '../../src/object/topic-object.ts';
import { newsFor, T0 } from '../core/list/news.ts';
import { tenantOfActions } from '../flow/action-client.ts';
import { objectOf } from '../flow/client.ts';
import { advanceClock, failStatements, fireAlarm, keepObjectsAway } from '../flow/faults.ts';
import { topicObject } from '../topics/client.ts';

const HOUR = 3_600_000;
/** The object, with the types of its calls. */
type List = ListApi & Pick<TopicObjectApi, 'readEvents'>;

afterEach(() => {
	vi.restoreAllMocks();
});

/** All jobs of the list, newest first. */
async function jobsIn(list: List): Promise<{ readonly id: string; readonly status: string }[]> {
	const found: { id: string; status: string }[] = [];
	let cursor: string | undefined;
	do {
		const query = { filter: {}, limit: PAGE_ITEMS.max };
		const page = await list.listJobs(cursor === undefined ? query : { ...query, cursor });
		found.push(...page.entries.map(({ job: { id, status } }) => ({ id, status })));
		cursor = page.nextCursor;
	} while (cursor !== undefined);
	return found;
}

/** The events of the topic, as `id type`. */
async function eventsIn(list: List): Promise<string[]> {
	const found: string[] = [];
	for (let after = 0; ; ) {
		const { events, lastSeq, hasMore } = await list.readEvents({ after, limit: 1_000, filter: {} });
		for (const text of events) {
			const { type, data } = JSON.parse(text) as { type: string; data: { id: string } };
			found.push(`${data.id} ${type}`);
		}
		if (!hasMore) return found;
		after = lastSeq;
	}
}

const listOf = (tenant: string) => topicObject('jobs', tenant) as unknown as List;
const stubOf = (list: List) => list as unknown as DurableObjectStub<TopicObject>;
const newList = () => listOf(crypto.randomUUID());

/** Tells the list without a call, so that its error is not one of the platform, too. */
function errorOfTelling(list: List, news: readonly JobNews[]): Promise<string> {
	return runInDurableObject(stubOf(list), (object) => object.tell(news).then(() => 'none', String));
}
const range = (count: number) => Array.from({ length: count }, (_, nth) => nth);

async function readNews(job: { readonly id: string }): Promise<JobNews> {
	const news = await objectOf(job).readNews();
	if (!news) throw new Error('Expected a job');
	return news;
}

describe('news that comes hours late', () => {
	it('brings no erased job back, and tells no event again', async () => {
		const tenant = tenantOfActions();
		const list = listOf(tenant.by.tenant);
		const job = await tenant.submit({ seconds: 0 }, { retainSeconds: 60 });
		const late = { ...(await readNews(job)), seq: 1 };
		await tenant.jobUntil(job.id, 'succeeded');
		await tenant.listed({ status: 'succeeded' }, 1);
		advanceClock(3 * HOUR);
		await fireAlarm(job);
		await runDurableObjectAlarm(stubOf(list));
		expect(await objectOf(job).readNews()).toBeUndefined();
		await list.tell([late]);
		expect(await jobsIn(list)).toEqual([]);
		expect(await eventsIn(list)).toEqual([`${job.id} accepted`, `${job.id} succeeded`]);
	});

	it('about a job that the list never heard of makes the list ask the job', async () => {
		const tenant = tenantOfActions();
		const job = await tenant.submit({ seconds: 0 }, { delaySeconds: 7_200 });
		const late = await readNews(job);
		await (await tenant.send(`/v1/jobs/${job.id}/cancel`, { method: 'POST' })).text();
		advanceClock(HOUR);
		const list = newList();
		await list.tell([late]);
		expect(await jobsIn(list)).toEqual([{ id: job.id, status: 'canceled' }]);
	});

	it('counts as not told while its job cannot be asked', async () => {
		vi.spyOn(console, 'error').mockImplementation(() => {});
		const tenant = tenantOfActions();
		const job = await tenant.submit({ seconds: 0 }, { delaySeconds: 7_200 });
		const late = await readNews(job);
		advanceClock(HOUR);
		const list = newList();
		keepObjectsAway({ methods: ['readNews'], awayMs: HOUR });
		expect(await errorOfTelling(list, [late])).toContain('1 jobs of late news could not be asked');
		expect(await jobsIn(list)).toEqual([]);
	});
});

describe('the events of the topic', () => {
	it('are deleted by their age, also when the last row has several, and the jobs stay', async () => {
		const list = newList();
		const now = Date.now();
		const ended = { phase: 'succeeded', seq: 2, createdAt: now, goneAt: now + 30 * 24 * HOUR } as const;
		await list.tell([newsFor({ nth: 1, ...ended }), newsFor({ nth: 2, ...ended })]);
		expect(await eventsIn(list)).toHaveLength(4);
		advanceClock(30 * HOUR);
		await runDurableObjectAlarm(stubOf(list));
		await evictDurableObject(stubOf(list));
		const { events, lastSeq } = await list.readEvents({ after: 0, limit: 10, filter: {} });
		expect(events.map((text) => JSON.parse(text))).toMatchObject([{ type: 'gap', data: { first: 5 } }]);
		expect(lastSeq).toBe(4);
		expect(await jobsIn(list)).toHaveLength(2);
		// Nothing is left to do before the jobs are gone.
		const alarmAt = await runInDurableObject(stubOf(list), (_, { storage }) => storage.getAlarm());
		expect(alarmAt).toBeGreaterThan(now + 29 * 24 * HOUR);
	});
});

describe('the alarm that looks after unfinished jobs', () => {
	const told = (nth: number) => newsFor({ nth, createdAt: Date.now() });
	const alarmOf = (list: List) => runInDurableObject(stubOf(list), (_, { storage }) => storage.getAlarm());

	it('comes in time though the list is told of others and restarts all the while', async () => {
		const list = newList();
		await list.tell([told(1)]);
		const alarmAt = await alarmOf(list);
		expect(alarmAt).toBeGreaterThan(Date.now());
		advanceClock(20_000);
		await evictDurableObject(stubOf(list));
		await list.tell([told(2)]);
		expect(await alarmOf(list)).toBe(alarmAt);
	});

	it('comes in time though the topic gets its first event since all others were deleted', async () => {
		vi.spyOn(console, 'error').mockImplementation(() => {});
		const list = newList();
		const [one, two] = [told(1), told(2)];
		await list.tell([one, two]);
		advanceClock(30 * HOUR);
		await runDurableObjectAlarm(stubOf(list));
		const alarmAt = await alarmOf(list);
		expect(alarmAt).toBeLessThanOrEqual(Date.now() + UNHEARD_MS.max);
		await evictDurableObject(stubOf(list));
		const { createdAt } = two;
		await list.tell([newsFor({ nth: 2, createdAt, phase: 'succeeded', seq: 2, goneAt: Date.now() + HOUR })]);
		expect(await alarmOf(list)).toBe(alarmAt);
	});
});

it('a topic that was forgotten after a month lists the jobs that come next', async () => {
	const list = newList();
	const now = Date.now();
	await list.tell([newsFor({ nth: 1, createdAt: now, phase: 'succeeded', seq: 2, goneAt: now + HOUR })]);
	await runInDurableObject(stubOf(list), async (object, { storage }) => {
		for (let day = 0; (await storage.getAlarm()) !== null; day++) {
			expect(day).toBeLessThan(40);
			advanceClock(25 * HOUR);
			await storage.deleteAlarm();
			await object.alarm();
		}
	});
	const next = newsFor({ nth: 2, createdAt: Date.now() });
	await list.tell([next]);
	expect(await jobsIn(list)).toEqual([{ id: next.id, status: 'pending' }]);
	expect(await eventsIn(list)).toEqual([`${next.id} accepted`]);
});

/** More jobs, all older, than one leaf has room for. */
const NEWER = range(LEAF_JOBS.full).map((nth) => newsFor({ nth, createdAt: T0 + HOUR + nth }));
const OLDER = range(2 * LEAF_JOBS.max).map((nth) => newsFor({ nth: 1_000 + nth, createdAt: T0 + nth }));
const idsOf = (jobs: readonly { readonly id: string }[]) => jobs.map(({ id }) => id);
const ALL_NEWEST_FIRST = idsOf([...OLDER, ...NEWER]).reverse();

describe('a list whose storage fails', () => {
	it.each([
		['between the two rows of a leaf', 'INTO list_leaves', 1],
		['at the second leaf of a division', 'INTO list_directory', 2],
		['at the row of the log', 'INSERT INTO log_', 5],
		['at the table of the log', 'CREATE TABLE log_', 0],
	])('%s has each job and each event once when it is told again', async (_, statement, after) => {
		const list = newList();
		if (after > 0) await list.tell(NEWER);
		const failed = await failStatements(statement, { after, of: stubOf(list) });
		expect(await errorOfTelling(list, after > 0 ? OLDER : NEWER)).toContain('SQLITE_FULL');
		expect(failed()).toBe(1);
		await list.tell(NEWER);
		await list.tell(OLDER);
		expect(idsOf(await jobsIn(list))).toEqual(ALL_NEWEST_FIRST);
		const events = await eventsIn(list);
		expect(events).toHaveLength(ALL_NEWEST_FIRST.length);
		expect(new Set(events)).toEqual(new Set(ALL_NEWEST_FIRST.map((id) => `${id} accepted`)));
	});

	it('at a checkpoint has what it was told, and writes it later', async () => {
		vi.spyOn(console, 'error').mockImplementation(() => {});
		const list = newList();
		const all = range(CHECKPOINT.news + NEWS_IN_ROW).map((nth) => newsFor({ nth }));
		const failed = await failStatements('INTO list_leaves', { after: 1, of: stubOf(list) });
		await list.tell(all);
		expect(failed()).toBe(1);
		expect(idsOf(await jobsIn(list))).toEqual(idsOf(all).reverse());
		await list.tell([newsFor({ nth: 9_999 })]);
		const rows = await runInDurableObject(stubOf(list), (_, { storage }) =>
			Number(storage.sql.exec('SELECT COUNT(*) AS rows FROM list_leaves').one().rows),
		);
		expect(rows).toBeGreaterThan(1);
		expect(await eventsIn(list)).toHaveLength(all.length + 1);
	});
});

it.each([
	['€', '€'.repeat(2_700)],
	['\u001b', '€'.repeat(2_700)],
])('a row of the log has room for the news of jobs with the longest errors and tags of %j', async (character, detail) => {
	const list = newList();
	const tags = range(10).map((nth) => `${nth}${character.repeat(63)}`);
	const news = range(3 * NEWS_IN_ROW).map((nth): JobNews => {
		const made = newsFor({ nth, phase: 'failed', seq: 2, goneAt: Date.now() + HOUR, errorCode: 'E', tags });
		const error = { code: 'E', message: character.repeat(2_000), retryable: false, details: [detail] };
		return made.job ? { ...made, job: { ...made.job, error } } : made;
	});
	await list.tell(news);
	expect(await jobsIn(list)).toHaveLength(news.length);
	const longest = await runInDurableObject(stubOf(list), (_, { storage }) => {
		const [table] = storage.sql.exec("SELECT name FROM sqlite_master WHERE name GLOB 'log_*'").toArray();
		const size = 'LENGTH(CAST(extra AS BLOB)) + LENGTH(CAST(events AS BLOB))';
		return Number(storage.sql.exec(`SELECT MAX(${size}) AS bytes FROM ${table?.name}`).one().bytes);
	});
	expect(longest).toBeLessThan(2_000_000);
});
