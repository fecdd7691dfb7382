/** Faults that the platform really has, and a clock that can be moved. Each undoes itself at the end of the test. */

import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { onTestFinished, vi } from 'vitest';
import type { JobObject } from '../../src/object/job-object.ts';
import { objectOf } from './client.ts';

/** Every queue's prototype: what is put here is met by the door and by the objects alike. */
const queuePrototype = Object.getPrototypeOf(env.LANE_JOBS_1) as Queue;

type Send = Queue['send'];

/** Queues lose what is sent to them, and say nothing. @returns how many messages were lost so far. */
export function dropMessages(): () => number {
	const spy = vi.spyOn(queuePrototype, 'send').mockImplementation((async () => ({})) as unknown as Send);
	onTestFinished(() => spy.mockRestore());
	return () => spy.mock.calls.length;
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

/** Lets a job's alarm fire now. */
export function fireAlarm(job: { readonly id: string }): Promise<boolean> {
	return runDurableObjectAlarm(objectOf(job));
}

/** Objects turn every call away, as the platform does with too many. @returns how many calls were made so far. */
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

export interface Absence {
	/** The methods that can't be called; all others can. */
	readonly methods: readonly string[];
	readonly awayMs: number;
	/** The platform's marks on the error. Default: none, as on two errors of an object that shuts down. */
	readonly marks?: { readonly retryable?: boolean; readonly overloaded?: boolean };
}

/** Objects can't be reached for some time, which begins with the first call. @returns how many calls failed so far. */
export function keepObjectsAway({ methods, awayMs, marks = {} }: Absence): () => number {
	const namespace = Object.getPrototypeOf(env.JOBS) as DurableObjectNamespace<JobObject>;
	const original = namespace.get;
	let failed = 0;
	let backAt: number | undefined;
	const isAway = (method: string) => {
		if (!methods.includes(method)) return false;
		backAt ??= Date.now() + awayMs;
		return Date.now() < backAt;
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
