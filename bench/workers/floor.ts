/**
 * The floor: the same primitives, used as sparingly as possible, without any of the features. A job is an object with one value
 * and one alarm. It is queued, started, finished, read, and reported over a hibernating socket. There is no validation and no
 * access control, and a lost message is a lost job. The product's extra time over this is the cost of its promises.
 */
import { DurableObject } from 'cloudflare:workers';

const CHUNK_BYTES = 1_900_000;
const INLINE_BYTES = 65_536;
const ALARM_MS = 60_000;
const RETAIN_MS = 86_400_000;
/** A limit of the platform. */
const MESSAGES_AT_ONCE = 100;

interface Body {
	readonly inline?: Uint8Array;
	readonly chunks?: number;
}

interface Job {
	readonly status: 'pending' | 'running' | 'succeeded';
	readonly ms: number;
	readonly input?: Body;
	readonly result?: Body;
}

interface FloorEnv {
	readonly JOBS: DurableObjectNamespace<JobObject>;
	readonly LANE_JOBS_1: Queue<{ id: string }>;
	readonly LANE_JOBS_2: Queue<{ id: string }>;
	readonly LANE_JOBS_3: Queue<{ id: string }>;
	readonly LANE_JOBS_4: Queue<{ id: string }>;
}

export class JobObject extends DurableObject {
	async accept(ms: number, input?: Body): Promise<void> {
		this.#save({ status: 'pending', ms, ...(input && { input }) });
		void this.ctx.storage.setAlarm(Date.now() + ALARM_MS);
	}

	async read(): Promise<Job | undefined> {
		return this.ctx.storage.kv.get<Job>('job');
	}

	async start(): Promise<Job | undefined> {
		const job = await this.read();
		if (job?.status !== 'pending') return undefined;
		return this.#save({ ...job, status: 'running' });
	}

	async complete(result: Body): Promise<void> {
		const job = await this.read();
		if (!job) return;
		this.#save({ ...job, status: 'succeeded', result });
		void this.ctx.storage.setAlarm(Date.now() + RETAIN_MS);
		for (const socket of this.ctx.getWebSockets()) tell(socket);
	}

	async writeChunk(name: string, bytes: Uint8Array): Promise<void> {
		this.ctx.storage.kv.put(name, bytes);
	}

	async readChunk(name: string): Promise<Uint8Array | undefined> {
		return this.ctx.storage.kv.get<Uint8Array>(name);
	}

	override async fetch(): Promise<Response> {
		const { 0: client, 1: server } = new WebSocketPair();
		this.ctx.acceptWebSocket(server);
		if ((await this.read())?.status === 'succeeded') tell(server);
		return new Response(null, { status: 101, webSocket: client });
	}

	override async alarm(): Promise<void> {
		await this.ctx.storage.deleteAll();
	}

	#save(job: Job): Job {
		this.ctx.storage.kv.put('job', job);
		return job;
	}
}

/** Never called: the configuration names these classes, so they must exist. */
export class BatchObject extends DurableObject {}
export class TenantObject extends DurableObject {}
export class TopicObject extends DurableObject {}
export class UpstreamGate extends DurableObject {}

function tell(socket: WebSocket): void {
	socket.send('{"status":"succeeded"}');
	socket.close(1000, 'done');
}

/** As many bytes and headers as a status document, because their transfer costs every contender the same. */
function asLong(answer: object): Response {
	const headers = Object.fromEntries(Array.from({ length: OUR_HEADERS }, (_, index) => [`x-header-${index}`, FILLER]));
	return Response.json({ ...answer, filler: 'x'.repeat(OUR_DOCUMENT_BYTES) }, { headers });
}

const OUR_HEADERS = 8;
const OUR_DOCUMENT_BYTES = 2_300;
const FILLER = 'x'.repeat(20);

let turn = 0;

