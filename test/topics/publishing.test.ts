import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Topics } from '../../src/rpc/topics.ts';
import { call } from '../flow/client.ts';
import { advanceClock, failStatements } from '../flow/faults.ts';
import { apiKeys, ask, bearer, DEPLOYED, KEYS, key } from '../http/deployment.ts';
import { newTopic, pageOf, publish, seqOf, topicObject } from './client.ts';

const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('publishing', () => {
	it('makes a topic by its first event, and numbers its events from 1', async () => {
		const topic = newTopic();
		expect(await pageOf(topic)).toEqual({ events: [], lastSeq: 0 });
		expect(await seqOf(publish(topic, { n: 1 }, { 'x-correlation-id': 'order-42' }))).toBe(1);
		expect(await seqOf(publish(topic, [2], { type: 'com.example/made:2' }))).toBe(2);
		expect(await pageOf(topic)).toEqual({
			events: [
				{ seq: 1, type: 'made', at, correlationId: 'order-42', data: { n: 1 } },
				{ seq: 2, type: 'com.example/made:2', at, correlationId: expect.any(String), data: [2] },
			],
			lastSeq: 2,
		});
	});

	it('keeps bytes with their media type', async () => {
		const topic = newTopic();
		const body = crypto.getRandomValues(new Uint8Array(65_536));
		const headers = { 'content-type': 'image/png', 'coatcheck-event-type': 'picture' };
		expect((await call(`/v1/topics/${topic}/events`, { method: 'POST', headers, body })).status).toBe(202);
		const [event] = (await pageOf(topic)).events;
		expect(event).toMatchObject({ type: 'picture', mediaType: 'image/png' });
		expect(Buffer.from(event?.dataBase64 ?? '', 'base64')).toEqual(Buffer.from(body));
	});

	it('takes an event without data', async () => {
		const topic = newTopic();
		const headers = { 'coatcheck-event-type': 'tick' };
		expect((await call(`/v1/topics/${topic}/events`, { method: 'POST', headers })).status).toBe(202);
		expect((await pageOf(topic)).events).toEqual([{ seq: 1, type: 'tick', at, correlationId: expect.any(String) }]);
	});

	it('takes CloudEvents in binary and in structured mode, each once', async () => {
		const topic = newTopic();
		const binary = {
			'ce-specversion': '1.0',
			'ce-type': 'made',
			'ce-source': '/here',
			'ce-id': 'a1',
			'content-type': 'application/json',
		};
		const structured = { specversion: '1.0', type: 'made', source: '/here', id: 'a1', data: { n: 1 } };
		const path = `/v1/topics/${topic}/events`;
		const first = await call(path, { method: 'POST', headers: binary, body: '{"n":1}' });
		expect(await first.json()).toEqual({ seq: 1 });
		const second = await call(path, {
			method: 'POST',
			headers: { 'content-type': 'application/cloudevents+json' },
			body: JSON.stringify(structured),
		});
		expect(second.headers.get('idempotent-replayed')).toBe('true');
		expect(await second.json()).toEqual({ seq: 1 });
		expect((await pageOf(topic)).events).toHaveLength(1);
	});

	it.each([
		['no type', {}, { header: 'Coatcheck-Event-Type' }],
		['a type with a comma', { 'coatcheck-event-type': 'a,b' }, { header: 'Coatcheck-Event-Type' }],
		['a type of 129 characters', { 'coatcheck-event-type': 'x'.repeat(129) }, { header: 'Coatcheck-Event-Type' }],
		["the service's own type", { 'coatcheck-event-type': 'gap' }, { header: 'Coatcheck-Event-Type' }],
		['two types', { 'coatcheck-event-type': 'a', 'ce-type': 'b' }, { header: 'Coatcheck-Event-Type' }],
		['an option of jobs', { 'coatcheck-event-type': 'a', 'coatcheck-tags': 'b' }, { header: 'coatcheck-tags' }],
		['an empty key', { 'coatcheck-event-type': 'a', 'idempotency-key': '""' }, { header: 'Idempotency-Key' }],
		['another CloudEvents version', { 'ce-type': 'a', 'ce-specversion': '0.3' }, { header: 'ce-specversion' }],
	])('rejects %s with 400, and names it', async (_, headers, fault) => {
		const topic = newTopic();
		const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '1' };
		const response = await call(`/v1/topics/${topic}/events`, init as RequestInit);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ code: 'InvalidRequest', errors: [fault] });
		expect((await pageOf(topic)).lastSeq).toBe(0);
	});

	it.each(['a b', 'a%2Fb', 'ä', 'x'.repeat(129), 'a:b'])('rejects the name %s', async (name) => {
		const response = await publish(name, 1);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ errors: [{ parameter: 'topic' }] });
	});

	it('rejects data of more than 64 KB, and stores nothing', async () => {
		const topic = newTopic();
		const headers = { 'content-type': 'text/plain', 'coatcheck-event-type': 'a' };
		const init = { method: 'POST', headers, body: new Uint8Array(65_537) };
		const response = await call(`/v1/topics/${topic}/events`, init);
		expect(response.status).toBe(413);
		expect(await response.json()).toMatchObject({ code: 'PayloadTooLarge' });
		expect((await pageOf(topic)).lastSeq).toBe(0);
	});

	it("does not let clients publish to the topic of the tenant's jobs", async () => {
		const response = await publish('jobs', 1);
		expect(response.status).toBe(403);
		expect(await response.json()).toMatchObject({ code: 'Forbidden' });
	});
});

