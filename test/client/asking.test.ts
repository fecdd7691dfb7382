import { describe, expect, it, vi } from 'vitest';
import {
	AnswerTimeoutError,
	ForeignAnswerError,
	JobGoneError,
	ProblemError,
	ProtocolError,
	TransportError,
	type TransportName,
} from '../../src/client/index.ts';
import {
	BASE,
	broken,
	document,
	ID,
	JOB_URL,
	json,
	never,
	pass,
	play,
	problem,
	scripted,
	timersLeft,
} from './script.ts';

const MIB = 1_024 * 1_024;
const ACCEPTED = () => json(document(1, 'pending'), { status: 202 });

describe('a submission', () => {
	it('that breaks off is repeated under the same key, later each time', async () => {
		const { client, asked, timesOf } = scripted({ answers: { jobs: [broken, broken, broken, ACCEPTED] } });
		const job = client.submit('sleep', { seconds: 1 });
		expect((await play(job.id)).value).toBe(ID);
		expect(asked.map(({ headers }) => headers.get('idempotency-key'))).toEqual(Array(4).fill(`"${job.key}"`));
		expect(new Set(asked.map(({ init }) => init.body)).size).toBe(1);
		expect(timesOf('jobs')).toEqual([0, 500, 1_500, 3_500]);
	});

	it.each([500, 502, 503, 504, 408, 425, 429])('that is answered %i is repeated', async (status) => {
		const { client, count } = scripted({ answers: { jobs: [problem(status, 'Overloaded'), ACCEPTED] } });
		expect((await play(client.submit('sleep', {}).id)).value).toBe(ID);
		expect(count('jobs')).toBe(2);
	});

	it.each([400, 401, 403, 404, 409, 413, 415, 422, 501])('that is answered %i is not', async (status) => {
		const { client, count } = scripted({ answers: { jobs: [problem(status, 'No')] } });
		expect((await play(client.submit('sleep', {}).accepted())).error).toMatchObject({ status, code: 'No' });
		expect(count('jobs')).toBe(1);
	});

	it.each([
		['16 MiB of JSON', { text: 'x'.repeat(16 * MIB) }, 290_000],
		['64 MiB of bytes', new Uint8Array(64 * MIB), 1_030_000],
	])('of %s may travel slowly, and is sent once', async (_, input, uploadMs) => {
		const slowly = () => new Promise<Response>((resolve) => setTimeout(() => resolve(ACCEPTED()), uploadMs));
		const { client, count } = scripted({ answers: { jobs: [slowly], tasks: [slowly] } });
		const { value, tookMs } = await play(client.submit('sleep', input).id, 2_000_000);
		expect(value).toBe(ID);
		expect(tookMs).toBeGreaterThanOrEqual(uploadMs);
		expect(count('jobs') + count('tasks')).toBe(1);
	});

	it('of a little JSON is timed out as any request', async () => {
		const { client, count } = scripted({ answers: { jobs: [never, ACCEPTED] } });
		const { value, tookMs } = await play(client.submit('sleep', {}).id);
		expect(value).toBe(ID);
		expect(tookMs).toBeLessThan(32_000);
		expect(count('jobs')).toBe(2);
	});

	it('that never succeeds is given up after five tries', async () => {
		const { client, count } = scripted({ answers: { jobs: [problem(500, 'Internal')] } });
		const { error } = await play(client.submit('sleep', {}).accepted());
		expect(error).toBeInstanceOf(ProblemError);
		expect(error).toMatchObject({ status: 500, code: 'Internal' });
		expect(count('jobs')).toBe(5);
		expect(timersLeft()).toBe(0);
	});

	it('with a stream is not repeated: it was used up', async () => {
		const { client, count } = scripted({ answers: { jobs: [broken] } });
		const { error } = await play(client.submit('echo', new Blob(['x']).stream()).accepted());
		expect(error).toBeInstanceOf(TransportError);
		expect((error as TransportError).cause).toMatchObject({ message: 'fetch failed' });
		expect(count('jobs')).toBe(1);
	});

	it('that is aborted is not repeated, and leaves nothing behind', async () => {
		const { client, count } = scripted({ answers: { jobs: [broken] } });
		const abort = new AbortController();
		const job = client.submit('sleep', {}, { signal: abort.signal });
		await pass(600);
		expect(count('jobs')).toBe(2);
		abort.abort(new Error('changed my mind'));
		expect((await play(job.accepted())).error).toEqual(new Error('changed my mind'));
		expect((await play(job.result())).error).toEqual(new Error('changed my mind'));
		await pass(60_000);
		expect(count('jobs')).toBe(2);
		expect(timersLeft()).toBe(0);
	});

	it('need not be waited for, and goes on', async () => {
		const { client } = scripted({ answers: { jobs: [broken, ACCEPTED] } });
		const job = client.submit('sleep', {});
		const signal = AbortSignal.abort(new Error('later'));
		await expect(job.accepted({ signal })).rejects.toThrow('later');
		expect((await play(job.accepted())).value).toMatchObject({ id: ID });
	});

	it('that can not be JSON rejects, and nothing is sent', async () => {
		const { client, asked } = scripted({});
		expect((await play(client.submit('sleep', { n: 1n }).accepted())).error).toBeInstanceOf(TypeError);
		expect(asked).toEqual([]);
	});

	it('with text that no header can carry is not sent, and the error names the header', async () => {
		const { client, asked } = scripted({ answers: { jobs: [ACCEPTED] } });
		const submitted = client.submit('sleep', {}, { idempotencyKey: 'order\n42' });
		const { error, tookMs } = await play(submitted.accepted());
		expect(error).toMatchObject({ name: 'TypeError', message: expect.stringContaining('"idempotency-key"') });
		expect(asked).toEqual([]);
		expect(tookMs).toBe(0);
		expect(timersLeft()).toBe(0);
	});

	it.each([
		{},
		{ self: 'elsewhere' },
		undefined,
	])('that is answered with the links %j is against the protocol', async (links) => {
		const { client } = scripted({ answers: { jobs: [json(document(1, 'pending', { links }))] } });
		expect((await play(client.submit('sleep', {}).id)).error).toBeInstanceOf(ProtocolError);
	});

	it('that nobody asks about fails in silence', async () => {
		const { client, count } = scripted({ answers: { jobs: [problem(400, 'InvalidInput')] } });
		client.submit('sleep', {});
		await pass(1_000);
		expect(count('jobs')).toBe(1);
	});
});

