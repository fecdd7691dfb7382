import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { call, eventsOf, post, submit, until } from '../flow/client.ts';
import { failSends } from '../flow/faults.ts';
import { ask, bearer, DEPLOYED, KEYS, submission, type Variables } from './deployment.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

type Line = Record<string, unknown>;

/** The log lines from now on. */
function logged(): Line[] {
	const lines: Line[] = [];
	const spy = vi.spyOn(console, 'error').mockImplementation((line) => lines.push(JSON.parse(String(line)) as Line));
	onTestFinished(() => spy.mockRestore());
	return lines;
}

const unreachable: Variables = {
	...DEPLOYED,
	JOBS: new Proxy(env.JOBS, {
		get: (_, name) => {
			const value = Reflect.get(env.JOBS, name) as unknown;
			if (name === 'get') throw new Error('no way to the objects');
			return typeof value === 'function' ? value.bind(env.JOBS) : value;
		},
	}),
};

describe('the correlation id of a request', () => {
	it.each<[string, () => Promise<Response>, number]>([
		['an unknown path', () => call('/nothing'), 404],
		['an unknown job', () => call(`/v1/jobs/${'f'.repeat(64)}`), 404],
		['a wrong method', () => call('/v1/tasks', { method: 'PUT' }), 405],
		['an input that does not fit', () => post('/v1/jobs', { task: 'sleep', input: 7 }), 400],
		['a missing key', () => ask(DEPLOYED, '/v1/tasks'), 401],
		['a deployment that is not configured', () => ask({ ...DEPLOYED, API_KEYS: undefined }, '/v1/tasks'), 503],
		['an unusable id of the caller', () => call('/nothing', { headers: { 'x-correlation-id': 'with space' } }), 404],
		['too long an id of the caller', () => call('/nothing', { headers: { 'x-correlation-id': 'x'.repeat(129) } }), 404],
	])('is made up for %s, the same in the header and in the problem', async (_, request, status) => {
		const response = await request();
		expect(response.status).toBe(status);
		const { correlationId } = await response.json<{ correlationId: string }>();
		expect(correlationId).toMatch(UUID);
		expect(response.headers.get('x-correlation-id')).toBe(correlationId);
	});

	it('is in every answer: the list of tasks, a preflight, the health check, a stream and a socket', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const socket = await call((document.links.socket ?? '').replace(/^ws/, 'http'), {
			headers: { upgrade: 'websocket' },
		});
		socket.webSocket?.accept();
		socket.webSocket?.close();
		const stream = await call(document.links.events, { headers: { accept: 'text/event-stream' } });
		await stream.body?.cancel();
		const others = [call('/v1/tasks'), call('/healthz'), call('/v1/jobs', { method: 'OPTIONS' })];
		for (const response of [socket, stream, ...(await Promise.all(others))])
			expect(response.headers.get('x-correlation-id')).toMatch(UUID);
	});

	it("is the caller's where there is one, in answers about a job too; else it is the job's", async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { correlationId: 'order-42' });
		await until(document, 'succeeded');
		const { operation, result, events } = document.links;
		for (const link of [operation, result, events]) {
			const mine = await call(link, { headers: { 'x-correlation-id': 'poll-7' } });
			const plain = await call(link);
			expect([link, mine.headers.get('x-correlation-id')]).toEqual([link, 'poll-7']);
			expect([link, plain.headers.get('x-correlation-id')]).toEqual([link, 'order-42']);
		}
		expect((await eventsOf(document)).at(-1)?.job.correlationId).toBe('order-42');
	});

	it('is that of the job which a submission makes, and of the log lines that follow', async () => {
		const lines = logged();
		failSends();
		const response = await post('/v1/tasks/sleep/jobs', { seconds: 0 });
		const { id, correlationId } = await response.json<StatusDocument>();
		expect(correlationId).toMatch(UUID);
		expect(response.headers.get('x-correlation-id')).toBe(correlationId);
		await vi.waitFor(() => expect(lines).toContainEqual(expect.objectContaining({ message: 'send failed', job: id })));
		for (const line of lines.filter(({ job }) => job === id)) expect(line).toMatchObject({ correlationId });
	});

	it('may stand in the envelope', async () => {
		const { response } = await submit('sleep', { seconds: 0 }, { correlationId: 'order-43', delaySeconds: 3_600 });
		expect(response.headers.get('x-correlation-id')).toBe('order-43');
	});

	it('is the same in the problem and in the log line of a request that failed', async () => {
		const lines = logged();
		const init = submission(bearer(KEYS.submit));
		const response = await ask(unreachable, '/v1/tasks/sleep/jobs', init);
		expect(response.status).toBe(500);
		const { correlationId } = await response.json<{ correlationId: string }>();
		const own = lines.filter((line) => line.correlationId === correlationId);
		expect(own).toEqual([expect.objectContaining({ message: 'request failed' })]);
		expect(own).toEqual(lines.filter(({ message }) => message === 'request failed'));
	});

	it("is in the log lines of the job's attempts", async () => {
		const lines = logged();
		const { document } = await submit('leak', {}, { correlationId: 'order-44' });
		await until(document, 'failed');
		expect(lines).toContainEqual(
			expect.objectContaining({ message: 'task failed', job: document.id, correlationId: 'order-44' }),
		);
	});

	it('is one for all jobs of a batch that have none of their own', async () => {
		const jobs = [1, 2].map(() => ({ task: 'sleep', input: { seconds: 0 }, options: { delaySeconds: 3_600 } }));
		const response = await post('/v1/batches', { jobs });
		const batch = await response.json<{ jobs: { links: { self: string } }[] }>();
		for (const { links } of batch.jobs) {
			const job = await (await call(links.self)).json<StatusDocument>();
			expect(job.correlationId).toBe(response.headers.get('x-correlation-id'));
		}
	});
});
