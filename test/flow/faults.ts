/** Faults that occur on the platform, and a clock that can be moved. Each undoes itself at the end of the test. */

import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { onTestFinished, vi } from 'vitest';
import { JobObject } from '../../src/object/job-object.ts';
import type { TopicObject } from '../../src/object/topic-object.ts';
import { Jobs } from '../../src/rpc/jobs.ts';
import { Lists } from '../../src/rpc/lists.ts';
import { objectOf } from './client.ts';

/** The prototype of every queue: a change to it affects the Worker and the objects alike. */
const queuePrototype = Object.getPrototypeOf(env.LANE_JOBS_1) as Queue;

type Send = Queue['send'];

/** Queues lose sent messages without an error. @returns the number of lost messages so far: of one job, or of all. */
export function dropMessages(): (job?: { readonly id: string }) => number {
	const spy = vi.spyOn(queuePrototype, 'send').mockImplementation((async () => ({})) as unknown as Send);
	onTestFinished(() => spy.mockRestore());
	return (job) => spy.mock.calls.filter(([body]) => !job || isFor(body, job)).length;
}

/** The next message of one object is lost without an error. @returns the number of its messages so far. */
export function dropNextMessage(job: { readonly id: string }): () => number {
	const original = queuePrototype.send;
	let sent = 0;
	const spy = vi.spyOn(queuePrototype, 'send').mockImplementation(async function (this: Queue, ...args) {
		if (isFor(args[0], job) && ++sent === 1) return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
		return original.apply(this, args);
	});
	onTestFinished(() => spy.mockRestore());
	return () => sent;
}

/** Whether a message is one job's, or one of several that it is for. */
function isFor(body: unknown, { id }: { readonly id: string }): boolean {
	return JSON.stringify(body).includes(id);
}

export function failSends(): void {
	const spy = vi.spyOn(queuePrototype, 'send').mockRejectedValue(new Error('Queue is overloaded'));
	onTestFinished(() => spy.mockRestore());
}

/** Every message is delivered twice. */
export function duplicateMessages(): void {
	const original = queuePrototype.send;
	const spy = vi.spyOn(queuePrototype, 'send').mockImplementation(async function (this: Queue, ...args) {
		await original.apply(this, args);
		return original.apply(this, args);
	});
	onTestFinished(() => spy.mockRestore());
}

/** Moves the clock of the Worker and its objects; timers and alarms don't follow. */
export function advanceClock(ms: number): void {
	vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
	onTestFinished(() => {
		vi.useRealTimers();
	});
}

/** Stops the clock of the Worker and its objects, however long the test takes; timers and alarms go on. */
export function stopClock(): void {
	advanceClock(0);
}

/** Fires a job's alarm now. */
export function fireAlarm(job: { readonly id: string }): Promise<boolean> {
	return runDurableObjectAlarm(objectOf(job));
}

/** Objects reject every call, as overloaded objects do. @returns the number of calls so far. */
export function overloadObjects(): () => number {
	const namespace = Object.getPrototypeOf(env.JOBS) as DurableObjectNamespace;
	let calls = 0;
	const overloaded = () => {
		calls++;
		return Promise.reject(
			Object.assign(new Error('Durable Object is overloaded.'), { overloaded: true, retryable: true }),
		);
	};
	const stub = new Proxy({}, { get: () => overloaded });
	const spy = vi.spyOn(namespace, 'get').mockReturnValue(stub as DurableObjectStub<undefined>);
	onTestFinished(() => spy.mockRestore());
	return () => calls;
}

/** No attempt can report that its work is done, until the returned function is called. */
export function holdCompletions(): () => void {
	let isHeld = true;
	const { completeAttempt } = JobObject.prototype;
	const spy = vi.spyOn(JobObject.prototype, 'completeAttempt').mockImplementation(async function (
		this: JobObject,
		...args
	) {
		while (isHeld) await scheduler.wait(20);
		return completeAttempt.apply(this, args);
	});
	const release = () => {
		isHeld = false;
	};
	onTestFinished(() => {
		release();
		spy.mockRestore();
	});
	return release;
}

/** A link is opened a second after its attempt has started. Timers round. */
const LINK_IS_LATE_MS = 900;

