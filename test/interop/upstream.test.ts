/**
 * Any slow API behind a 202: the real runtime, with its real connections, and a server that misbehaves on purpose.
 * (`createTestHarness` lets Node make the Worker's outgoing requests, which follows redirects and hides broken connections.)
 */
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type LocalWorker, startLocalWorker } from '../../demo/local-worker.ts';
import { curl } from './curl.ts';
import { cancel, type JobEvent, type StatusDocument, until } from './jobs.ts';
import { BIG_JSON, BINARY, DRIPS, MisbehavingServer, type Received, sha256 } from './misbehaving-server.ts';

const server = new MisbehavingServer();
/** A server whose connections are reset. */
const fragile = new MisbehavingServer();
/** A server with another origin. */
const elsewhere = new MisbehavingServer();
let worker: LocalWorker;
let elsewhereOrigin: string;

/** Upstreams with a circuit breaker each. */
const PLAIN = ['faithful', 'replies', 'retried', 'broken', 'reset', 'stopped', 'down'] as const;

beforeAll(async () => {
	const baseUrl = await server.start();
	elsewhereOrigin = await elsewhere.start();
	const fragileUrl = await fragile.start();
	const upstreams = {
		...Object.fromEntries(PLAIN.map((name) => [name, { baseUrl, headers: name === 'faithful' ? SECRET : {} }])),
		fragile: { baseUrl: fragileUrl },
		resending: { baseUrl, retry: { resend: true } },
		based: { baseUrl: `${baseUrl}/echo/base/` },
		strict: { baseUrl, methods: ['GET', 'POST'], paths: ['/echo/*'] },
		trusting: { baseUrl, forward: ['authorization', 'Cookie', 'Idempotency-Key'] },
		narrow: { baseUrl, concurrency: 2, lane: 'jobs', timeoutSeconds: 20 },
		asynchronous: { baseUrl, follow: true, headers: SECRET },
		followed: { baseUrl, followRedirects: true, headers: SECRET, forward: ['authorization'] },
		particular: { baseUrl, fingerprintHeaders: ['Accept'] },
		blameless: { baseUrl, followRedirects: true },
		fenced: { baseUrl, followRedirects: true, headers: SECRET, paths: ['/redirect', '/echo/*'], methods: ['POST'] },
	};
	worker = await startLocalWorker({
		args: ['--var', `UPSTREAMS:${JSON.stringify(upstreams)}`, '--var', 'REPORT_KEY:s3cret'],
	});
	return async () => {
		await worker.stop();
		await Promise.all([server.stop(), elsewhere.stop(), fragile.stop()]);
	};
});

const SECRET = { 'X-Report-Key': `key \${REPORT_KEY}` };

type Init = Omit<RequestInit, 'headers'> & { readonly headers?: Record<string, string> };

function call(upstream: string, path: string, init: Init = {}): Promise<Response> {
	return fetch(`${worker.origin}/v1/upstreams/${upstream}${path}`, { redirect: 'manual', ...init });
}

async function submit(upstream: string, path: string, init: Init = {}): Promise<StatusDocument> {
	const response = await call(upstream, path, init);
	const text = await response.text();
	expect(response.status, text).toBe(202);
	return JSON.parse(text) as StatusDocument;
}

function result({ links }: StatusDocument): Promise<Response> {
	return fetch(links.result, { redirect: 'manual' });
}

/** Submits, waits for the end, and gets the result. */
async function replyTo(upstream: string, path: string, init: Init = {}): Promise<Response> {
	return result(await until(await submit(upstream, path, init), 'succeeded', 'failed'));
}

const redirectTo = (to: string, status: number) => `/redirect?${new URLSearchParams({ to, status: String(status) })}`;

/** A path that no other test requests. */
const own = (behaviour: string) => `/${behaviour}/${crypto.randomUUID()}`;

async function eventsOf({
	links,
}: StatusDocument): Promise<(JobEvent & { job: { progress?: { message: string } } })[]> {
	const url = `${links.events}&after=0`;
	return ((await (await fetch(url)).json()) as { events: JobEvent[] }).events as never;
}

