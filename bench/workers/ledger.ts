/**
 * The subject of the comparison, with its billed operations counted at the platform's own storage, stubs,
 * queues and messages. The prototypes count them, so that the code under test is unaffected.
 * `GET /ledger` returns the counts, `DELETE /ledger` resets them, and `POST /ledger` lets the time of every job and batch since
 * then pass: the alarms fire until no data is left.
 */
import { BatchObject as BatchSubject } from '../../src/object/batch-object.ts';
import { JobObject as Subject } from '../../src/object/job-object.ts';
import worker from './now.ts';

export { TenantObject } from '../../src/object/tenant-object.ts';
export { TopicObject } from '../../src/object/topic-object.ts';
export { UpstreamGate } from '../../src/object/upstream-gate.ts';

/** Counts of everything that is billed. */
const counts = {
	/** Requests from outside, and batches of a queue. */
	workerRequests: 0,
	batches: 0,
	/** RPC, sockets opened, alarms. */
	objectCalls: 0,
	alarms: 0,
	socketMessages: 0,
	rowsRead: 0,
	rowsWritten: 0,
	/** `deleteAll()`: no page says how it is billed. */
	erasings: 0,
	/** 64 KB of a message, written, read or deleted. */
	queueOperations: 0,
	/** Time that callers waited for an object, in milliseconds: an upper limit of its time awake for them. */
	objectWaitMs: 0,
};

type Counter = keyof typeof counts;

const ROWS_READ = ['get'];
const ROWS_WRITTEN = ['put', 'delete'];
const ALARMS = ['setAlarm', 'deleteAlarm'];
const NO_CALLS = ['constructor', 'fetch', 'alarm', 'webSocketMessage', 'webSocketClose', 'webSocketError'];
/** A message is written and deleted once, and read once for each delivery. */
const OPERATIONS_A_SEND = 3;

countIn(BatchSubject.prototype, ['acceptsKey', 'add', 'readBatch', 'recordStatuses', 'alarm'], 'objectCalls');
countIn(BatchSubject.prototype, ['alarm'], 'alarms');

let areCounted = false;

/** Ids of the objects since the count began. */
const jobs = new Set<string>();
const batches = new Set<string>();

interface Erasable {
	/** Lets the object's time pass, as far as its alarms go. */
	passTime(): Promise<void>;
	/** Number of values that it still has. */
	countValues(): Promise<number>;
}

/** Maximum number of alarms until a finished object has none. A batch erases its jobs in portions. */
const MAX_ALARMS = 100;

/**
 * Fires an object's alarms, each at its time, until none is set. Meanwhile the whole isolate has that time: an object may call others,
 * which must be as old.
 */
async function fireAlarms(storage: DurableObjectStorage, alarm: () => Promise<void>): Promise<void> {
	const { now } = Date;
	for (let fired = 0; fired < MAX_ALARMS; fired++) {
		const at = await storage.getAlarm();
		if (at === null) return;
		Date.now = () => at;
		await alarm().finally(() => {
			Date.now = now;
		});
	}
	throw new Error(`Expected an object without an alarm after ${MAX_ALARMS} alarms`);
}

function countStored({ kv }: DurableObjectStorage): number {
	return [...kv.list()].length;
}

export class BatchObject extends BatchSubject implements Erasable {
	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		batches.add(ctx.id.toString());
	}

	passTime(): Promise<void> {
		return fireAlarms(this.ctx.storage, () => this.alarm());
	}

	async countValues(): Promise<number> {
		return countStored(this.ctx.storage);
	}
}

export class JobObject extends Subject implements Erasable {
	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		jobs.add(ctx.id.toString());
		if (areCounted) return;
		areCounted = true;
		const { storage } = ctx;
		countCalls(storage.kv, ROWS_READ, 'rowsRead');
		countCalls(storage.kv, ROWS_WRITTEN, 'rowsWritten');
		countCalls(storage, ALARMS, 'rowsWritten');
		countCalls(storage, ['deleteAll'], 'erasings');
		const calls = Object.getOwnPropertyNames(Subject.prototype).filter((name) => !NO_CALLS.includes(name));
		countIn(Subject.prototype, [...calls, 'fetch', 'alarm'], 'objectCalls');
		countIn(Subject.prototype, ['alarm'], 'alarms');
		countIn(Subject.prototype, ['webSocketMessage'], 'socketMessages');
	}

	passTime(): Promise<void> {
		return fireAlarms(this.ctx.storage, () => this.alarm());
	}

	async countValues(): Promise<number> {
		return countStored(this.ctx.storage);
	}
}

