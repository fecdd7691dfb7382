import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { call, eventsOf, finalsOf, post, until } from './client.ts';

const submitWith = (key: string, input: unknown, headers: Record<string, string> = {}) =>
	post('/v1/tasks/sleep/jobs', input, { 'idempotency-key': key, ...headers });

describe('an idempotency key', () => {
	it('makes one job of 1,000 requests at once', async () => {
		const key = crypto.randomUUID();
		const responses = await Promise.all(Array.from({ length: 1_000 }, () => submitWith(key, { seconds: 0.01 })));
		expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([202]));
		const documents = await Promise.all(responses.map((response) => response.json<StatusDocument>()));
		expect(new Set(documents.map(({ id }) => id)).size).toBe(1);
		const replays = responses.filter(({ headers }) => headers.get('idempotent-replayed') === 'true');
		expect(replays).toHaveLength(999);
		const [first] = documents;
		if (!first) throw new Error('no document');
		await until(first, 'succeeded');
		expect(finalsOf(await eventsOf(first))).toEqual(['succeeded']);
	});

	it('stands for the value of its JSON, however it is written', async () => {
		const key = crypto.randomUUID();
		const send = (body: string) =>
			call('/v1/tasks/sleep/jobs', {
				method: 'POST',
				headers: { 'content-type': 'application/json', 'idempotency-key': `"${key}"` },
				body,
			});
		const first = await (await send('{"seconds":0,"steps":2}')).json<StatusDocument>();
		const second = await send('{ "steps": 2.0, "seconds": 0e3 }');
		expect(second.status).toBe(202);
		expect(second.headers.get('idempotent-replayed')).toBe('true');
		expect(await second.json()).toMatchObject({ id: first.id, correlationId: first.correlationId });
	});

	it('is the same in the envelope, quoted, and bare', async () => {
		const key = crypto.randomUUID();
		const bare = await (await submitWith(key, { seconds: 0 })).json<StatusDocument>();
		const quoted = await (await submitWith(`"${key}"`, { seconds: 0 })).json<StatusDocument>();
		const envelope = await post('/v1/jobs', { task: 'sleep', input: { seconds: 0 }, options: { idempotencyKey: key } });
		expect([quoted.id, (await envelope.json<StatusDocument>()).id]).toEqual([bare.id, bare.id]);
	});

	it.each([
		['another input', { seconds: 0.5 }, {}],
		['other options', { seconds: 0 }, { 'coatcheck-max-attempts': '2' }],
		['other tags', { seconds: 0 }, { 'coatcheck-tags': 'a' }],
	])('is refused for %s', async (_, input, headers) => {
		const key = crypto.randomUUID();
		const first = await (await submitWith(key, { seconds: 0 })).json<StatusDocument>();
		const second = await submitWith(key, input, headers);
		expect(second.status).toBe(422);
		expect(await second.json()).toMatchObject({ code: 'IdempotencyKeyReused' });
		expect(await until(first, 'succeeded')).toMatchObject({ id: first.id });
	});

	it('does not mind another correlation id: a repeat may well have one', async () => {
		const key = crypto.randomUUID();
		await submitWith(key, { seconds: 0 }, { 'x-correlation-id': 'one' });
		const second = await submitWith(key, { seconds: 0 }, { 'x-correlation-id': 'two' });
		expect(second.status).toBe(202);
		expect(second.headers.get('x-correlation-id')).toBe('one');
	});

	it('replays a job that is over', async () => {
		const key = crypto.randomUUID();
		const first = await (await submitWith(key, { seconds: 0 })).json<StatusDocument>();
		await until(first, 'succeeded');
		const second = await submitWith(key, { seconds: 0 });
		expect(second.status).toBe(202);
		expect(second.headers.get('retry-after')).toBe('1');
		expect(await second.json()).toMatchObject({ id: first.id, status: 'succeeded' });
	});
});
