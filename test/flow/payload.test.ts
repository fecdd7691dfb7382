import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { JobRecord } from '../../src/core/job/record.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { call, objectOf, post, statusOf, submit, until } from './client.ts';
import { advanceClock, fireAlarm } from './faults.ts';

const MIB = 1_024 * 1_024;

/** Bytes that differ everywhere, so that a lost, duplicated or swapped piece is detected. */
function bytesOf(length: number): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(length);
	for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 17 + (at >> 16)) & 0xff;
	return bytes;
}

function postBytes(task: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
	return call(`/v1/tasks/${task}/jobs`, {
		method: 'POST',
		headers: { 'content-type': 'application/octet-stream', ...headers },
		body,
	});
}

async function resultOf(document: StatusDocument): Promise<Uint8Array> {
	await until(document, 'succeeded');
	return new Uint8Array(await (await call(document.links.result)).arrayBuffer());
}

function record(document: StatusDocument): Promise<JobRecord> {
	return runInDurableObject(objectOf(document), (_, { storage }) => storage.kv.get<JobRecord>('job') as JobRecord);
}

describe('bytes', () => {
	it.each([
		0,
		1,
		65_536,
		65_537,
		1_900_000,
		1_900_001,
		5 * MIB,
	])('come back as they went in: %i of them', async (length) => {
		const sent = bytesOf(length);
		const response = await postBytes('echo', sent, { 'content-type': 'text/x-odd; charset=utf-16' });
		expect(response.status).toBe(202);
		const document = await response.json<StatusDocument>();
		const got = await resultOf(document);
		expect(got.byteLength).toBe(length);
		expect(got.every((byte, at) => byte === sent[at])).toBe(true);
		const result = await call(document.links.result, { method: 'HEAD' });
		expect(result.headers.get('content-type')).toBe('text/x-odd; charset=utf-16');
		expect(result.headers.get('content-length')).toBe(String(length));
	});

	it('up to 32 MiB are taken', async () => {
		const sent = bytesOf(32 * MIB);
		const document = await (await postBytes('echo', sent)).json<StatusDocument>();
		const got = await resultOf(document);
		expect(sha256(got)).toBe(sha256(sent));
	});

	it('of an input are kept no longer than it takes, and those of a result as long as it can be read', async () => {
		const document = await (await postBytes('echo', bytesOf(2 * MIB))).json<StatusDocument>();
		expect((await resultOf(document)).byteLength).toBe(2 * MIB);
		const keys = await runInDurableObject(objectOf(document), (_, { storage }) =>
			[...storage.kv.list()].map(([key]) => key),
		);
		const uploads = keys.filter((key) => key.startsWith('chunk/')).map((key) => key.split('/')[1]);
		expect(uploads).toHaveLength(2);
		expect(new Set(uploads).size).toBe(1);
	});

	it('beyond 32 MiB are refused, and nothing of them is stored', async () => {
		const response = await postBytes('echo', bytesOf(32 * MIB + 1));
		expect(response.status).toBe(413);
		expect(await response.json()).toMatchObject({
			code: 'PayloadTooLarge',
			detail: expect.stringContaining('33554432'),
		});
	});

	it('of unknown length are counted on the way, and refused when they are too many', async () => {
		let left = 34;
		const stream = new ReadableStream<Uint8Array>({
			pull(controller) {
				if (left-- > 0) controller.enqueue(bytesOf(MIB));
				else controller.close();
			},
		});
		expect((await postBytes('echo', stream)).status).toBe(413);
	});

	it('of a task with a limit of its own are held to that', async () => {
		const send = (length: number) => postBytes('either', 'x'.repeat(length), { 'content-type': 'text/plain' });
		expect((await send(100)).status).toBe(202);
		const response = await send(101);
		expect(response.status).toBe(413);
		expect(await response.json()).toMatchObject({ detail: expect.stringContaining('100 bytes') });
	});

	it('of an upload whose submission never came are erased', async () => {
		const { document } = await submit('sleep', { seconds: 0 });
		const stub = objectOf({ id: env.JOBS.newUniqueId().toString() });
		await stub.writeChunk({ upload: 'u', index: 0 }, new Uint8Array(10));
		const keys = () => runInDurableObject(stub, (_, { storage }) => [...storage.kv.list()].length);
		expect(await keys()).toBe(1);
		advanceClock(15 * 60_000);
		await fireAlarm({ id: stub.id.toString() });
		expect(await keys()).toBe(0);
		await until(document, 'succeeded');
	});

	it('that come in slowly are not erased while they do', async () => {
		const stub = objectOf({ id: env.JOBS.newUniqueId().toString() });
		await stub.writeChunk({ upload: 'u', index: 0 }, new Uint8Array(10));
		for (let index = 1; index <= 4; index++) {
			advanceClock(10 * 60_000);
			await stub.writeChunk({ upload: 'u', index }, new Uint8Array(10));
			const alarm = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
			expect(alarm).toBeGreaterThan(Date.now());
		}
	});

	it('that were given up before their submission came make no job: the client is told to send them again', async () => {
		const original = Jobs.prototype.call;
		const spy = vi.spyOn(Jobs.prototype, 'call').mockImplementation(async function (this: Jobs, id, call) {
			const answer = await original.call(this, id, call);
			await runInDurableObject(objectOf({ id }), (_, { storage }) => {
				storage.kv.delete([...storage.kv.list({ prefix: 'chunk/' })][0]?.[0] ?? '');
			});
			return answer;
		});
		const response = await postBytes('echo', bytesOf(3 * MIB));
		spy.mockRestore();
		expect(response.status).toBe(503);
		expect(response.headers.get('retry-after')).not.toBeNull();
		expect(await response.json()).toMatchObject({
			code: 'Overloaded',
			detail: expect.stringContaining('send the request again'),
		});
	});

	it('are compared under an idempotency key, also when they are JSON to somebody else', async () => {
		const key = crypto.randomUUID();
		const send = (body: string) => post('/v1/tasks/raw-json/jobs', JSON.parse(body), { 'idempotency-key': key });
		expect((await send('{"pay":1}')).status).toBe(202);
		expect((await send('{"pay":1000000}')).status).toBe(422);
	});

	it('of a replayed submission are not kept twice', async () => {
		const key = crypto.randomUUID();
		const sent = bytesOf(3 * MIB);
		const first = await (await postBytes('echo', sent, { 'idempotency-key': key })).json<StatusDocument>();
		await until(first, 'succeeded');
		const before = await chunksOf(first);
		const second = await postBytes('echo', sent, { 'idempotency-key': key });
		expect(second.headers.get('idempotent-replayed')).toBe('true');
		expect(await chunksOf(first)).toBe(before);
		const other = await postBytes('echo', bytesOf(3 * MIB - 1), { 'idempotency-key': key });
		expect(other.status).toBe(422);
		expect(await chunksOf(first)).toBe(before);
	});

	it('are gone with a purge', async () => {
		const document = await (await postBytes('echo', bytesOf(3 * MIB))).json<StatusDocument>();
		await until(document, 'succeeded');
		expect(await chunksOf(document)).toBeGreaterThan(0);
		await post(`/v1/jobs/${document.id}/purge`, {});
		expect(await chunksOf(document)).toBe(0);
	});
});