describe('an idempotency key', () => {
	it('stands for one event, also after the object was evicted', async () => {
		const topic = newTopic();
		const headers = { 'idempotency-key': '"a b"' };
		for (let n = 1; n <= 3; n++) await publish(topic, n, { 'idempotency-key': `other-${n}` });
		expect(await seqOf(publish(topic, { a: 1, b: 2 }, headers))).toBe(4);
		await evictDurableObject(topicObject(topic));
		const again = await publish(topic, { b: 2, a: 1 }, headers);
		expect(again.headers.get('idempotent-replayed')).toBe('true');
		expect(await again.json()).toEqual({ seq: 4 });
		const other = await publish(topic, { a: 2 }, headers);
		expect([other.status, await other.json<object>()]).toMatchObject([422, { code: 'IdempotencyKeyReused' }]);
		expect((await pageOf(topic)).lastSeq).toBe(4);
	});

	it('is not needed for a call that is repeated because its answer was lost', async () => {
		const topic = newTopic();
		// Takes the topic's share of the quota.
		await publish(topic, 0);
		const topicId = topicObject(topic).id.toString();
		const original = Topics.prototype.call;
		let calls = 0;
		const lost = vi.spyOn(Topics.prototype, 'call').mockImplementation(function (this: Topics, id, ask) {
			return original.call(this, id, async (object) => {
				const answer = await ask(object);
				if (id === topicId && ++calls === 1)
					throw Object.assign(new Error('The object was reset'), { retryable: true });
				return answer;
			}) as ReturnType<typeof original>;
		});
		onTestFinished(() => lost.mockRestore());
		expect(await seqOf(publish(topic, 1))).toBe(2);
		expect(calls).toBe(2);
		expect((await pageOf(topic)).events.map(({ data }) => data)).toEqual([0, 1]);
	});
});

describe('a page', () => {
	it('is limited, and says where the next one begins', async () => {
		const topic = newTopic();
		for (let n = 1; n <= 5; n++) await publish(topic, n, { type: n % 2 ? 'odd' : 'even', 'x-correlation-id': `c${n}` });
		const first = await pageOf(topic, { limit: 2 });
		expect(first).toMatchObject({ events: [{ seq: 1 }, { seq: 2 }], lastSeq: 2, hasMore: true });
		expect(await pageOf(topic, { limit: 3, after: 2 })).toEqual({ events: expect.any(Array), lastSeq: 5 });
		expect((await pageOf(topic, { types: 'even,none' })).events.map(({ seq }) => seq)).toEqual([2, 4]);
		expect((await pageOf(topic, { correlationId: 'c3' })).events.map(({ seq }) => seq)).toEqual([3]);
		expect(await pageOf(topic, { types: 'none' })).toEqual({ events: [], lastSeq: 5 });
	});

	it.each([
		['limit', '0'],
		['limit', '1001'],
		['limit', 'x'],
		['after', '-1'],
		['types', 'a,,b'],
		['types', Array(21).fill('a').join()],
		['correlationId', 'a b'],
	])('rejects ?%s=%s, and names it', async (parameter, value) => {
		const response = await call(`/v1/topics/${newTopic()}/events?${new URLSearchParams({ [parameter]: value })}`);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ errors: [{ parameter }] });
	});

	it('of another tenant has nothing', async () => {
		const topic = newTopic();
		const init = {
			method: 'POST',
			headers: { ...bearer(KEYS.client), 'coatcheck-event-type': 'a', 'content-type': 'application/json' },
			body: '1',
		};
		expect((await ask(DEPLOYED, `/v1/topics/${topic}/events`, init)).status).toBe(202);
		const theirs = await ask(DEPLOYED, `/v1/topics/${topic}/events`, { headers: bearer(KEYS.other) });
		expect(await theirs.json()).toEqual({ events: [], lastSeq: 0 });
		const ours = await ask(DEPLOYED, `/v1/topics/${topic}/events`, { headers: bearer(KEYS.read) });
		expect(await ours.json()).toMatchObject({ lastSeq: 1 });
	});
});