describe('a forwarded request', { concurrent: true }, () => {
	it('arrives as it was sent: method, path, query, headers and bytes', async () => {
		const body = crypto.getRandomValues(new Uint8Array(1_000));
		const path = own('echo/a%20b;c');
		const reply = await replyTo('faithful', `${path}?q=a%20b+c&q=2&empty=&x`, {
			method: 'PATCH',
			headers: {
				'content-type': 'application/x-thing',
				accept: 'application/json',
				'x-custom': 'c',
			},
			body,
		});
		const seen = (await reply.json()) as Received;
		expect(seen).toMatchObject({
			method: 'PATCH',
			url: `${path}?q=a%20b+c&q=2&empty=&x`,
			bytes: 1_000,
			sha256: sha256(body),
		});
		expect(seen.headers).toMatchObject({
			'content-type': 'application/x-thing',
			accept: 'application/json',
			'x-custom': 'c',
		});
		expect(seen.headers['content-length']).toBe('1000');
		expect(seen.headers).not.toHaveProperty('transfer-encoding');
	});

	it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])('can be a %s', async (method) => {
		const path = own('echo');
		const { id } = await jobOf(await call('faithful', path, { method }));
		await until(await documentOf(id), 'succeeded');
		expect(server.visits(path).received.map((seen) => seen.method)).toEqual([method]);
	});

	it('that is a HEAD is answered with the type and length that the upstream names', async () => {
		const response = await call('faithful', own('sized'), { method: 'HEAD', headers: { prefer: 'wait=20' } });
		const facts = (headers: Headers) => [headers.get('content-type'), headers.get('content-length')];
		expect([response.status, ...facts(response.headers)]).toEqual([200, 'video/mp4', '123456789']);
		const url = response.headers.get('content-location') ?? '';
		const head = await fetch(url, { method: 'HEAD' });
		expect([head.status, ...facts(head.headers)]).toEqual([200, 'video/mp4', '123456789']);
		const get = await fetch(url);
		expect([get.status, get.headers.get('content-type'), await get.text()]).toEqual([200, 'video/mp4', '']);
	});

	it('carries 5 MB, and bytes that are encoded already, untouched', async () => {
		const large = (await (await replyTo('faithful', own('echo'), { method: 'POST', body: BINARY })).json()) as Received;
		expect(large).toMatchObject({ bytes: BINARY.byteLength, sha256: sha256(BINARY) });
		expect(large.headers['content-length']).toBe(String(BINARY.byteLength));
		const body = gzipSync('hello');
		const headers = { 'content-encoding': 'gzip' };
		const packed = (await (
			await replyTo('faithful', own('echo'), { method: 'PUT', headers, body })
		).json()) as Received;
		expect(packed).toMatchObject({ bytes: body.byteLength, sha256: sha256(body), headers });
	});

	it('has what is configured, and what the upstream needs to know of the job', async () => {
		const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
		const headers = { 'x-correlation-id': 'order-42', traceparent, 'x-report-key': 'mine' };
		const job = await submit('faithful', own('echo'), { method: 'POST', headers });
		const seen = (await (await result(await until(job, 'succeeded'))).json()) as Received;
		expect(seen.headers).toMatchObject({
			'x-correlation-id': 'order-42',
			traceparent,
			'x-report-key': 'key s3cret',
			'coatcheck-job-id': job.id,
			'coatcheck-attempt': '1',
			'idempotency-key': `${job.id}-1`,
		});
	});

	it('keeps cookies, credentials, options and hop-by-hop headers back', async () => {
		const headers = {
			cookie: 'a=b',
			authorization: 'Bearer x',
			'x-api-key': 'k',
			'x-forwarded-for': '1.2.3.4',
			te: 'trailers',
			'coatcheck-tags': 'a',
			prefer: 'wait=1',
		};
		const reply = await replyTo('replies', own('echo'), { headers: { ...headers, prefer: 'respond-async' } });
		const seen = (await reply.json()) as Received;
		for (const name of Object.keys(headers)) expect(seen.headers).not.toHaveProperty(name);
	});

	it('lets credentials through to an upstream that is to have them', async () => {
		const headers = { cookie: 'a=b', authorization: 'Bearer x', 'idempotency-key': `"${crypto.randomUUID()}"` };
		const seen = (await (await replyTo('trusting', own('echo'), { headers })).json()) as Received;
		expect(seen.headers).toMatchObject(headers);
	});

	it('goes below the path of the base URL', async () => {
		const seen = (await (await replyTo('based', '/x?y=1')).json()) as Received;
		expect(seen.url).toBe('/echo/base/x?y=1');
	});
});