export default {
	async fetch(request, env, ctx) {
		if (new URL(request.url).pathname === '/ledger') return ledger(request, env);
		counts.workerRequests++;
		return worker.fetch(request as never, watched(env), ctx);
	},
	async queue(batch, env, ctx) {
		counts.workerRequests++;
		counts.batches++;
		countMessages(batch);
		return worker.queue(batch, watched(env), ctx);
	},
} satisfies ExportedHandler<Env>;

async function ledger({ method }: Request, env: Env): Promise<Response> {
	if (method === 'POST') await eraseAll(env);
	const said = Response.json(counts);
	if (method === 'DELETE') {
		for (const name of Object.keys(counts) as Counter[]) counts[name] = 0;
		jobs.clear();
		batches.clear();
	}
	return said;
}

/** Jobs first: their watchdogs fire within a minute, and a batch erases its jobs after a day. */
async function eraseAll(env: Env): Promise<void> {
	const ids = [...jobs];
	const objects = [
		...ids.map((id) => objectFor(env.JOBS, id)),
		...[...batches].map((id) => objectFor(env.BATCHES, id)),
	];
	for (const object of objects) await object.passTime();
	let left = 0;
	for (const object of objects) left += await object.countValues();
	if (left > 0) throw new Error(`Expected every object to be empty, got ${left} values in ${objects.length} objects`);
}

function objectFor(namespace: DurableObjectNamespace, id: string): Erasable {
	return namespace.get(namespace.idFromString(id)) as unknown as Erasable;
}

let watchedEnv: Env | undefined;

/** The same bindings, with the queue operations counted and the calls to objects timed. */
function watched(env: Env): Env {
	if (watchedEnv) return watchedEnv;
	countCalls(env.LANE_JOBS_1, ['send'], 'queueOperations', () => OPERATIONS_A_SEND);
	countCalls(env.LANE_JOBS_1, ['sendBatch'], 'queueOperations', ([messages]) => sizeOf(messages) * OPERATIONS_A_SEND);
	const get = (id: DurableObjectId) => timed(env.JOBS.get(id));
	const JOBS = new Proxy(env.JOBS, {
		get: (target, name) => (name === 'get' ? get : bound(target, name)),
	});
	watchedEnv = { ...env, JOBS };
	return watchedEnv;
}

function timed<Stub extends object>(stub: Stub): Stub {
	return new Proxy(stub, {
		get:
			(target, name) =>
			async (...args: unknown[]) => {
				const begin = Date.now();
				try {
					// Reading `apply` from a stub would be a remote call.
					return await Reflect.apply(Reflect.get(target, name) as () => unknown, target, args);
				} finally {
					counts.objectWaitMs += Date.now() - begin;
				}
			},
	});
}

let areMessagesCounted = false;

function countMessages({ messages }: MessageBatch): void {
	const [first] = messages;
	if (areMessagesCounted || !first) return;
	areMessagesCounted = true;
	countCalls(first, ['retry'], 'queueOperations');
}

function bound(target: object, name: PropertyKey): unknown {
	const value = Reflect.get(target, name) as unknown;
	return typeof value === 'function' ? value.bind(target) : value;
}

type CountOf = (args: readonly unknown[]) => number;

function one(): number {
	return 1;
}

function sizeOf(messages: unknown): number {
	return (messages as readonly unknown[]).length;
}

function countCalls(object: object, methods: readonly string[], counter: Counter, by: CountOf = one): void {
	countIn(Object.getPrototypeOf(object) as object, methods, counter, by);
}

function countIn(prototype: object, methods: readonly string[], counter: Counter, by: CountOf = one): void {
	for (const method of methods) {
		const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
		Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]) {
			counts[counter] += by(args);
			return original.apply(this, args);
		});
	}
}
