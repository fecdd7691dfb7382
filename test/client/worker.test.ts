import { evictDurableObject } from 'cloudflare:test';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
	type Job,
	JobCanceledError,
	type JobEvent,
	JobFailedError,
	JobGoneError,
	ProblemError,
	type TransportName,
} from '../../src/client/index.ts';
import { call, ORIGIN, objectOf } from '../flow/client.ts';
import { clientOf, sockets } from './worker-client.ts';

// The first request loads the Worker, which may take longer than a client waits on a busy machine.
beforeAll(async () => void (await call('/healthz')));

const EACH: TransportName[] = ['websocket', 'sse', 'polling'];

async function eventsOf(job: Job, after?: number | 'now'): Promise<JobEvent[]> {
	const events: JobEvent[] = [];
	for await (const event of job.events(after === undefined ? {} : { after })) events.push(event);
	return events;
}

function lifecycleOf(events: readonly JobEvent[]): string[] {
	return events.map(({ type }) => type).filter((type) => type !== 'progress');
}

function seqsOf(events: readonly JobEvent[]): number[] {
	return events.map(({ seq }) => seq);
}

/** The reason why each of these was rejected. */
function reasonsOf(...uses: Promise<unknown>[]): Promise<unknown[]> {
	return Promise.all(
		uses.map((use) =>
			use.then(
				() => 'not rejected',
				(reason: unknown) => reason,
			),
		),
	);
}

/** All opened connections are closed. */
afterAll(() => vi.waitFor(() => expect(sockets.closed).toBe(sockets.opened)));

describe('a submitted job', { concurrent: true }, () => {
	it('has a key before anything was awaited, and an id, a URL and a result in time', async () => {
		const { client, asked } = clientOf();
		const job = client.submit('sleep', { seconds: 0 });
		expect(job.key).toMatch(/^[0-9a-f]{32}$/);
		expect(await job.result()).toEqual({ sleptSeconds: 0, attempt: 1 });
		expect(await job.id).toMatch(/^[0-9a-f]{64}$/);
		expect(await job.url).toContain(`/v1/jobs/${await job.id}?token=`);
		expect(asked[0]?.headers.get('idempotency-key')).toBe(`"${job.key}"`);
	});

	it('is the same job when it is submitted again with its key', async () => {
		const { client } = clientOf();
		const job = client.submit('sleep', { seconds: 0 });
		const again = client.submit('sleep', { seconds: 0 }, { idempotencyKey: job.key });
		expect(await again.id).toBe(await job.id);
		await again.result();
	});

	it('keeps what was asked for', async () => {
		const { client } = clientOf();
		const options = { correlationId: 'order-42', tags: ['größe', 'a,b'], delaySeconds: 60, maxAttempts: 2 };
		const job = client.submit('sleep', { seconds: 0 }, options);
		expect(await job.accepted()).toMatchObject({
			status: 'pending',
			phase: 'delayed',
			correlationId: 'order-42',
			tags: ['größe', 'a,b'],
			maxAttempts: 2,
		});
		await job.cancel();
	});

	it('that is refused says why to everybody who asks, and asks only once', async () => {
		const { client, asked } = clientOf();
		const job = client.submit('sleep', { seconds: 'three' });
		for (const error of await reasonsOf(job.accepted(), job.id, job.result(), job.cancel(), job.events().next())) {
			expect(error).toBeInstanceOf(ProblemError);
			expect(error).toMatchObject({ status: 400, code: 'InvalidInput', errors: [{ pointer: '/input/seconds' }] });
		}
		expect(asked).toHaveLength(1);
	});

	it('is refused when its key stands for something else', async () => {
		const { client } = clientOf();
		const idempotencyKey = crypto.randomUUID();
		await client.submit('sleep', { seconds: 0 }, { idempotencyKey }).accepted();
		const other = client.submit('sleep', { seconds: 0, steps: 2 }, { idempotencyKey });
		await expect(other.accepted()).rejects.toMatchObject({ status: 422, code: 'IdempotencyKeyReused' });
	});
});

