/** The cost of quotas, counted at the platform's own storage and stubs, as in `budget.test.ts`. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { apiKeys, ask, bearer, DEPLOYED, key, submission, type Variables } from '../http/deployment.ts';
import { advanceClock } from './faults.ts';

const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
const calls: string[] = [];

const rowsWritten = () => cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0);

beforeAll(async () => {
	await runInDurableObject(env.TENANTS.getByName('counted'), (object, { storage }) => {
		const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
		const { exec } = sql;
		sql.exec = function (this: SqlStorage, ...statement: Parameters<SqlStorage['exec']>) {
			const cursor = exec.apply(this, statement);
			cursors.push(cursor);
			return cursor;
		} as typeof exec;
		const prototype = Object.getPrototypeOf(object) as Record<string, unknown>;
		for (const method of ['reserve', 'settle', 'release']) {
			const original = prototype[method] as (...args: unknown[]) => unknown;
			prototype[method] = function (this: unknown, ...args: unknown[]) {
				calls.push(method);
				return original.apply(this, args);
			};
		}
	});
});

beforeEach(() => {
	cursors.length = 0;
	calls.length = 0;
});

/** A job that runs at once. It counts as ended when its tenant's object knows it. */
async function runJob(quotas: Variables, tenant: string): Promise<StatusDocument> {
	const by = key('client', tenant, 'submit', 'read', 'cancel');
	const init = submission({ ...bearer(by), 'coatcheck-delay-seconds': '0' });
	const variables = { ...DEPLOYED, LIST: 'off', API_KEYS: apiKeys(by), ...quotas };
	const response = await ask(variables, '/v1/tasks/sleep/jobs', init);
	expect(response.status).toBe(202);
	await vi.waitFor(() => expect(calls).toContain('settle'));
	return response.json<StatusDocument>();
}

describe('a job that is counted', () => {
	it('costs two calls and two rows more where only jobs in flight are', async () => {
		await runJob({ MAX_JOBS_IN_FLIGHT: '10' }, 'counted');
		expect(calls).toEqual(['reserve', 'settle']);
		expect(rowsWritten()).toBe(2);
	});

	it('costs two calls and three rows more where bytes are, and a fourth row when they are gone', async () => {
		await runJob({ MAX_STORED_BYTES: '1000000' }, 'counted');
		expect(calls).toEqual(['reserve', 'settle']);
		expect(rowsWritten()).toBe(3);
		advanceClock(3 * 86_400_000);
		cursors.length = 0;
		calls.length = 0;
		await runJob({ MAX_STORED_BYTES: '1000000' }, 'counted');
		expect(rowsWritten()).toBe(3 + 1);
	});

	it('costs nothing where nothing is', async () => {
		const by = key('client', 'uncounted', 'submit');
		const get = vi.spyOn(env.TENANTS, 'get');
		const variables = { ...DEPLOYED, LIST: 'off', API_KEYS: apiKeys(by) };
		const answer = await ask(
			variables,
			'/v1/tasks/sleep/jobs',
			submission({ ...bearer(by), prefer: 'wait=25', 'coatcheck-delay-seconds': '0' }),
		);
		expect(answer.status).toBe(200);
		expect(get).not.toHaveBeenCalled();
		expect(rowsWritten()).toBe(0);
	});
});