describe('Retry-After', () => {
	it('in seconds is waited for', async () => {
		const busy = problem(429, 'RateLimited', { 'retry-after': '7' });
		const { client, timesOf } = scripted({ answers: { jobs: [busy, busy, ACCEPTED] } });
		await play(client.submit('sleep', {}).id);
		expect(timesOf('jobs')).toEqual([0, 7_000, 14_000]);
	});

	it('as a date is waited for', async () => {
		const busy = () => problem(503, 'Overloaded', { 'retry-after': new Date(Date.now() + 9_000).toUTCString() });
		const { client, timesOf } = scripted({ answers: { jobs: [busy, ACCEPTED] } });
		await play(client.submit('sleep', {}).id);
		expect(timesOf('jobs')[1]).toBeGreaterThanOrEqual(8_000);
		expect(timesOf('jobs')[1]).toBeLessThanOrEqual(10_000);
	});

	it('of 0 for ever ends after five tries, each later than the one before', async () => {
		const busy = problem(429, 'RateLimited', { 'retry-after': '0' });
		const { client, timesOf } = scripted({ answers: { jobs: [busy] } });
		const { error } = await play(client.submit('sleep', {}).accepted());
		expect(error).toMatchObject({ status: 429, code: 'RateLimited', retryAfterSeconds: 0 });
		expect(timesOf('jobs')).toEqual([0, 500, 1_500, 3_500, 7_500]);
	});

	it('of an hour is not waited for: the error says it', async () => {
		const { client, count } = scripted({ answers: { jobs: [problem(429, 'RateLimited', { 'retry-after': '3600' })] } });
		const { error, tookMs } = await play(client.submit('sleep', {}).accepted());
		expect(error).toMatchObject({ status: 429, retryAfterSeconds: 3_600 });
		expect(tookMs).toBeLessThan(1_000);
		expect(count('jobs')).toBe(1);
	});
});