describe('JSON', () => {
	it('of several megabytes goes in and comes out', async () => {
		const said = 'ä'.repeat(2 * MIB);
		const { document } = await submit('either', { name: said });
		const result = JSON.parse(new TextDecoder().decode(await resultOf(document))) as { said: string };
		expect(result.said).toBe(said);
	});

	it('that is large and works for long keeps no other waiting', async () => {
		const large = () => submit('patient', 'x'.repeat(15 * MIB));
		const jobs = [await large(), await large()];
		for (const { document } of jobs) {
			await vi.waitFor(async () => expect((await statusOf(document)).progress?.message).toBe('at work'), 15_000);
		}
		for (const { document } of jobs) await call(document.links.self, { method: 'DELETE' });
	});

	it('takes what it weighs: what stands around its values is not kept', async () => {
		const body = `{${' '.repeat(MIB)}"name":\n"a"}`;
		const response = await postBytes('either', body, { 'content-type': 'application/json' });
		const document = await response.json<StatusDocument>();
		const { input } = await record(document);
		expect(input).toMatchObject({ form: 'json', sizeBytes: '{"name":"a"}'.length });
		expect(new TextDecoder().decode(await resultOf(document))).toBe('{"said":"a"}');
	});
});

describe('a result', () => {
	it('beyond 32 MiB fails its job at once, with a clear error', async () => {
		const { document } = await submit('produce', { bytes: 32 * MIB + 1 });
		const done = await until(document, 'failed');
		expect(done).toMatchObject({ attempt: 1, error: { code: 'InvalidOutput', retryable: false } });
		expect(done.error?.message).toContain('33554432');
		expect(await chunksOf(document)).toBe(0);
	});

	it('keeps its content type and length, and none of the headers that are not about its bytes', async () => {
		const document = await (await postBytes('echo', 'hello', { 'content-type': 'text/plain' })).json<StatusDocument>();
		await until(document, 'succeeded');
		const { headers } = await call(document.links.result);
		expect(headers.get('content-type')).toBe('text/plain');
		expect(headers.get('set-cookie')).toBeNull();
		expect(headers.get('x-content-type-options')).toBe('nosniff');
		expect(headers.get('content-security-policy')).toContain('sandbox');
		expect(headers.get('cache-control')).toContain('no-store');
	});

	it.each([
		'function',
		'cycle',
		'bigint',
		'status',
		'headers',
	])('that can not be stored (%s) fails its job at once', async (kind) => {
		const { document } = await submit('odd', kind);
		expect(await until(document, 'failed')).toMatchObject({ attempt: 1, error: { code: 'InvalidOutput' } });
	});

	it('and answers with a redirect leads readers of its result there', async () => {
		const { document } = await submit('odd', 'redirect');
		await until(document, 'succeeded');
		const result = await call(document.links.result);
		expect(result.status).toBe(301);
		expect(result.headers.get('location')).toBe('https://elsewhere.example/');
	});

	it('of nothing is 204', async () => {
		const { document } = await submit('odd', 'nothing');
		await until(document, 'succeeded');
		expect((await call(document.links.result)).status).toBe(204);
	});
});