/** Reads the job from a response that may have no body. */
async function jobOf(response: Response): Promise<{ id: string }> {
	expect(response.status).toBe(202);
	await response.arrayBuffer();
	return { id: new URL(response.headers.get('location') ?? '').pathname.split('/').at(-1) ?? '' };
}

async function documentOf(id: string): Promise<StatusDocument> {
	return (await (await fetch(`${worker.origin}/v1/operations/${id}`)).json()) as StatusDocument;
}

describe('what is refused before anything is accepted', { concurrent: true }, () => {
	const problem = async (response: Response) => ({ status: response.status, ...((await response.json()) as object) });

	it('is an upstream that is not configured, saying which are', async () => {
		expect(await problem(await call('nobody', '/x'))).toMatchObject({ status: 404, code: 'NotFound' });
	});

	it('is a method or a path that is not allowed, saying what is', async () => {
		const response = await call('strict', '/echo/x', { method: 'DELETE' });
		expect(response.headers.get('allow')).toBe('GET, POST');
		expect(await problem(response)).toMatchObject({ status: 405, detail: '"strict" takes GET, POST, got: DELETE' });
		expect(await problem(await call('strict', '/admin'))).toMatchObject({ status: 404, code: 'NotFound' });
	});

	it('is a path that leads elsewhere, however it is spelled', async () => {
		for (const path of [
			'/echo/..%2f..%2fadmin',
			'/echo/%252e%252e/admin',
			'/echo/..;/admin',
			'//evil.example/x',
			'/echo/%5c..%5cadmin',
			'/echo/%0d%0aX:y',
		]) {
			const { status, body } = await curl(['--path-as-is', `${worker.origin}/v1/upstreams/strict${path}`]);
			expect([path, status, JSON.parse(body).code]).toEqual([path, 400, 'InvalidRequest']);
		}
		for (const path of ['/echo/../../../admin', '/echo/%2e%2e/%2e%2e/%2e%2e/admin', '/echo\\..\\..\\..\\admin']) {
			const { status } = await curl(['--path-as-is', `${worker.origin}/v1/upstreams/strict${path}`]);
			expect([path, status]).toEqual([path, 404]);
		}
	});

	it('is TRACE, a GET with a body, a body that is too large, and a head that is', async () => {
		const url = `${worker.origin}/v1/upstreams/faithful/echo/x`;
		expect((await curl(['-X', 'TRACE', url])).status).toBe(405);
		expect((await curl(['-X', 'GET', '-d', 'x', url])).status).toBe(400);
		const body = new Uint8Array(33 * 1_024 * 1_024);
		expect(await problem(await call('faithful', '/echo/x', { method: 'POST', body }))).toMatchObject({
			code: 'PayloadTooLarge',
		});
		const large = { headers: { 'x-large': 'a'.repeat(12_000) } };
		expect((await call('faithful', `/echo/x?${'a'.repeat(7_000)}`, large)).status).toBe(400);
		expect((await call('faithful', `/echo/x?${'a'.repeat(20_000)}`)).status).toBe(414);
	});

	it('is an option that makes no sense', async () => {
		const headers = { 'coatcheck-timeout-seconds': '0' };
		expect(await problem(await call('faithful', '/echo/x', { headers }))).toMatchObject({ status: 400 });
	});
});