describe.each(EACH)('events by %s', { concurrent: true }, (transport) => {
	it('are all of them, once and in order, and end with the job', async () => {
		const { client } = clientOf({ transports: [transport] });
		const job = client.submit('sleep', { seconds: 0.2, steps: 2, failAttempts: 1 });
		const events = await eventsOf(job);
		expect(lifecycleOf(events)).toEqual(['accepted', 'started', 'retrying', 'started', 'succeeded']);
		expect(seqsOf(events)).toEqual([...new Set(seqsOf(events))].sort((a, b) => a - b));
		expect(events.at(-1)?.job).toMatchObject({ status: 'succeeded', percentComplete: 100 });
	});

	it('begin where the reader wants them to', async () => {
		const { client } = clientOf({ transports: [transport] });
		const job = client.submit('sleep', { seconds: 0 });
		const all = await eventsOf(job);
		// Progress is told when it comes, and is not stored.
		const stored = all.filter(({ type }) => type !== 'progress');
		expect(seqsOf(await eventsOf(job, all[0]?.seq))).toEqual(seqsOf(stored).slice(1));
		expect(await eventsOf(job, all.at(-1)?.seq)).toEqual([]);
	});

	it('begin with a snapshot when the past is of no interest', async () => {
		const { client } = clientOf({ transports: [transport] });
		const job = client.submit('sleep', { seconds: 60 });
		const events: JobEvent[] = [];
		// However late the reader is, the job has not ended before.
		for await (const event of job.events({ after: 'now' })) if (events.push(event) === 1) await job.cancel();
		expect(events[0]).toMatchObject({ type: 'snapshot', job: { task: 'sleep' } });
		expect(['pending', 'running']).toContain(events[0]?.job.status);
		expect(events.at(-1)).toMatchObject({ type: 'canceled' });
	});

	it('go on on another transport from where this one was left', async () => {
		const job = clientOf({ transports: [transport] }).client.submit('sleep', { seconds: 0.5, steps: 1 });
		const first: JobEvent[] = [];
		for await (const event of job.events()) {
			first.push(event);
			if (event.type === 'started') break;
		}
		const other = clientOf({ transports: EACH.filter((name) => name !== transport) });
		const rest = await eventsOf(other.client.job(await job.url), first.at(-1)?.seq);
		expect(lifecycleOf([...first, ...rest])).toEqual(['accepted', 'started', 'succeeded']);
	});

	it('lead to the result', async () => {
		const { client } = clientOf({ transports: [transport] });
		expect(await client.submit('sleep', { seconds: 0.3 }).result()).toEqual({ sleptSeconds: 0.3, attempt: 1 });
	});

	it('end at once when the reader goes away, also while it waits for the next', async () => {
		const { client } = clientOf({ transports: [transport] });
		const job = client.submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const events = job.events();
		await events.next();
		const waiting = events.next();
		await events.return();
		expect(await waiting).toEqual({ done: true, value: undefined });
		await job.cancel();
	});

	it('reject with the reason of a signal that fires while they are waited for', async () => {
		const { client } = clientOf({ transports: [transport] });
		const job = client.submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		await job.accepted();
		const abort = new AbortController();
		const result = job.result({ signal: abort.signal });
		setTimeout(() => abort.abort(new Error('enough')), 100);
		await expect(result).rejects.toThrow('enough');
		await job.cancel();
	});
});

