import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { call, ORIGIN, submit, until } from '../flow/client.ts';

const FAILING = { seconds: 0, error: { code: 'Nope', message: 'No', status: 418 } };

async function done(input: unknown, status: string): Promise<StatusDocument> {
	const { document } = await submit('sleep', input);
	return until(document, status);
}

async function poll({ links }: StatusDocument, flags: string): Promise<Response> {
	return call(`${links.self}&${flags}`);
}

describe('the status URL', () => {
	it('answers 200 while unfinished, with Retry-After; or 202 for those who want that', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 50 });
		const ok = await call(document.links.self);
		expect(ok.status).toBe(200);
		// It is what is left of the delay. Without a delay, it would be a second or two.
		expect(Number(ok.headers.get('retry-after'))).toBeGreaterThanOrEqual(20);
		const accepted = await poll(document, 'onPending=accepted');
		expect(accepted.status).toBe(202);
		expect(accepted.headers.get('location')).toBe(document.links.self);
		expect(accepted.headers.get('retry-after')).not.toBeNull();
		await call(document.links.self, { method: 'DELETE' });
	});

	it('answers a success with 303, the result itself, or the document', async () => {
		const document = await done({ seconds: 0 }, 'succeeded');
		expect((await poll(document, 'onComplete=redirect')).status).toBe(303);
		const inline = await poll(document, 'onComplete=inline');
		expect([inline.status, await inline.json()]).toEqual([200, { sleptSeconds: 0, attempt: 1 }]);
		const status = await poll(document, 'onComplete=status');
		expect([status.status, (await status.json<StatusDocument>()).status]).toEqual([200, 'succeeded']);
	});

	it('answers a failure with the document, or with the stored failure', async () => {
		const document = await done(FAILING, 'failed');
		expect((await poll(document, 'onFailed=status')).status).toBe(200);
		const error = await poll(document, 'onFailed=error');
		expect(error.status).toBe(418);
		expect(await error.json()).toMatchObject({ code: 'Nope', error: { code: 'Nope', message: 'No' } });
	});

	it('answers a cancel with the document, and with 409 for those who want failures as errors', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 50 });
		await call(document.links.self, { method: 'DELETE' });
		expect((await poll(document, 'onFailed=status')).status).toBe(200);
		const error = await poll(document, 'onComplete=inline&onFailed=error');
		expect(error.status).toBe(409);
		expect(await error.json()).toMatchObject({ code: 'JobCanceled' });
	});

	it('shows a retry and a purge at the next poll, however often the finished job was polled', async () => {
		const document = await done(FAILING, 'failed');
		const next = async () => (await call(document.links.operation)).json<StatusDocument>();
		const first = await next();
		expect(await next()).toEqual(first);
		await call(`/v1/jobs/${document.id}/retry`, { method: 'POST' });
		expect((await next()).seq).toBeGreaterThan(first.seq);
		await until(document, 'failed');
		await next();
		await call(`/v1/jobs/${document.id}/purge`, { method: 'POST' });
		expect(await next()).toMatchObject({ code: 'JobPurged' });
	});

	it('of a failure that says to come later says when', async () => {
		const document = await done({ seconds: 0, error: { code: 'Busy', message: 'Busy', status: 503 } }, 'failed');
		const response = await call(document.links.result);
		expect([response.status, response.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^[1-9]/)]);
		expect(response.headers.get('x-correlation-id')).toBe(document.correlationId);
	});

	it('carries the flags that the submission asked for', async () => {
		const { response } = await submit(
			'sleep',
			{ seconds: 0 },
			{ onPending: 'accepted', onComplete: 'inline', onFailed: 'error' },
		);
		const query = new URL(response.headers.get('location') ?? '').searchParams;
		expect([query.get('onPending'), query.get('onComplete'), query.get('onFailed')]).toEqual([
			'accepted',
			'inline',
			'error',
		]);
	});

	it('refuses a flag that it does not know', async () => {
		const document = await done({ seconds: 0 }, 'succeeded');
		const response = await poll(document, 'onComplete=explode');
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ errors: [{ parameter: 'onComplete' }] });
	});

	it('answers 304 to who has the newest document', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 50 });
		const first = await call(document.links.operation);
		const etag = first.headers.get('etag') ?? '';
		for (const tag of [etag, etag.replace('W/', ''), `"0", ${etag}`, '*']) {
			const second = await call(document.links.operation, { headers: { 'if-none-match': tag } });
			expect(second.status).toBe(304);
			expect(await second.text()).toBe('');
		}
		expect((await call(document.links.operation, { headers: { 'if-none-match': '"0"' } })).status).toBe(200);
		await call(document.links.self, { method: 'DELETE' });
	});
});