describe('a reply', { concurrent: true }, () => {
	it('is replayed with its status, bytes and type', async () => {
		const reply = await replyTo('replies', own('binary'));
		expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/x-bin']);
		expect(sha256(new Uint8Array(await reply.arrayBuffer()))).toBe(sha256(BINARY));
	});

	it('has the same type and length for HEAD as for GET, whether it is large, small, or a failure', async () => {
		for (const [path, init] of [
			[own('binary'), {}],
			[own('echo'), {}],
			[own('invalid'), { method: 'POST' }],
		] as const) {
			const job = await until(await submit('replies', path, init), 'succeeded', 'failed');
			const [get, head] = [await result(job), await fetch(job.links.result, { method: 'HEAD' })];
			const bytes = (await get.arrayBuffer()).byteLength;
			expect([head.status, head.headers.get('content-type')]).toEqual([get.status, get.headers.get('content-type')]);
			expect(head.headers.get('content-length')).toBe(String(bytes));
		}
	});

	it('is the answer itself to a client that waits for it', async () => {
		const response = await call('replies', own('slow'), { headers: { prefer: 'wait=20' } });
		expect([response.status, await response.text()]).toEqual([200, 'at last']);
		expect(response.headers.get('preference-applied')).toBe('wait=20');
	});

	it('that was compressed is replayed as what it says, and nothing claims otherwise', async () => {
		const reply = await replyTo('replies', own('gzip'));
		// A proxy on the path may compress it once more, and fetch undoes that.
		expect(await reply.text()).toBe('hello '.repeat(1_000));
		expect(reply.headers.get('etag')).toBe('W/"1"');
	});

	it('can come in chunks, be empty, or be no news at all', async () => {
		expect(await (await replyTo('replies', own('chunked'))).text()).toBe('abc');
		const nothing = await replyTo('replies', own('no-content'));
		expect([nothing.status, await nothing.text(), nothing.headers.get('x-custom')]).toEqual([204, '', 'a']);
		const same = await replyTo('replies', own('not-modified'));
		expect([same.status, same.headers.get('etag')]).toEqual([304, '"1"']);
	});

	it('leaves behind what was meant for the address of the upstream, and runs nothing at ours', async () => {
		const { status, headers } = await replyTo('replies', own('headers'));
		expect(status).toBe(201);
		expect(headers.get('x-custom')).toBe('kept');
		expect(headers.get('content-disposition')).toBe('inline; filename="a.html"');
		expect(headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/orders\/42$/);
		expect(headers.get('content-security-policy')).toContain('sandbox');
		expect(headers.get('x-content-type-options')).toBe('nosniff');
		expect(headers.get('cache-control')).toBe('private, no-store');
		for (const name of ['set-cookie', 'strict-transport-security', 'refresh', 'access-control-allow-origin'])
			expect(headers.get(name)).toBeNull();
	});

	it('keeps header values in UTF-8; the runtime has lost other bytes before anybody sees them', async () => {
		const { headers } = await replyTo('replies', own('accents'));
		const text = (name: string) => Buffer.from(headers.get(name) ?? '', 'latin1').toString('utf8');
		expect(text('x-name')).toBe('café');
		expect(text('content-disposition')).toBe('inline; filename="caf\ufffd"');
	});

	it('of 4xx fails the job, and is replayed all the same', async () => {
		const job = await until(await submit('replies', own('invalid'), { method: 'POST' }), 'failed');
		expect(job).toMatchObject({
			attempt: 1,
			error: { code: 'UpstreamFailed', message: 'Upstream "replies" responded with status 422' },
		});
		const reply = await result(job);
		expect([reply.status, await reply.json()]).toEqual([422, { field: 'name' }]);
	});

	it('that is a redirect is a reply, which leads where it led', async () => {
		const reply = await replyTo('replies', redirectTo('/echo/x', 302));
		expect(reply.status).toBe(302);
		expect(reply.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/echo\/x$/);
	});

	it('that comes in drop by drop is told as progress', async () => {
		const path = own('drip');
		const job = await submit('replies', path);
		await vi.waitFor(
			async () => {
				const now = (await documentOf(job.id)) as StatusDocument & {
					percentComplete?: number;
					progress?: { message: string };
				};
				expect(now.status).toBe('running');
				expect(now.percentComplete).toBeGreaterThan(0);
				expect(now.progress?.message).toMatch(/^received \d+ of 2000 bytes$/);
			},
			{ timeout: 5_000, interval: 30 },
		);
		server.visits(path).isReleased = true;
		await until(job, 'succeeded');
		expect((await (await result(job)).text()).length).toBe(DRIPS * 100);
	});
});