describe('a job followed by socket', { concurrent: true }, () => {
	it('is followed on when every socket of its object is reset', async () => {
		const { client } = clientOf({ transports: ['websocket'] });
		const job = client.submit('sleep', { seconds: 2, steps: 20 });
		const events: JobEvent[] = [];
		let resets = 0;
		for await (const event of job.events()) {
			events.push(event);
			if (event.type !== 'progress' || resets > 0) continue;
			resets++;
			await evictDurableObject(objectOf({ id: await job.id }), { webSockets: 'close' });
		}
		expect(resets).toBe(1);
		// The attempt lost its socket, too: on a machine that stops for seconds it is made again.
		expect(lifecycleOf(events)).toEqual(lifecycleOf(await eventsOf(clientOf().client.job(await job.url))));
		expect(events.at(-1)).toMatchObject({ type: 'succeeded' });
		expect(seqsOf(events)).toEqual([...new Set(seqsOf(events))].sort((a, b) => a - b));
	});

	it('costs two requests besides its socket: the submission and the result', async () => {
		const { client, asked } = clientOf();
		await client.submit('sleep', { seconds: 0.3 }).result();
		expect(asked.map(({ method, url }) => `${method} ${url.pathname.replace(/[0-9a-f]{64}/, '…')}`)).toEqual([
			'POST /v1/jobs',
			'GET /v1/jobs/…/result',
		]);
	});
});

describe('a job that ends otherwise', { concurrent: true }, () => {
	it('fails with its own error', async () => {
		const { client } = clientOf();
		const error = { code: 'TooDeep', message: 'Nobody sleeps that deep', retryable: false, status: 418 };
		const job = client.submit('sleep', { seconds: 0, error });
		const thrown = await job.result().catch((reason: unknown) => reason);
		expect(thrown).toBeInstanceOf(JobFailedError);
		expect(thrown).toMatchObject({
			code: 'TooDeep',
			message: 'Nobody sleeps that deep',
			retryable: false,
			details: [],
			job: { status: 'failed', attempt: 1 },
		});
		await expect(job.response()).rejects.toBeInstanceOf(JobFailedError);
	});

	it('is canceled, twice with the same answer, and has no result', async () => {
		const { client } = clientOf();
		const job = client.submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		expect(await job.cancel()).toMatchObject({ status: 'canceled' });
		expect(await job.cancel()).toMatchObject({ status: 'canceled' });
		await expect(job.result()).rejects.toBeInstanceOf(JobCanceledError);
	});

	it('is canceling while its attempt has not let go', async () => {
		const { client } = clientOf();
		const job = client.submit('sleep', { seconds: 30 });
		for await (const { type } of job.events()) if (type === 'started') break;
		expect(await job.cancel()).toMatchObject({ status: 'running', phase: 'canceling' });
		await expect(job.result()).rejects.toBeInstanceOf(JobCanceledError);
	});

	it('runs again when that is asked for, and can then succeed', async () => {
		const { client } = clientOf();
		const job = client.submit('sleep', { seconds: 0.2 }, { delaySeconds: 60 });
		await job.cancel();
		expect(await job.retry()).toMatchObject({ status: 'pending' });
		expect(await job.result()).toEqual({ sleptSeconds: 0.2, attempt: 1 });
		expect(lifecycleOf(await eventsOf(job))).toEqual(['accepted', 'canceled', 'accepted', 'started', 'succeeded']);
		await expect(job.retry()).rejects.toMatchObject({ status: 409, code: 'NotRetryable' });
	});

	it('is gone when it was purged, whatever is asked of it', async () => {
		const { client } = clientOf();
		const job = client.submit('sleep', { seconds: 0 });
		await job.result();
		await job.purge();
		for (const error of await reasonsOf(job.status(), job.result(), job.response(), job.cancel(), eventsOf(job))) {
			expect(error).toBeInstanceOf(JobGoneError);
			expect(error).toMatchObject({ status: 410, code: 'JobPurged', reason: 'purged' });
		}
		await job.purge();
	});

	it('can be purged only when it is finished', async () => {
		const { client } = clientOf();
		const job = client.submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		await expect(job.purge()).rejects.toMatchObject({ status: 409, code: 'NotFinished' });
		await job.cancel();
	});
});

