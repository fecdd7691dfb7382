import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { TopicLog } from '../../src/object/topic-log.ts';
import { newTopic, topicObject } from './client.ts';

const retention = { retainSeconds: 86_400, retainBytes: 1_048_576 };

/** Runs `work` in a new object, whose storage has no topic yet. */
function inStorage(work: (storage: DurableObjectStorage) => void): Promise<void> {
	return runInDurableObject(topicObject(newTopic()), (_, { storage }) => work(storage));
}

const seqsIn = (texts: readonly string[]) => texts.map((text) => (JSON.parse(text) as { seq: number }).seq);

describe('TopicLog', () => {
	it('has many events in a row, and texts of its owner beside them', () =>
		inStorage((storage) => {
			const log = new TopicLog(storage);
			const events = [1, 2, 3].map((n) => ({ type: 'a', data: `${n}` }));
			expect(log.append({ events, extra: 'one', retention, now: 1 })).toMatchObject({ first: 1, last: 3 });
			expect(log.append({ events: [], extra: 'two', retention, now: 2 })).toMatchObject({ first: 4, last: 4 });
			expect(log.append({ events: events.slice(1), retention, now: 3 })).toMatchObject({ first: 5, last: 6 });
			for (const one of [log, new TopicLog(storage)]) {
				expect(seqsIn(one.after(0, { events: 10 }).events)).toEqual([1, 2, 3, 5, 6]);
				expect(seqsIn(one.after(1, { events: 10 }).events)).toEqual([2, 3, 5, 6]);
				expect(one.after(3, { events: 1 })).toMatchObject({ lastSeq: 5, hasMore: true });
				expect([...one.extrasAfter(0)]).toEqual([
					{ last: 3, extra: 'one' },
					{ last: 4, extra: 'two' },
				]);
				expect(one.usage.events).toBe(6);
			}
		}));

	it('goes on over its segments, and knows the keys of all of them again', () =>
		inStorage((storage) => {
			const log = new TopicLog(storage);
			const data = JSON.stringify('x'.repeat(1_000));
			for (let n = 1; n <= 500; n++) {
				const idempotency = { key: `key-${n}`, digest: `d${n}` };
				log.append({ events: [{ type: 'a', data }], idempotency, retention, now: n });
			}
			const tables = storage.sql.exec("SELECT name FROM sqlite_master WHERE name GLOB 'log_*'").toArray();
			expect(tables.length).toBeGreaterThan(3);
			for (const one of [log, new TopicLog(storage)]) {
				expect(seqsIn(one.after(100, { events: 1_000 }).events)).toEqual(
					Array.from({ length: 400 }, (_, n) => n + 101),
				);
				for (const n of [1, 77, 250, 500]) expect(one.find(`key-${n}`)).toEqual({ seq: n, digest: `d${n}` });
				expect(one.find('key-501')).toBeUndefined();
				expect(one.usage).toEqual(log.usage);
			}
		}));

	it('keeps what its owner still needs, and forgets the keys of what it deletes', () =>
		inStorage((storage) => {
			const log = new TopicLog(storage);
			const data = JSON.stringify('x'.repeat(1_000));
			for (let n = 1; n <= 500; n++) {
				const idempotency = { key: `key-${n}`, digest: 'd' };
				log.append({ events: [{ type: 'a', data }], extra: `${n}`, idempotency, retention, now: n });
			}
			log.find('key-1');
			log.trim(90_000_000, retention, 300);
			const [oldest] = log.extrasAfter(0);
			expect(oldest?.last).toBe(log.first);
			expect(log.first).toBeLessThanOrEqual(301);
			expect(log.first).toBeGreaterThan(200);
			expect(log.find('key-1')).toBeUndefined();
			expect(log.find('key-400')).toMatchObject({ seq: 400 });
			expect(JSON.parse(log.after(0, { events: 1 }).events[0] ?? '')).toMatchObject({ type: 'gap' });
		}));
});