describe('what is sent again', { concurrent: true }, () => {
	it.each([
		['throttled-seconds', 2_900],
		['throttled-date', 2_900],
	])('is what was %s, after the time that was asked for, whatever the method', async (behaviour, waitMs) => {
		const path = own(behaviour);
		const reply = await replyTo('retried', path, { method: 'POST' });
		expect(await reply.text()).toBe('at last');
		const [first, second] = server.visits(path).received;
		expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(waitMs);
		expect(second?.headers['coatcheck-attempt']).toBe('2');
		expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
	});

	it('is what was refused with 503, as often as it takes, with its body', async () => {
		const path = own('unavailable');
		const job = await until(await submit('retried', path, { method: 'POST', body: BINARY }), 'succeeded');
		expect(job).toMatchObject({ attempt: 3 });
		expect(server.visits(path).received.map(({ sha256: hash }) => hash)).toEqual(Array(3).fill(sha256(BINARY)));
	});

	it('is a GET whose reply was cut off in the middle', async () => {
		const path = own('cut-once');
		expect(await (await replyTo('broken', path)).text()).toBe('at last');
		expect(server.visits(path).received).toHaveLength(2);
	});

	it.each([
		'cut',
		'cut-chunked',
	])('is not a POST whose reply was %s: it may have been carried out', async (behaviour) => {
		const path = own(behaviour);
		// Locally a Worker of miniflare forwards outgoing requests. It sometimes withholds the end of a chunked
		// reply; then the deadline ends the attempt.
		const headers = behaviour === 'cut' ? {} : { 'coatcheck-timeout-seconds': '5' };
		const job = await until(await submit('broken', path, { method: 'POST', headers }), 'failed', 'timed-out');
		expect(job).toMatchObject({ attempt: 1, status: 'failed', error: { retryable: false } });
		expect(behaviour === 'cut' ? [502] : [502, 504]).toContain((await result(job)).status);
		expect(server.visits(path).received).toHaveLength(1);
	});

	it('is a GET whose connection was reset after it was read', async () => {
		const path = own('reset');
		expect(await (await replyTo('reset', path)).text()).toBe('at last');
		expect(server.visits(path).received).toHaveLength(2);
	});

	it('is a POST whose connection was reset only when the upstream is said to stand it', async () => {
		const path = own('reset');
		await until(await submit('reset', path, { method: 'POST' }), 'failed');
		expect(server.visits(path).received).toHaveLength(1);
		const again = own('reset');
		expect(await (await replyTo('resending', again, { method: 'POST' })).text()).toBe('at last');
		expect(server.visits(again).received).toHaveLength(2);
	});

	it('ends with the last reply when it never helps, and that is what is kept', async () => {
		const path = own('broken');
		const headers = { 'coatcheck-max-attempts': '2' };
		const job = await until(await submit('broken', path, { headers }), 'failed');
		expect(job).toMatchObject({
			attempt: 2,
			error: { code: 'UpstreamFailed', message: 'Upstream "broken" responded with status 500' },
		});
		const reply = await result(job);
		expect([reply.status, (await reply.text()).length]).toEqual([500, 130_000]);
		const retry = await fetch(`${worker.origin}/v1/jobs/${job.id}/retry`, { method: 'POST' });
		expect(retry.status).toBe(202);
		await until(job, 'failed');
		expect(server.visits(path).received).toHaveLength(4);
	});

	it('has a Retry-After for whoever reads the last 429', async () => {
		const reply = await replyTo('retried', own('throttled-always'), { headers: { 'coatcheck-max-attempts': '1' } });
		expect([reply.status, reply.headers.has('retry-after')]).toEqual([429, true]);
	});
});