describe('a handle from a URL', { concurrent: true }, () => {
	it('does what the first one does, in another process', async () => {
		const job = clientOf().client.submit('sleep', { seconds: 0.2 });
		const { links } = await job.accepted();
		for (const link of [links.self, links.operation, new URL(links.self)]) {
			const attached = clientOf().client.job(link);
			expect(await attached.id).toBe(await job.id);
			expect(await attached.url).toBe(await job.url);
			expect(await attached.result()).toEqual({ sleptSeconds: 0.2, attempt: 1 });
			expect(await attached.status()).toMatchObject({ status: 'succeeded' });
		}
	});

	it('is refused with a token that was changed', async () => {
		const url = await clientOf().client.submit('sleep', { seconds: 0 }).url;
		const { client, asked } = clientOf();
		const job = client.job(url.replace(/token=[^.]*/, 'token=e30'));
		for (const error of await reasonsOf(job.status(), job.result(), eventsOf(job))) {
			expect(error).toMatchObject({ status: 401, code: 'Unauthorized' });
		}
		expect(asked).toHaveLength(3);
	});

	it('of a job that nobody knows says so', async () => {
		const job = clientOf().client.job(`${ORIGIN}/v1/jobs/${'0'.repeat(64)}`);
		await expect(job.result()).rejects.toMatchObject({ status: 404, code: 'JobNotFound' });
		await expect(job.status()).rejects.toMatchObject({ status: 404, code: 'JobNotFound' });
	});
});

describe('bytes', { concurrent: true }, () => {
	const BYTES = new Uint8Array(new TextEncoder().encode('forty-two bytes that came and went as they were'));
	const inputs: [string, () => Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>, string][] = [
		['a Blob', () => new Blob([BYTES], { type: 'text/x-note' }), 'text/x-note'],
		['an ArrayBuffer', () => BYTES.buffer, 'application/octet-stream'],
		['a view', () => BYTES, 'application/octet-stream'],
		['a stream', () => new Blob([BYTES]).stream(), 'application/octet-stream'],
	];

	it.each(inputs)('go in as %s, and come out as a Response', async (_, input, mediaType) => {
		const { client } = clientOf();
		const job = client.submit('echo', input());
		const response = await job.response();
		expect(response.headers.get('content-type')).toBe(mediaType);
		expect(new Uint8Array(await response.arrayBuffer())).toEqual(BYTES);
		const result = (await job.result()) as Response;
		expect((await result.arrayBuffer()).byteLength).toBe(BYTES.byteLength);
	});

	it('have a media type, parameters and options of their own', async () => {
		const { client } = clientOf();
		const job = client.submit('either', BYTES.slice(0, 5), {
			mediaType: 'text/plain;charset=utf-8',
			parameters: { times: 2 },
			correlationId: 'order-43',
			tags: ['a', 'b'],
			retainSeconds: 60,
		});
		expect(await job.result()).toEqual({ said: 'fortyforty' });
		expect(await job.accepted()).toMatchObject({ correlationId: 'order-43', tags: ['a', 'b'] });
	});

	it('can be many, and arrive all', async () => {
		const response = await clientOf().client.submit('produce', { bytes: 5_000_000 }).response();
		expect((await response.arrayBuffer()).byteLength).toBe(5_000_000);
	});

	it('can have tags only as a header can carry them', async () => {
		const job = clientOf().client.submit('echo', BYTES, { tags: ['a,b'] });
		await expect(job.accepted()).rejects.toThrow(
			new TypeError('Expected tags of visible ASCII without commas for a binary input, got: "a,b"'),
		);
	});
});

describe('a result', { concurrent: true }, () => {
	it('without a body is undefined', async () => {
		const job = clientOf().client.submit('odd', 'nothing');
		expect(await job.result()).toBeUndefined();
		expect((await job.response()).status).toBe(204);
	});

	it('has parameters of the task behind it, also with JSON', async () => {
		const job = clientOf().client.submit('either', { name: 'ho' }, { parameters: { times: 3 } });
		expect(await job.result()).toEqual({ said: 'hohoho' });
	});
});