/** No attempt opens its link because the machine stood still, which costs a call and a row. A link that comes sooner costs both. */
export function openNoLateLinks(): void {
	const startedAt = new Map<string, number>();
	const { startAttempt } = JobObject.prototype;
	JobObject.prototype.startAttempt = function (this: { readonly ctx: DurableObjectState } & JobObject, ...parameters) {
		startedAt.set(this.ctx.id.toString(), performance.now());
		return startAttempt.apply(this, parameters);
	};
	const { connect } = Jobs.prototype;
	const spy = vi.spyOn(Jobs.prototype, 'connect').mockImplementation(function (this: Jobs, id, path, headers) {
		const isLate = performance.now() - (startedAt.get(id) ?? 0) >= LINK_IS_LATE_MS;
		return path.startsWith('/attempt') && isLate ? new Promise(() => {}) : connect.call(this, id, path, headers);
	});
	onTestFinished(() => {
		JobObject.prototype.startAttempt = startAttempt;
		spy.mockRestore();
	});
}

/** A list counts as told, however late its answer is: a job that must tell it itself costs more. */
export function waitForLists(): void {
	const spy = vi.spyOn(Lists.prototype, 'tell').mockImplementation(async function (this: Lists, tenant, news) {
		await this.call(tenant, (list) => list.tell(news));
		return true;
	});
	onTestFinished(() => spy.mockRestore());
}

export interface Absence {
	/** The methods whose calls fail. All others work. */
	readonly methods: readonly string[];
	readonly awayMs: number;
	/** Minimum number of calls that fail, even if the machine stands still meanwhile. Default: 1. */
	readonly failures?: number;
	/** The platform's marks on the error. Default: none, as on two errors of an object that shuts down. */
	readonly marks?: { readonly retryable?: boolean; readonly overloaded?: boolean };
}

/** Makes objects unreachable for a time that begins with the first call. @returns the number of failed calls so far. */
export function keepObjectsAway({ methods, awayMs, failures = 1, marks = {} }: Absence): () => number {
	const namespace = Object.getPrototypeOf(env.JOBS) as DurableObjectNamespace<JobObject>;
	const original = namespace.get;
	let failed = 0;
	let backAt: number | undefined;
	const isAway = (method: string) => {
		if (!methods.includes(method)) return false;
		backAt ??= Date.now() + awayMs;
		return Date.now() < backAt || failed < failures;
	};
	const spy = vi.spyOn(namespace, 'get').mockImplementation(function (this: typeof namespace, ...args) {
		const stub = original.apply(this, args);
		return new Proxy(stub, {
			get: (target, method) => {
				if (typeof method !== 'string' || !isAway(method)) {
					const value = Reflect.get(target, method);
					return method === 'fetch' ? value.bind(target) : value;
				}
				return () => {
					failed++;
					return Promise.reject(Object.assign(new Error('The Durable Object shut down.'), marks));
				};
			},
		});
	});
	onTestFinished(() => spy.mockRestore());
	return () => failed;
}

interface FailingStatements {
	/** Number of statements before the first that fails. Default: 0. */
	readonly after?: number;
	/** Default: 1. */
	readonly times?: number;
	/** The object whose statements count. Default: every object. */
	readonly of?: DurableObjectStub<TopicObject>;
}

/** Statements that contain this text fail, after so many that didn't. @returns how often one failed. */
export async function failStatements(
	text: string,
	{ after = 0, times = 1, of }: FailingStatements = {},
): Promise<() => number> {
	let seen = 0;
	let failed = 0;
	// A statement doesn't say whose it is: this table does.
	if (of)
		await runInDurableObject(of, (_, { storage }) => {
			storage.sql.exec('CREATE TABLE fails (mark INTEGER)');
		});
	await runInDurableObject(env.TOPICS.get(env.TOPICS.newUniqueId()), (_, { storage }) => {
		const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
		const { exec } = sql;
		sql.exec = function (this: SqlStorage, ...statement: Parameters<SqlStorage['exec']>) {
			const isCounted = () =>
				!of || exec.call(this, "SELECT 1 FROM sqlite_master WHERE name = 'fails'").toArray().length > 0;
			if (statement[0].includes(text) && isCounted() && seen++ >= after && failed < times) {
				failed++;
				throw new Error('database or disk is full: SQLITE_FULL');
			}
			return exec.apply(this, statement);
		} as typeof exec;
		onTestFinished(() => {
			sql.exec = exec;
		});
	});
	return () => failed;
}