describe('a connection that is reset before the request was read', { concurrent: true }, () => {
	it('is made again for a GET, and not for a POST: nobody can tell what was read', async () => {
		const [get, post] = [own('echo'), own('echo')];
		fragile.resets = 1;
		expect(await until(await submit('fragile', get), 'succeeded')).toMatchObject({ attempt: 2 });
		expect(fragile.visits(get).received).toHaveLength(1);
		fragile.resets = Number.POSITIVE_INFINITY;
		fragile.closeConnections();
		expect(await until(await submit('fragile', post, { method: 'POST' }), 'failed')).toMatchObject({ attempt: 1 });
		expect(fragile.visits(post).received).toHaveLength(0);
	});
});

describe('an attempt that is stopped', { concurrent: true }, () => {
	it('lets go of its connection when the job is canceled', async () => {
		const path = own('never');
		const job = await submit('stopped', path);
		await vi.waitFor(() => expect(server.visits(path).inFlight).toBe(1), { timeout: 5_000 });
		await cancel(job);
		await until(job, 'canceled');
		await vi.waitFor(() => expect(server.visits(path)).toMatchObject({ inFlight: 0, aborted: 1 }), { timeout: 5_000 });
	});

	it('fails with 504 when its time is over; a POST is not sent again, a GET is', async () => {
		const headers = { 'coatcheck-timeout-seconds': '1', 'coatcheck-max-attempts': '2' };
		const [get, post] = [own('never'), own('never')];
		const jobs = await Promise.all([
			submit('stopped', get, { headers }),
			submit('stopped', post, { method: 'POST', headers }),
		]);
		for (const [job, attempt] of [
			[jobs[0], 2],
			[jobs[1], 1],
		] as const) {
			const over = await until(job, 'failed', 'timed-out');
			expect(over).toMatchObject({ attempt, phase: 'timed-out', error: { code: 'ExecutionTimeout' } });
			expect((await result(job)).status).toBe(504);
		}
		await vi.waitFor(() => expect(server.visits(get).inFlight).toBe(0), { timeout: 5_000 });
	});
});

describe('an idempotency key', { concurrent: true }, () => {
	it('gives the same job for the same request, whatever headers a gateway sets, and refuses it for another', async () => {
		const path = own('echo');
		const key = crypto.randomUUID();
		const send = (body: string, more: Record<string, string> = {}) =>
			call('faithful', path, { method: 'POST', body, headers: { 'idempotency-key': `"${key}"`, ...more } });
		const first = await jobOf(await send('a'));
		const second = await send('a', {
			'x-stainless-retry-count': '1',
			'x-azure-ref': 'b',
			'x-envoy-attempt-count': '2',
			accept: 'text/csv',
		});
		expect(second.headers.get('idempotent-replayed')).toBe('true');
		expect(await jobOf(second)).toEqual(first);
		for (const other of [
			await send('b'),
			await call('faithful', `${path}?x`, { method: 'POST', body: 'a', headers: { 'idempotency-key': key } }),
		])
			expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([422, 'IdempotencyKeyReused']);
		await until(await documentOf(first.id), 'succeeded');
		const [seen, ...more] = server.visits(path).received;
		expect(more).toEqual([]);
		expect(seen?.headers['idempotency-key']).toBe(`${first.id}-1`);
	});
});

describe('an idempotency key of an upstream that has headers in it', { concurrent: true }, () => {
	it('is another request where one of those differs', async () => {
		const headers = { 'idempotency-key': crypto.randomUUID(), accept: 'text/csv' };
		const path = own('echo');
		await jobOf(await call('particular', path, { headers }));
		await jobOf(await call('particular', path, { headers: { ...headers, 'x-custom': 'a' } }));
		const other = await call('particular', path, { headers: { ...headers, accept: 'text/plain' } });
		expect(other.status).toBe(422);
	});
});

