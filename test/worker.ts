/** The Worker under test: this deployment's own tasks, and some that misbehave for the tests. */
import { WorkerEntrypoint } from 'cloudflare:workers';
import * as z from 'zod';
import { coatcheck } from '../src/coatcheck.ts';
import { tasks } from '../src/tasks/index.ts';
import { defineTask, TaskError } from '../src/work/task.ts';
import { RELAYED_JOB } from './relayed-job.ts';

export { BatchObject } from '../src/object/batch-object.ts';
export { JobObject } from '../src/object/job-object.ts';
export { TenantObject } from '../src/object/tenant-object.ts';
export { TopicObject } from '../src/object/topic-object.ts';
export { UpstreamGate } from '../src/object/upstream-gate.ts';

const RELAY_LASTS_MS = 50;
/** The test runner logs no error with these words. */
const NOT_LOGGED = 'disconnected: WebSocket was aborted';

/** Passes an attempt's link on to its job. Its invocation soon ends: both ends lose their socket without a close frame. */
export class Relay extends WorkerEntrypoint<Env> {
	override async fetch(request: Request): Promise<Response> {
		const { JOBS } = this.env;
		const job = JOBS.get(JOBS.idFromString(request.headers.get(RELAYED_JOB) ?? ''));
		const { webSocket: far } = await job.fetch(request.url, { headers: request.headers });
		if (!far) throw new Error('Expected a socket');
		const { 0: near, 1: end } = new WebSocketPair();
		far.accept();
		end.accept();
		far.addEventListener('message', ({ data }) => end.send(data));
		end.addEventListener('message', ({ data }) => far.send(data));
		this.ctx.waitUntil(scheduler.wait(RELAY_LASTS_MS).then(() => this.ctx.abort(new Error(NOT_LOGGED))));
		return new Response(null, { status: 101, webSocket: near });
	}
}

/** Returns its input. */
const echo = defineTask({
	name: 'echo',
	description: 'Answers with the bytes it was sent.',
	input: { mediaTypes: ['application/octet-stream', 'text/*'] },
	run: (input) => new Response(input.stream(), { headers: { 'content-type': input.mediaType, 'set-cookie': 'a=b' } }),
});

/** Accepts bytes or JSON, and returns which it was. */
const either = defineTask({
	name: 'either',
	description: 'Says what it was sent.',
	input: { json: z.strictObject({ name: z.string() }), binary: { mediaTypes: ['text/plain'], maxBytes: 100 } },
	parameters: z.object({ times: z.coerce.number().int().min(1).max(3).default(1) }),
	run: async (input, job) => {
		const name = 'stream' in input ? new TextDecoder().decode(await input.bytes()) : input.name;
		return { said: name.repeat(job.parameters.times) };
	},
});

/** Returns a result of the given number of bytes. */
const produce = defineTask({
	name: 'produce',
	description: 'Makes a large result.',
	input: z.strictObject({ bytes: z.int() }),
	run: ({ bytes }) => {
		let left = bytes;
		const body = new ReadableStream<Uint8Array>({
			pull(controller) {
				const piece = new Uint8Array(Math.min(left, 65_536)).fill(left % 251);
				left -= piece.byteLength;
				if (piece.byteLength > 0) controller.enqueue(piece);
				if (left === 0) controller.close();
			},
		});
		return new Response(body, { headers: { 'content-type': 'application/x-made' } });
	},
});

/** Fails with an error that must stay hidden from clients. */
const leak = defineTask({
	name: 'leak',
	description: 'Throws something private.',
	input: z.unknown(),
	maxAttempts: 1,
	run: () => {
		throw new Error('connection to db://admin:hunter2@10.0.0.7 refused');
	},
});

/** Returns a value that can't become a reply. */
const odd = defineTask({
	name: 'odd',
	description: 'Returns something odd.',
	input: z.enum(['function', 'cycle', 'bigint', 'status', 'headers', 'nothing', 'redirect']),
	run: (kind) => {
		const cycle: Record<string, unknown> = {};
		cycle.self = cycle;
		const results: Record<typeof kind, unknown> = {
			function: () => 1,
			cycle,
			bigint: 1n,
			status: new Response('no', { status: 500 }),
			headers: new Response('yes', { headers: { link: '<https://a.example/>; rel="item", '.repeat(2_500) } }),
			nothing: undefined,
			redirect: new Response(null, { status: 301, headers: { location: 'https://elsewhere.example/' } }),
		};
		return results[kind] as string;
	},
});

/** Accepts bytes that happen to be JSON. */
const rawJson = defineTask({
	name: 'raw-json',
	description: 'Answers with the bytes it was sent.',
	input: { mediaTypes: ['application/json'] },
	run: (input) => new Response(input.stream(), { headers: { 'content-type': input.mediaType } }),
});

