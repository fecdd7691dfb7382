/** Counts the rows and calls of topics at the platform's own storage and stubs. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TopicObject } from '../../src/object/topic-object.ts';
import { call } from '../flow/client.ts';
import { advanceClock } from '../flow/faults.ts';
import { receiver } from '../webhook/receiver.ts';
import { newTopic, publish, seqOf, topicObject } from './client.ts';

const RETENTION = { retainSeconds: 86_400, retainBytes: 64 * 1_048_576 };

/** Counts the rows that one topic writes: those of its tables, of its values and of its alarm. */
async function countRows(topic: string): Promise<() => number> {
	let rows = 0;
	await runInDurableObject(topicObject(topic), (_, { storage }) => {
		const { exec } = storage.sql;
		const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
		const spies = [
			vi.spyOn(sql, 'exec').mockImplementation(function (this: SqlStorage, ...args) {
				const cursor = exec.apply(this, args);
				rows += cursor.rowsWritten;
				return cursor;
			} as typeof exec),
			...(['put', 'delete'] as const).map((method) => countCalls(Object.getPrototypeOf(storage.kv) as object, method)),
			countCalls(Object.getPrototypeOf(storage) as object, 'setAlarm'),
		];
		onTestFinished(() => {
			for (const spy of spies) spy.mockRestore();
		});
	});
	function countCalls(prototype: object, method: string) {
		const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
		return vi.spyOn(prototype as Record<string, () => unknown>, method).mockImplementation(function (
			this: unknown,
			...args: unknown[]
		) {
			rows++;
			return original.apply(this, args);
		});
	}
	return () => rows;
}

describe('an event', () => {
	it('costs one row and one call', async () => {
		const topic = newTopic();
		await publish(topic, 0);
		const rows = await countRows(topic);
		const calls = vi.spyOn(TopicObject.prototype, 'publish');
		onTestFinished(() => calls.mockRestore());
		for (let n = 1; n <= 20; n++) await seqOf(publish(topic, n, { 'idempotency-key': `key-${n}` }));
		expect(rows()).toBe(20);
		expect(calls).toHaveBeenCalledTimes(20);
	});

	it('costs at most 1.1 rows when the deletion of all events is counted', async () => {
		const topic = newTopic();
		const rows = await countRows(topic);
		const settings = { tenant: 'default', topic, retention: RETENTION };
		const event = { type: 'made', data: JSON.stringify('x'.repeat(1_000)) };
		await runInDurableObject(topicObject(topic), async (object) => {
			for (let n = 1; n <= 10_000; n++) {
				const idempotency = { key: `k${n}`, digest: 'd' };
				await object.publish({ id: String(n), event, settings, idempotency, isUnlimited: true });
			}
			expect(await object.lastSeq()).toBe(10_000);
		});
		advanceClock(86_500_000);
		await runInDurableObject(topicObject(topic), (object) => object.alarm());
		expect((await call(`/v1/topics/${topic}/events?after=10000`)).status).toBe(200);
		expect(rows() / 10_000).toBeLessThan(1.1);
	});

	it('costs nothing more for its readers', async () => {
		const topic = newTopic();
		await publish(topic, 0);
		for (let n = 0; n < 10; n++) {
			const { webSocket } = await call(`/v1/topics/${topic}/events`, { headers: { upgrade: 'websocket' } });
			webSocket?.accept();
		}
		const rows = await countRows(topic);
		for (let n = 1; n <= 10; n++) await publish(topic, n);
		expect(rows()).toBe(10);
	});
});

describe('a subscription', () => {
	it('costs at most 0.1 rows an event, where many come together', async () => {
		const topic = newTopic();
		const host = `${crypto.randomUUID()}.example`;
		const received = receiver(host);
		const settings = { tenant: 'default', topic, retention: RETENTION };
		await runInDurableObject(topicObject(topic), async (object) => {
			for (let n = 1; n <= 500; n++)
				await object.publish({ id: String(n), event: { type: 'a', data: '1' }, settings, isUnlimited: true });
		});
		const rows = await countRows(topic);
		const body = JSON.stringify({ webhook: { url: `https://${host}/` }, from: 'start' });
		const headers = { 'content-type': 'application/json' };
		await call(`/v1/topics/${topic}/subscriptions/one`, { method: 'PUT', headers, body });
		await vi.waitFor(() => expect(received).toHaveLength(500), { timeout: 60_000 });
		await vi.waitFor(async () => {
			const response = await call(`/v1/topics/${topic}/subscriptions/one`);
			expect(await response.json()).toMatchObject({ cursor: 500 });
		});
		expect(rows() / 500).toBeLessThan(0.1);
	});
});