describe('an upstream whose redirects are followed', { concurrent: true }, () => {
	it('is followed with the body where the method stays, and without it where it becomes a GET', async () => {
		const body = 'x'.repeat(100_000);
		const kept = (await (
			await replyTo('followed', redirectTo('/echo/kept', 307), { method: 'POST', body })
		).json()) as Received;
		expect(kept).toMatchObject({ method: 'POST', bytes: body.length, headers: { 'x-report-key': 'key s3cret' } });
		const seen = (await (
			await replyTo('followed', redirectTo('/echo/seen', 303), { method: 'POST', body })
		).json()) as Received;
		expect(seen).toMatchObject({ method: 'GET', bytes: 0 });
	});

	it('is not followed to a path or by a method that is not allowed there: the redirect is the reply', async () => {
		const [admin, viaGet, fine] = [own('admin'), own('echo'), own('echo')];
		const post = { method: 'POST', body: 'x' };
		for (const [to, status] of [
			[admin, 307],
			[viaGet, 303],
			['/echo/%252e%252e/admin', 307],
		] as const) {
			const reply = await replyTo('fenced', redirectTo(to, status), post);
			expect([reply.status, reply.headers.get('location')]).toEqual([status, expect.stringMatching(/^http:/)]);
			expect(await reply.text()).toBe('elsewhere');
		}
		expect([...server.visits(admin).received, ...server.visits(viaGet).received]).toEqual([]);
		expect(((await (await replyTo('fenced', redirectTo(fine, 307), post)).json()) as Received).method).toBe('POST');
	});

	it('tells another origin nothing that was meant for this one', async () => {
		const headers = { authorization: 'Bearer x', 'x-custom': 'a' };
		const seen = (await (
			await replyTo('followed', redirectTo(`${elsewhereOrigin}/echo`, 302), { headers })
		).json()) as Received;
		expect(seen.headers).toMatchObject({ 'x-custom': 'a' });
		for (const name of ['authorization', 'x-report-key', 'coatcheck-job-id', 'idempotency-key'])
			expect(seen.headers).not.toHaveProperty(name);
	});

	it('is not blamed for another origin that is down', async () => {
		const headers = { 'coatcheck-max-attempts': '1' };
		const failing = ['/down', '/down', '/down', '/cut', '/cut', '/cut'].map((path) =>
			submit('blameless', redirectTo(elsewhereOrigin + path, 302), { headers }),
		);
		await Promise.all((await Promise.all(failing)).map((job) => until(job, 'failed')));
		expect(await until(await submit('blameless', own('echo')), 'succeeded', 'waiting')).toMatchObject({
			status: 'succeeded',
		});
	});

	it('is not followed round and round, nor to what is no web address', async () => {
		const loop = await until(await submit('followed', own('loop')), 'failed');
		expect(loop).toMatchObject({
			error: { code: 'UpstreamFailed', message: expect.stringContaining('more than 5 times') },
		});
		const away = await until(await submit('followed', redirectTo('file:///etc/passwd', 302)), 'failed');
		expect(away).toMatchObject({ error: { code: 'TargetNotAllowed' } });
	});
});