export default {
	async fetch(request, env, ctx) {
		const { pathname } = new URL(request.url);
		if (pathname === '/batches') return submitMany(request, env, ctx);
		if (request.method === 'POST') return submit(request, env, ctx);
		const [, , id = '', part] = pathname.split('/');
		if (id.length !== 64) return new Response(null, { status: 404 });
		const stub = env.JOBS.get(env.JOBS.idFromString(id));
		if (part === 'socket') return stub.fetch(request);
		const job = await stub.read();
		if (!job) return new Response(null, { status: 404 });
		if (part === 'result') return new Response(stream(stub, 'result', job.result));
		const answer = { id, status: job.status };
		return part === 'as-long' ? asLong(answer) : Response.json(answer);
	},
	async queue(batch, env) {
		await Promise.all(
			batch.messages.map(async (message) => {
				const stub = env.JOBS.get(env.JOBS.idFromString(message.body.id));
				const job = await stub.start();
				if (job) await stub.complete(await run(stub, job));
				message.ack();
			}),
		);
	},
} satisfies ExportedHandler<FloorEnv, { id: string }>;

/** Accepts jobs all at once, and sends their messages in groups. */
async function submitMany(request: Request, env: FloorEnv, ctx: ExecutionContext): Promise<Response> {
	const { count } = (await request.json()) as { count: number };
	const ids = Array.from({ length: count }, () => env.JOBS.newUniqueId());
	await Promise.all(ids.map((id) => env.JOBS.get(id).accept(0)));
	const messages = ids.map((id) => ({ body: { id: id.toString() } }));
	for (let from = 0; from < count; from += MESSAGES_AT_ONCE)
		ctx.waitUntil(env.LANE_JOBS_1.sendBatch(messages.slice(from, from + MESSAGES_AT_ONCE)));
	return Response.json({ ids: ids.map(String) }, { status: 202 });
}

async function submit(request: Request, env: FloorEnv, ctx: ExecutionContext): Promise<Response> {
	const id = env.JOBS.newUniqueId();
	const stub = env.JOBS.get(id);
	const isJson = request.headers.get('content-type') === 'application/json';
	if (isJson) await stub.accept(((await request.json()) as { ms: number }).ms);
	else await stub.accept(0, await store(stub, 'input', request.body));
	const lanes = [env.LANE_JOBS_1, env.LANE_JOBS_2, env.LANE_JOBS_3, env.LANE_JOBS_4];
	ctx.waitUntil(lanes[turn++ % lanes.length]?.send({ id: id.toString() }) ?? Promise.resolve());
	return Response.json({ id: id.toString(), status: 'pending' }, { status: 202 });
}

async function run(stub: DurableObjectStub<JobObject>, { ms, input }: Job): Promise<Body> {
	if (input) return store(stub, 'result', stream(stub, 'input', input));
	if (ms > 0) await scheduler.wait(ms);
	return { inline: new TextEncoder().encode(JSON.stringify({ returnedAt: Date.now() })) };
}

async function store(
	stub: DurableObjectStub<JobObject>,
	name: string,
	source: ReadableStream<Uint8Array> | null,
): Promise<Body> {
	const piece = new Uint8Array(CHUNK_BYTES);
	let length = 0;
	let chunks = 0;
	for await (const bytes of source ?? []) {
		for (let taken = 0; taken < bytes.byteLength; ) {
			const part = bytes.subarray(taken, taken + CHUNK_BYTES - length);
			piece.set(part, length);
			length += part.byteLength;
			taken += part.byteLength;
			if (length < CHUNK_BYTES) continue;
			await stub.writeChunk(`${name}/${chunks++}`, piece);
			length = 0;
		}
	}
	if (chunks === 0 && length <= INLINE_BYTES) return { inline: piece.slice(0, length) };
	if (length > 0) await stub.writeChunk(`${name}/${chunks++}`, piece.slice(0, length));
	return { chunks };
}

function stream(
	stub: DurableObjectStub<JobObject>,
	name: string,
	{ inline, chunks = 0 }: Body = {},
): ReadableStream<Uint8Array> {
	let index = 0;
	return new ReadableStream({
		async pull(controller) {
			if (inline && index++ === 0) controller.enqueue(inline);
			else if (!inline && index < chunks) controller.enqueue(await stub.readChunk(`${name}/${index++}`));
			else controller.close();
		},
	});
}
