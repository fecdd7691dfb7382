/** The cost of the list of jobs, counted at the platform's own storage, as in `budget.test.ts`. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { post, submit } from './client.ts';
import { waitForLists } from './faults.ts';
import { acceptTogether } from './together.ts';

const counts = { calls: 0, rows: 0, news: 0 };
const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
let isInList = false;

const rows = () => counts.rows + cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0);

function countRows(prototype: object, method: string): void {
	const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
	Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]) {
		if (isInList) counts.rows++;
		return original.apply(this, args);
	});
}

beforeAll(async () => {
	await runInDurableObject(env.TOPICS.get(env.TOPICS.newUniqueId()), (object, { storage }) => {
		for (const method of ['put', 'delete']) countRows(Object.getPrototypeOf(storage.kv) as object, method);
		countRows(Object.getPrototypeOf(storage) as object, 'setAlarm');
		const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
		const { exec } = sql;
		sql.exec = function (this: SqlStorage, ...statement: Parameters<SqlStorage['exec']>) {
			const cursor = exec.apply(this, statement);
			if (isInList) cursors.push(cursor);
			return cursor;
		} as typeof exec;
		const topicObject = Object.getPrototypeOf(object) as { tell: (news: readonly unknown[]) => Promise<void> };
		const { tell } = topicObject;
		topicObject.tell = function (news, ...rest) {
			counts.calls++;
			counts.news += news.length;
			isInList = true;
			const result = tell.call(this, news, ...rest);
			isInList = false;
			return result;
		};
	});
	// The first news of all makes the tables.
	await submit('labelled', {});
	await vi.waitFor(() => expect(counts.news).toBeGreaterThanOrEqual(2));
});

beforeEach(() => {
	waitForLists();
	for (const field of Object.keys(counts) as (keyof typeof counts)[]) counts[field] = 0;
	cursors.length = 0;
});

describe('a job that is listed', () => {
	it('costs two calls and two rows more, and an alarm once in half a minute', async () => {
		await submit('labelled', {});
		await vi.waitFor(() => expect(counts.news).toBe(2));
		expect(counts.calls).toBeLessThanOrEqual(2);
		expect(rows()).toBeLessThanOrEqual(2 + 1);
	});

	it('costs at most 0.2 calls and 0.2 rows where 200 come in a second', async () => {
		const together = 200;
		await acceptTogether(together);
		const jobs = Array.from({ length: together }, () => submit('labelled', {}));
		await Promise.all(jobs);
		await vi.waitFor(() => expect(counts.news).toBeGreaterThanOrEqual(2 * together), 20_000);
		expect(counts.calls / together).toBeLessThanOrEqual(0.2);
		expect(rows() / together).toBeLessThanOrEqual(0.2);
	});

	it('costs at most 0.05 calls and 0.05 rows in a batch', async () => {
		const jobs = Array.from({ length: 200 }, () => ({ task: 'labelled', input: {} }));
		expect((await post('/v1/batches', { jobs })).status).toBe(202);
		await vi.waitFor(() => expect(counts.news).toBeGreaterThanOrEqual(2 * jobs.length), 60_000);
		expect(counts.calls / jobs.length).toBeLessThanOrEqual(0.05);
		expect(rows() / jobs.length).toBeLessThanOrEqual(0.05);
	});
});