describe('the operation URL', () => {
	it.each(['succeeded', 'failed'])('answers 200 and never redirects, also when the job %s', async (status) => {
		const document = await done(status === 'failed' ? FAILING : { seconds: 0 }, status);
		const response = await call(document.links.operation);
		expect(response.status).toBe(200);
		expect(await response.json()).toMatchObject({ status });
	});

	it('leaves the numeric status out of every problem, for it would be taken for the operation’s', async () => {
		const forged = await call(`/v1/operations/${'0'.repeat(64)}?token=x`);
		expect([forged.status, 'status' in (await forged.json<object>())]).toEqual([401, false]);
		const missing = await call(`/v1/operations/${'0'.repeat(64)}`);
		expect(missing.status).toBe(404);
		const body = await missing.json<Record<string, unknown>>();
		expect(body).not.toHaveProperty('status');
		expect(body).toMatchObject({ code: 'JobNotFound', error: { code: 'JobNotFound' } });
		expect(await (await call(`/v1/jobs/${'0'.repeat(64)}`)).json()).toMatchObject({ status: 404 });
	});
});

describe('an id', () => {
	it.each([
		'0'.repeat(64),
		'f'.repeat(64),
		'abc',
		'x'.repeat(64),
		`${'a'.repeat(63)}G`,
		'%2e%2e',
		"'--",
	])('%s that was made up is a 404', async (id) => {
		for (const path of [`/v1/jobs/${id}`, `/v1/jobs/${id}/result`, `/v1/operations/${id}`, `/v1/jobs/${id}/events`]) {
			const response = await call(path);
			expect(response.status).toBe(404);
			expect(await response.json()).toMatchObject({ code: expect.stringMatching(/^(JobNotFound|NotFound)$/) });
		}
	});
});

describe('every path', () => {
	it('answers a wrong method with 405 and those that it has', async () => {
		const response = await call('/v1/jobs', { method: 'PUT' });
		expect(response.status).toBe(405);
		expect(response.headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS');
		expect(await response.json()).toMatchObject({ code: 'MethodNotAllowed' });
		const job = await call(`/v1/jobs/${'0'.repeat(64)}`, { method: 'PATCH' });
		expect(job.headers.get('allow')).toBe('GET, DELETE, HEAD, OPTIONS');
	});

	it('answers a command with its outcome, whatever the client has seen before', async () => {
		const document = await done({ seconds: 0 }, 'succeeded');
		const headers = { 'if-none-match': `"${document.seq}"` };
		expect((await call(document.links.self, { method: 'DELETE', headers })).status).toBe(200);
	});

	it('answers HEAD like GET, without the body', async () => {
		const document = await done({ seconds: 0 }, 'succeeded');
		for (const url of [
			document.links.self,
			document.links.operation,
			document.links.result,
			`${ORIGIN}/v1/tasks`,
			`${ORIGIN}/healthz`,
		]) {
			const get = await call(url);
			const head = await call(url, { method: 'HEAD' });
			expect([head.status, await head.text()]).toEqual([get.status, '']);
			expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
			expect(head.headers.get('content-length')).toBe(String((await get.arrayBuffer()).byteLength));
		}
	});

	it('that is not there is a 404 with a way on', async () => {
		const response = await call('/nowhere');
		expect(response.status).toBe(404);
		expect(await response.json()).toMatchObject({ code: 'NotFound', detail: expect.stringContaining('/v1/tasks') });
	});
});

describe('events', () => {
	it('come as a page, after a cursor', async () => {
		const document = await done({ seconds: 0, failAttempts: 1 }, 'succeeded');
		const page = await (await call(document.links.events)).json<{ events: { seq: number }[]; lastSeq: number }>();
		expect(page.lastSeq).toBe(document.seq);
		const rest = await (await call(`${document.links.events}&after=${page.events[1]?.seq}`)).json<typeof page>();
		expect(rest.events).toEqual(page.events.slice(2));
	});

	it.each(['-1', 'x', '1.5', ''])('refuse the cursor "%s"', async (after) => {
		const document = await done({ seconds: 0 }, 'succeeded');
		const response = await call(`${document.links.events}&after=${after}`);
		expect(response.status).toBe(400);
		expect(await response.json()).toMatchObject({ errors: [{ parameter: 'after' }] });
	});
});

describe('the list of tasks', () => {
	it('says what each takes, as JSON Schema or media types', async () => {
		const { tasks } = await (await call('/v1/tasks')).json<{ tasks: Record<string, unknown>[] }>();
		const named = (name: string) => tasks.find((task) => task.name === name);
		expect(named('sleep')).toMatchObject({
			description: expect.any(String),
			input: {
				schema: { type: 'object', required: ['seconds'], properties: { seconds: { type: 'number', maximum: 600 } } },
			},
			lane: 'long',
			maxAttempts: 4,
			timeoutSeconds: 660,
		});
		expect(named('echo')).toMatchObject({
			input: { mediaTypes: ['application/octet-stream', 'text/*'], maxBytes: 33_554_432 },
		});
		expect(named('either')).toMatchObject({
			input: { schema: { type: 'object' }, mediaTypes: ['text/plain'], maxBytes: 100 },
			parameters: { properties: { times: { type: 'integer', minimum: 1, maximum: 3, default: 1 } } },
		});
	});
});