describe('an answer', () => {
	it('that never comes is timed out, and the request with it', async () => {
		const { client, asked } = scripted({ answers: { operation: [never] }, options: { timeoutMs: 2_000 } });
		const { error, tookMs } = await play(client.job(JOB_URL).status());
		expect(error).toBeInstanceOf(AnswerTimeoutError);
		expect((error as Error).message).toBe(`GET ${BASE}/v1/operations/${ID}: no response within 2000 ms`);
		expect(asked).toHaveLength(5);
		expect(asked.every(({ init }) => init.signal?.aborted)).toBe(true);
		expect(tookMs).toBeLessThan(5 * 2_000 + 7_500 + 500);
		expect(timersLeft()).toBe(0);
	});

	it('is waited for without a limit when the timeout is infinite', async () => {
		const slow = () =>
			new Promise<Response>((resolve) => setTimeout(() => resolve(json(document(4, 'running'))), 3_000_000));
		const { client, count } = scripted({
			answers: { operation: [slow] },
			options: { timeoutMs: Number.POSITIVE_INFINITY },
		});
		expect((await play(client.job(JOB_URL).status())).value).toMatchObject({ seq: 4 });
		expect(count('operation')).toBe(1);
		expect(timersLeft()).toBe(0);
	});

	it('that never comes is timed out by a fetch that pays no heed to its signal, too', async () => {
		const deaf = () => new Promise<Response>(() => {});
		const { client, count } = scripted({ answers: { operation: [deaf] } });
		expect((await play(client.job(JOB_URL).status())).error).toBeInstanceOf(AnswerTimeoutError);
		expect(count('operation')).toBe(5);
		expect(timersLeft()).toBe(0);
	});

	it('that falls silent in the middle is timed out too, and tried again', async () => {
		const half = () =>
			new Response(new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode('{"id":')) }), {
				headers: { 'content-type': 'application/json' },
			});
		const { client, count } = scripted({ answers: { operation: [half, json(document(1, 'pending'))] } });
		const { value, tookMs } = await play(client.job(JOB_URL).status());
		expect(value).toMatchObject({ status: 'pending' });
		expect(tookMs).toBeGreaterThanOrEqual(30_000);
		expect(count('operation')).toBe(2);
		expect(timersLeft()).toBe(0);
	});

	it('that breaks in the middle is asked for again', async () => {
		const cut = () =>
			new Response(new ReadableStream({ pull: (to) => to.error(new TypeError('reset')) }), {
				headers: { 'content-type': 'application/json' },
			});
		const { client, count } = scripted({ answers: { operation: [cut, json(document(1, 'pending'))] } });
		expect((await play(client.job(JOB_URL).status())).value).toMatchObject({ status: 'pending' });
		expect(count('operation')).toBe(2);
		expect(timersLeft()).toBe(0);
	});

	it.each([
		['a status that no job has', json(document(1, 'succeeding')), 'succeeding'],
		['no status', json({ hello: 'world' }), 'Expected a status'],
		['JSON that is none', new Response('{"id"', { headers: { 'content-type': 'application/json' } }), 'Expected JSON'],
	])('with %s is against the protocol, and not asked for again', async (_, answer, shown) => {
		const { client, count } = scripted({ answers: { operation: [answer] } });
		const { error } = await play(client.job(JOB_URL).status());
		expect(error).toBeInstanceOf(ProtocolError);
		expect((error as Error).message).toContain(shown);
		expect(count('operation')).toBe(1);
	});

	it('that something on the way gives in its place, as a login page, is asked for again', async () => {
		const page = () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
		const login = problem(511, 'NetworkAuthenticationRequired');
		const answers = { operation: [page, login, page, json(document(1, 'pending'))] };
		const { client, count } = scripted({ answers });
		expect((await play(client.job(JOB_URL).status())).value).toMatchObject({ status: 'pending' });
		expect(count('operation')).toBe(4);
	});

	it('that something on the way gives for ever is a TransportError that shows what came', async () => {
		const page = () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
		const { client, count } = scripted({ answers: { operation: [page] } });
		const { error } = await play(client.job(JOB_URL).status());
		expect(error).toBeInstanceOf(ForeignAnswerError);
		expect(error).toBeInstanceOf(TransportError);
		expect((error as Error).message).toContain('text/html');
		expect(count('operation')).toBe(5);
	});

	it('of something on the way, which is no problem document, is a ProblemError without a code', async () => {
		const page = new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' });
		const { client } = scripted({ answers: { cancel: [page] } });
		const { error } = await play(client.job(JOB_URL).cancel());
		expect(error).toMatchObject({ status: 502, code: undefined, errors: [] });
	});

	it.each([
		['JobExpired', 'expired'],
		['JobPurged', 'purged'],
	])('410 %s says that the job is gone: %s', async (code, reason) => {
		const { client, asked } = scripted({ answers: { operation: [problem(410, code)] } });
		const { error } = await play(client.job(JOB_URL).status());
		expect(error).toBeInstanceOf(JobGoneError);
		expect(error).toMatchObject({ reason });
		expect(asked).toHaveLength(1);
	});

	it('never shows a token', async () => {
		const answers = { operation: [problem(403, 'Forbidden')], cancel: [never] };
		const { client } = scripted({ answers, options: { timeoutMs: 100 } });
		const job = client.job(JOB_URL);
		for (const { error } of [await play(job.status()), await play(job.cancel())]) {
			expect((error as Error).message).toContain(ID);
			expect(`${(error as Error).stack}`).not.toContain('secret');
		}
		for (const url of ['https://jobs.example/elsewhere?token=secret', 'ftp://jobs.example/v1/jobs?token=secret']) {
			expect(() => client.job(url)).toThrow(/^Expected [^?]*$/);
		}
	});
});