/** Returns the most difficult values that are allowed. */
const awkward = defineTask({
	name: 'awkward',
	description: 'Reports progress and fails with what is no plain JSON.',
	input: z.enum(['progress', 'details', 'retry-after']),
	maxAttempts: 2,
	run: (kind, job) => {
		const awkward = { at: new URL('https://a.example/'), when: new Date(0), fn: () => 1 };
		if (kind === 'progress') job.progress(50, 'half', awkward);
		if (kind === 'details') throw new TaskError('Awkward', 'So', { retryable: false, details: [awkward as never] });
		if (kind === 'retry-after' && job.attempt === 1)
			throw new TaskError('Awkward', 'So', { retryAfterSeconds: Number.NaN });
		return 'done';
	},
});

/** Never settles, and ignores its signal. */
const deaf = defineTask({
	name: 'deaf',
	description: 'Never ends.',
	input: z.unknown(),
	maxAttempts: 1,
	timeoutSeconds: 1,
	run: () => new Promise<string>(() => {}),
});

/** Reports its start, and works until its signal aborts. */
const patient = defineTask({
	name: 'patient',
	description: 'Works until it is canceled.',
	input: z.unknown(),
	run: async (_, job) => {
		job.progress(1, 'at work');
		await scheduler.wait(60_000, { signal: job.signal });
		return 'done';
	},
});

/** Ends its consumer with everything that runs in it, as exhausted memory or CPU does. */
const killer = defineTask({
	name: 'killer',
	description: 'Kills its consumer in the first attempts.',
	input: z.strictObject({ attempts: z.int() }),
	timeoutSeconds: 1,
	run: async ({ attempts }, job) => {
		if (job.attempt <= attempts) process.exit(1);
		return { attempt: job.attempt };
	},
});

/** A harmless task that takes long enough to have neighbours. */
const innocent = defineTask({
	name: 'innocent',
	description: 'Takes a moment.',
	input: z.unknown(),
	run: async () => {
		await scheduler.wait(300);
		return 'done';
	},
});

/** Calls `progress` as often as it can. */
const chatty = defineTask({
	name: 'chatty',
	description: 'Reports progress ten thousand times.',
	input: z.unknown(),
	run: async (_, job) => {
		for (let call = 0; call < 10_000; call++) job.progress(call / 100, `call ${call}`, { huge: 'x'.repeat(call) });
		await scheduler.wait(1_200);
		job.progress(Number.NaN, undefined, 1n);
		return 'done';
	},
});

/** Returns the facts of its job. */
const context = defineTask({
	name: 'context',
	description: 'Answers with its own context.',
	input: z.unknown(),
	run: (_, { id, attempt, correlationId, idempotencyKey, traceparent }) => ({
		id,
		attempt,
		correlationId,
		idempotencyKey,
		traceparent,
	}),
});

/** Fetches an address for the client. */
const fetcher = defineTask({
	name: 'fetcher',
	description: 'Fetches a URL.',
	input: z.strictObject({ url: z.string() }),
	maxAttempts: 1,
	run: async ({ url }, job) => new Response((await job.fetch(url)).body),
});

/** Fails because of its input, and includes it in the error. */
const stumble = defineTask({
	name: 'stumble',
	description: 'Reads its input as JSON, and throws what that throws.',
	input: { mediaTypes: ['text/plain'] },
	maxAttempts: 1,
	run: async (input) => JSON.parse(new TextDecoder().decode(await input.bytes())) as string,
});

/** Returns the headers that it received. */
const labelled = defineTask({
	name: 'labelled',
	description: 'Makes a result with validators.',
	input: z.record(z.string(), z.string()),
	run: (headers) => new Response('labelled', { headers: { 'content-type': 'text/plain', ...headers } }),
});

/** Runs in the Worker that accepted it. */
const atOnce = defineTask({
	name: 'at-once',
	description: 'Works, fails or kills its Worker at once.',
	input: z.strictObject({ ms: z.int().default(0), fails: z.int().default(0), kills: z.int().default(0) }),
	lane: 'now',
	run: async ({ ms, fails, kills }, job) => {
		if (job.attempt <= kills) process.exit(1);
		await scheduler.wait(ms, { signal: job.signal });
		if (job.attempt <= fails) throw new TaskError('NotYet', 'The attempt was meant to fail');
		return { attempt: job.attempt };
	},
});

export default coatcheck({
	tasks: [
		...tasks,
		echo,
		either,
		produce,
		leak,
		odd,
		deaf,
		patient,
		killer,
		innocent,
		chatty,
		context,
		fetcher,
		rawJson,
		awkward,
		stumble,
		labelled,
		atOnce,
	],
});