describe('a topic whose storage fails', () => {
	it.each([
		['at the row of an event', 'INSERT INTO log_', 1],
		['at the table of its first segment', 'CREATE TABLE log_', 0],
		['at the table of its second segment', 'CREATE TABLE log_', 1],
		['at the row of its second segment', 'INSERT INTO log_', 4],
	])('%s takes the event later, also after a restart', async (_, statement, after) => {
		const topic = newTopic();
		const failed = await failStatements(statement, { after, of: topicObject(topic) });
		const statuses: number[] = [];
		for (let n = 1; n <= 5; n++) {
			if (n === 4) advanceClock(43_200_000);
			const first = await publish(topic, n);
			const isTaken = first.status === 202;
			if (!isTaken) await evictDurableObject(topicObject(topic));
			statuses.push(first.status, isTaken ? 202 : (await publish(topic, n)).status);
		}
		expect(failed()).toBe(1);
		expect(statuses.toSorted((a, b) => b - a)).toEqual([500, ...Array(9).fill(202)]);
		expect((await pageOf(topic)).events.map(({ data }) => data)).toEqual([1, 2, 3, 4, 5]);
		expect(await seqOf(publish(topic, 6))).toBe(6);
	});
});

describe('what a topic keeps', () => {
	it('survives an eviction', async () => {
		const topic = newTopic();
		for (let n = 1; n <= 3; n++) await publish(topic, n);
		const before = await pageOf(topic);
		await evictDurableObject(topicObject(topic));
		expect(await pageOf(topic)).toEqual(before);
		expect(await seqOf(publish(topic, 4))).toBe(4);
	});

	it('is deleted by its bytes, and a reader is told which events are gone', async () => {
		const topic = newTopic();
		const variables = { ...DEPLOYED, TOPIC_RETAIN_BYTES: String(1_024 * 1_024) };
		const body = JSON.stringify('x'.repeat(60_000));
		const headers = { ...bearer(KEYS.admin), 'coatcheck-event-type': 'a', 'content-type': 'application/json' };
		for (let n = 1; n <= 40; n++) await ask(variables, `/v1/topics/${topic}/events`, { method: 'POST', headers, body });
		const response = await ask(variables, `/v1/topics/${topic}/events?limit=1000`, { headers });
		const page = await response.json<{ events: { seq: number; type: string; data: { first: number } }[] }>();
		const [gap, next] = page.events;
		expect(gap).toMatchObject({ type: 'gap', data: { after: 0 } });
		expect(next).toMatchObject({ seq: gap?.data.first });
		expect(gap?.seq).toBe((next?.seq ?? 0) - 1);
		expect(gap?.data.first).toBeGreaterThan(20);
		expect(gap?.data.first).toBeLessThan(28);
	});

	it('is deleted by its age, and its numbers go on', async () => {
		const topic = newTopic();
		for (let n = 1; n <= 3; n++) await publish(topic, n);
		const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 86_500_000);
		onTestFinished(() => now.mockRestore());
		await runInDurableObject(topicObject(topic), (object) => object.alarm());
		await evictDurableObject(topicObject(topic));
		expect(await pageOf(topic)).toMatchObject({ events: [{ seq: 3, type: 'gap', data: { first: 4 } }], lastSeq: 3 });
		expect(await seqOf(publish(topic, 4))).toBe(4);
		expect(await pageOf(topic, { after: 3 })).toMatchObject({ events: [{ seq: 4, data: 4 }], lastSeq: 4 });
	});

	it('is deleted while readers are in the middle of it', async () => {
		const topic = newTopic();
		for (let n = 1; n <= 3; n++) await publish(topic, n);
		expect(await pageOf(topic, { limit: 1 })).toMatchObject({ lastSeq: 1, hasMore: true });
		advanceClock(86_500_000);
		expect(await seqOf(publish(topic, 4))).toBe(4);
		expect(await pageOf(topic, { limit: 1 })).toMatchObject({ events: [{ type: 'gap', data: { first: 4 } }] });
		const tables = await runInDurableObject(topicObject(topic), (_, { storage }) =>
			storage.sql.exec("SELECT name FROM sqlite_master WHERE name GLOB 'log_*'").toArray(),
		);
		expect(tables).toEqual([{ name: 'log_4' }]);
	});

	it('is within the quota of its tenant, over all topics', async () => {
		const by = key('client', crypto.randomUUID(), 'submit');
		const variables = { ...DEPLOYED, MAX_TOPIC_EVENTS: '3', API_KEYS: apiKeys(by) };
		const headers = { ...bearer(by), 'coatcheck-event-type': 'a', 'content-type': 'application/json' };
		const send = (topic: string) =>
			ask(variables, `/v1/topics/${topic}/events`, { method: 'POST', headers, body: '1' });
		const [one, two] = [newTopic(), newTopic()];
		const statuses = [];
		for (const topic of [one, one, two, two, one]) statuses.push((await send(topic)).status);
		expect(statuses).toEqual([202, 202, 202, 429, 429]);
		const refused = await send(two);
		expect(await refused.json()).toMatchObject({ code: 'QuotaExceeded' });
		expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
	});
});
