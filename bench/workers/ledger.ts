/**
 * The subject of the comparison, with its billed operations counted where they happen: at the platform's own storage, stubs,
 * queues and messages. They are counted by their prototypes, so that nothing in the code under test knows of it.
 * `GET /ledger` says what was counted, `DELETE /ledger` starts anew.
 */
import { BatchObject } from '../../src/object/batch-object.ts';
import { JobObject as Subject } from '../../src/object/job-object.ts';
import worker from './subject.ts';

export { TenantObject } from '../../src/object/tenant-object.ts';
export { UpstreamGate } from '../../src/object/upstream-gate.ts';

/** Everything that somebody is paid for, as counts. */
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
	/** 64 KB of a message, written, read or deleted. */
	queueOperations: 0,
	/** What the callers of an object waited for it, in milliseconds: the longest that it can have been awake for them. */
	objectWaitMs: 0,
};

type Counter = keyof typeof counts;

const ROWS_READ = ['get'];
const ROWS_WRITTEN = ['put', 'delete'];
const ALARMS = ['setAlarm', 'deleteAlarm'];
const NO_CALLS = ['constructor', 'fetch', 'alarm', 'webSocketMessage', 'webSocketClose', 'webSocketError'];
/** Written and deleted once, read once for each delivery. */
const OPERATIONS_A_SEND = 3;

countIn(BatchObject.prototype, ['isFor', 'add', 'look', 'note'], 'objectCalls');
countIn(BatchObject.prototype, ['alarm'], 'alarms');

let areCounted = false;

export { BatchObject };

export class JobObject extends Subject {
	constructor(ctx: DurableObjectState, env: Env) {
		super(ctx, env);
		if (areCounted) return;
		areCounted = true;
		const { storage } = ctx;
		countCalls(storage.kv, ROWS_READ, 'rowsRead');
		countCalls(storage.kv, ROWS_WRITTEN, 'rowsWritten');
		countCalls(storage, ALARMS, 'rowsWritten');
		const calls = Object.getOwnPropertyNames(Subject.prototype).filter((name) => !NO_CALLS.includes(name));
		countIn(Subject.prototype, [...calls, 'fetch', 'alarm'], 'objectCalls');
		countIn(Subject.prototype, ['alarm'], 'alarms');
		countIn(Subject.prototype, ['webSocketMessage'], 'socketMessages');
	}
}

export default {
	async fetch(request, env, ctx) {
		if (new URL(request.url).pathname === '/ledger') return ledger(request);
		counts.workerRequests++;
		return worker.fetch(request as never, watched(env), ctx);
	},
	async queue(batch, env) {
		counts.workerRequests++;
		counts.batches++;
		countMessages(batch);
		return worker.queue(batch, watched(env));
	},
} satisfies ExportedHandler<Env>;

function ledger({ method }: Request): Response {
	const said = Response.json(counts);
	if (method === 'DELETE') for (const name of Object.keys(counts) as Counter[]) counts[name] = 0;
	return said;
}

let watchedEnv: Env | undefined;

/** The same bindings, with the queues counted and the calls to objects timed. */
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
					// A stub's `apply` would be a call of its own.
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