describe('a signal', () => {
	it('that is used for long has no listener left by each call', async () => {
		const busy = problem(503, 'Overloaded');
		const { client } = scripted({ answers: { jobs: [ACCEPTED], operation: [busy, json(document(1, 'pending'))] } });
		const { signal } = new AbortController();
		const added = vi.spyOn(signal, 'addEventListener');
		const removed = vi.spyOn(signal, 'removeEventListener');
		const job = client.submit('sleep', {});
		expect((await play(job.accepted({ signal }))).value).toBeDefined();
		expect((await play(job.status({ signal }))).value).toBeDefined();
		expect(added).toHaveBeenCalled();
		expect(removed.mock.calls.map(([type, listener]) => [type, listener])).toEqual(
			added.mock.calls.map(([type, listener]) => [type, listener]),
		);
	});
});

describe('retry', () => {
	it('is asked for once: a second time it could be refused although the first went through', async () => {
		const { client, count } = scripted({ answers: { retry: [broken] } });
		expect((await play(client.job(JOB_URL).retry())).error).toBeInstanceOf(TransportError);
		expect(count('retry')).toBe(1);
	});
});

describe('an API key', () => {
	const apiKey = 'key';
	const DONE = json(document(3, 'succeeded'));

	it('goes with submissions and retries, which a token can not do, and follows no redirect', async () => {
		const { client, asked } = scripted({ answers: { jobs: [ACCEPTED], retry: [DONE] }, options: { apiKey } });
		await play(client.submit('sleep', {}).retry());
		expect(asked.map(({ what, url, headers }) => [what, url.search, headers.get('authorization')])).toEqual([
			['jobs', '', 'Bearer key'],
			['retry', '', 'Bearer key'],
		]);
		expect(asked.map(({ init }) => init.redirect)).toEqual(['manual', 'manual']);
	});

	it('stays at home where a token is enough', async () => {
		const { client, asked } = scripted({ answers: { operation: [DONE], cancel: [DONE] }, options: { apiKey } });
		await play(client.job(JOB_URL).status());
		await play(client.job(JOB_URL).cancel());
		expect(asked.map(({ url, headers }) => [url.search, headers.has('authorization')])).toEqual([
			['?token=secret', false],
			['?token=secret', false],
		]);
	});

	it('goes along where a link has no token', async () => {
		const { client, asked } = scripted({ answers: { operation: [DONE] }, options: { apiKey } });
		await play(client.job(JOB_URL.replace(/\?.*/, '')).status());
		expect(asked[0]?.headers.get('authorization')).toBe('Bearer key');
	});

	it('is for nobody else, whoever wrote the link', async () => {
		const { client, asked } = scripted({
			answers: { operation: [DONE], retry: [DONE], cancel: [DONE] },
			options: { apiKey },
		});
		const job = client.job(`https://evil.example/v1/jobs/${ID}`);
		for (const use of [job.status(), job.retry(), job.cancel()]) await play(use);
		expect(asked.map(({ headers }) => headers.has('authorization'))).toEqual([false, false, false]);
	});
});

describe('a client', () => {
	it.each(['jobs.example', '/v1', 'ftp://jobs.example'])('refuses the address "%s"', (baseUrl) => {
		expect(() => scripted({ options: { baseUrl } })).toThrow(`Expected an absolute http(s) URL, got: "${baseUrl}"`);
	});

	it('keeps the path that a gateway adds', async () => {
		const { client, asked } = scripted({ answers: { jobs: [ACCEPTED] }, options: { baseUrl: `${BASE}/gateway/` } });
		await play(client.submit('sleep', {}).id);
		expect(asked[0]?.url.href).toBe(`${BASE}/gateway/v1/jobs`);
	});

	it.each([
		[['unknown'], 'unknown'],
		[['sse', 'toString'], 'toString'],
		[['SSE', 'polling'], 'SSE'],
	])('refuses a transport that there is not, when it is made: %j', (names, wrong) => {
		const transports = names as TransportName[];
		const make = () => scripted({ options: { transports } });
		expect(make).toThrow(TypeError);
		expect(make).toThrow(`Expected a transport of websocket, sse, polling, got: ${wrong}`);
	});

	it('refuses to have no transport', () => {
		expect(() => scripted({ options: { transports: ['websocket'] } })).toThrow(
			'Expected a transport that works on this platform',
		);
	});
});