describe('an upstream that is asynchronous itself', { concurrent: true }, () => {
	it('is asked until it is done, as it asks to be, and what it came to is the result', async () => {
		const path = own('operation');
		const job = await submit('asynchronous', path, { method: 'POST', body: '{}', headers: { accept: 'text/csv' } });
		await vi.waitFor(
			async () => expect(await documentOf(job.id)).toMatchObject({ progress: { message: 'upstream status: Running' } }),
			{ timeout: 10_000, interval: 50 },
		);
		server.visits(`${path}/status`).isReleased = true;
		const over = await until(job, 'succeeded');
		expect(over).toMatchObject({ attempt: 1 });
		const reply = await result(over);
		expect([reply.status, reply.headers.get('content-type'), await reply.text()]).toEqual([200, 'text/csv', 'a,b\n']);
		expect(server.visits(path).received).toHaveLength(1);
		const asked = server.visits(`${path}/status`).received;
		expect(asked.length).toBeGreaterThanOrEqual(3);
		// Each answer asks for a second.
		for (const [nth, { at }] of asked.slice(1).entries()) expect(at - (asked[nth]?.at ?? 0)).toBeGreaterThan(900);
		for (const { method, headers } of asked) {
			expect(method).toBe('GET');
			expect(headers).toMatchObject({ accept: 'text/csv', 'x-report-key': 'key s3cret', 'coatcheck-job-id': job.id });
		}
	});

	it('may say no more than 202 until it is there', async () => {
		const reply = await replyTo('asynchronous', own('operation-at-location'), { method: 'POST' });
		expect([reply.status, await reply.json()]).toEqual([200, BIG_JSON]);
	});

	it('may fail, and its reason is told', async () => {
		const job = await until(await submit('asynchronous', own('operation-failed'), { method: 'POST' }), 'failed');
		expect(job).toMatchObject({
			attempt: 1,
			error: {
				code: 'UpstreamFailed',
				message: 'The operation at upstream "asynchronous" failed: The printer has no paper',
				details: [{ code: 'NoPaper' }],
			},
		});
		expect((await result(job)).status).toBe(502);
	});

	it('may lead to another origin, which is told nothing of ours', async () => {
		const to = own('echo');
		const query = new URLSearchParams({ to: elsewhereOrigin + to });
		const headers = { accept: 'text/csv', 'x-custom': 'a' };
		await replyTo('asynchronous', `/operation-elsewhere?${query}`, { method: 'POST', headers });
		const [asked] = elsewhere.visits(to).received;
		expect(asked?.headers).toMatchObject({ accept: 'text/csv' });
		for (const name of ['x-report-key', 'x-custom', 'coatcheck-job-id', 'idempotency-key'])
			expect(asked?.headers).not.toHaveProperty(name);
	});

	it('is left at its 202 by an upstream that is not followed', async () => {
		const reply = await replyTo('replies', own('operation-at-location'), { method: 'POST' });
		expect(reply.status).toBe(202);
		expect(reply.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/operation-at-location\/[\w-]+\/done$/);
	});
});

describe('an upstream that takes two requests at a time', () => {
	it('gets no more, and every job its turn, without using an attempt for waiting', async () => {
		const path = own('busy');
		const jobs = await Promise.all(Array.from({ length: 8 }, () => submit('narrow', path)));
		const over = await Promise.all(jobs.map((job) => until(job, 'succeeded', 'failed')));
		expect(over.map(({ status, attempt }: StatusDocument & { attempt?: number }) => [status, attempt])).toEqual(
			Array(8).fill(['succeeded', 1]),
		);
		expect(server.visits(path).mostInFlight).toBe(2);
		const stories = await Promise.all(jobs.map(eventsOf));
		expect(stories.flat().map(({ type }) => type)).not.toContain('retrying');
	});
});

describe('an upstream that is down', () => {
	it('is left alone for a while: its jobs wait, say so, and go on when it is back', async () => {
		const path = own('down');
		const headers = { 'coatcheck-max-attempts': '1' };
		for (let failure = 0; failure < 5; failure++) await until(await submit('down', path, { headers }), 'failed');
		expect(server.visits(path).received).toHaveLength(5);
		// One more, which waits and then probes, doubles the time: long enough for what follows, however slow the machine.
		await until(await submit('down', path, { headers }), 'failed');
		const well = own('echo');
		const waiting = await Promise.all(Array.from({ length: 4 }, () => submit('down', well)));
		for (const job of waiting) {
			const now = (await until(job, 'waiting')) as StatusDocument & { attempt: number; progress: { message: string } };
			expect(now).toMatchObject({ status: 'pending', attempt: 0 });
			expect(now.progress.message).toBe('Upstream "down" failed 6 times in a row: waiting for it to recover');
		}
		expect(server.visits(well).received).toHaveLength(0);
		for (const job of waiting) expect(await until(job, 'succeeded')).toMatchObject({ attempt: 1 });
	});
});