describe('a task that misbehaves', () => {
	it('and throws something private tells nobody what', async () => {
		const error = vi.spyOn(console, 'error').mockImplementation(() => {});
		const { document } = await submit('leak', {});
		const done = await until(document, 'failed');
		const result = await (await call(document.links.result)).text();
		expect(done.error).toMatchObject({ code: 'TaskFailed', message: 'The task failed' });
		expect(JSON.stringify(done) + result).not.toMatch(/hunter2|at run|\.ts/);
		// The log tells the operator everything except the password.
		expect(String(error.mock.calls[0])).toMatch(/db:\/\/\S*@10\.0\.0\.7 refused/);
		expect(String(error.mock.calls[0])).not.toContain('hunter2');
		error.mockRestore();
	});

	it.each(['progress', 'retry-after'])('and says something odd (%s) still succeeds', async (kind) => {
		const { document } = await submit('awkward', kind);
		const done = await until(document, 'succeeded');
		expect((await call(done.links.events)).status).toBe(200);
		if (kind === 'progress') {
			expect(done.progress?.data).toEqual({ at: 'https://a.example/', when: '1970-01-01T00:00:00.000Z' });
		}
	});

	it('and fails with odd details fails as it said', async () => {
		const { document } = await submit('awkward', 'details');
		const done = await until(document, 'failed');
		expect(done.error).toEqual({
			code: 'Awkward',
			message: 'So',
			retryable: false,
			details: [{ at: 'https://a.example/', when: '1970-01-01T00:00:00.000Z' }],
		});
	});

	it('and never ends is ended by its deadline', async () => {
		const { document } = await submit('deaf', {});
		expect(await until(document, 'failed')).toMatchObject({ phase: 'timed-out', error: { code: 'ExecutionTimeout' } });
	});

	it('and reports progress ten thousand times is heard about once a second', async () => {
		const { document } = await submit('chatty', {});
		const done = await until(document, 'succeeded');
		const tookMs = Date.parse(done.finishedAt ?? '') - Date.parse(done.startedAt ?? '');
		// Accepted, started, succeeded, and one for each second of the task, including its first and its last.
		expect(done.seq).toBeLessThanOrEqual(3 + 2 + Math.ceil(tookMs / 1_000));
	});
});

describe('a task', () => {
	it('that takes bytes or JSON gets which was sent, and its parameters', async () => {
		const text = { 'content-type': 'text/plain' };
		const answers = [
			await post('/v1/tasks/either/jobs?times=3', { name: 'a' }),
			await call('/v1/tasks/either/jobs?times=2', { method: 'POST', headers: text, body: 'b' }),
			await post('/v1/jobs', { task: 'either', input: { name: 'c' }, parameters: { times: 1 } }),
		];
		const said: unknown[] = [];
		for (const answer of answers) {
			said.push(JSON.parse(new TextDecoder().decode(await resultOf(await answer.json<StatusDocument>()))));
		}
		expect(said).toEqual([{ said: 'aaa' }, { said: 'bb' }, { said: 'c' }]);
	});

	it('knows its job', async () => {
		const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
		const response = await post(
			'/v1/tasks/context/jobs',
			{},
			{ 'x-correlation-id': 'order-42', 'idempotency-key': 'k-1', traceparent },
		);
		const document = await response.json<StatusDocument>();
		expect(JSON.parse(new TextDecoder().decode(await resultOf(document)))).toEqual({
			id: document.id,
			attempt: 1,
			correlationId: 'order-42',
			idempotencyKey: `${document.id}-1`,
			traceparent,
		});
	});
});

function chunksOf(document: StatusDocument): Promise<number> {
	return runInDurableObject(objectOf(document), (_, { storage }) => [...storage.kv.list({ prefix: 'chunk/' })].length);
}

function sha256(bytes: Uint8Array): string {
	return createHash('sha256').update(bytes).digest('hex');
}
