/**
 * A deployment whose objects can become unreachable or slow, as they do on the platform at times. `POST /faults` names the
 * methods that fail, and for how long. It works with any version of the source in the same folder.
 */
import * as z from 'zod';
import { coatcheck } from '../../src/coatcheck.ts';
import { tasks } from '../../src/tasks/index.ts';
import { defineTask } from '../../src/work/task.ts';

export * from './objects.ts';

interface Fault {
	readonly methods: readonly string[];
	readonly awayMs: number;
	/** Whether calls hang until the fault ends, instead of failing at once. */
	readonly hangs?: boolean;
}

/** The current fault, and the time of the first call that it affected. */
let fault: Fault | undefined;
let beganAt: number | undefined;
const counts: Record<string, number> = {};

const runs = defineTask({
	name: 'runs',
	description: 'Counts how often it runs, and reports progress for as long as it is told.',
	input: z.strictObject({ ms: z.int().min(0).default(0) }),
	run: async ({ ms }, job) => {
		count('runs');
		for (const endsAt = Date.now() + ms; Date.now() < endsAt; ) {
			job.progress((100 * (endsAt - Date.now())) / ms);
			await scheduler.wait(5);
		}
		return {};
	},
});

const swallow = defineTask({
	name: 'swallow',
	description: 'Reads its input.',
	input: z.unknown(),
	maxAttempts: 1,
	timeoutSeconds: 1,
	run: () => ({}),
});

function count(what: string): void {
	counts[what] = (counts[what] ?? 0) + 1;
}

/** Wraps the namespace of the jobs with the fault. */
function withFault(namespace: DurableObjectNamespace): DurableObjectNamespace {
	return new Proxy(namespace, {
		get(target, name) {
			const value = Reflect.get(target, name);
			if (typeof value !== 'function') return value;
			if (name !== 'get') return value.bind(target);
			return (...args: unknown[]) => stubWithFault(value.apply(target, args));
		},
	});
}

function stubWithFault(stub: object): object {
	return new Proxy(stub, {
		get(target, name) {
			const value = Reflect.get(target, name);
			if (typeof name !== 'string' || !fault?.methods.includes(name)) {
				return typeof value === 'function' && name === 'fetch' ? value.bind(target) : value;
			}
			beganAt ??= Date.now();
			const leftMs = beganAt + fault.awayMs - Date.now();
			if (leftMs <= 0) return name === 'fetch' ? value.bind(target) : value;
			count(name);
			if (fault.hangs) return () => scheduler.wait(leftMs);
			return () => Promise.reject(Object.assign(new Error('The Durable Object is away'), { retryable: true }));
		},
	});
}

const service = coatcheck({ tasks: [...tasks, runs, swallow] });
const environments = new WeakMap<object, never>();

function environmentOf(env: { readonly JOBS: DurableObjectNamespace }): never {
	const known = environments.get(env) ?? ({ ...env, JOBS: withFault(env.JOBS) } as never);
	environments.set(env, known);
	return known;
}

export default {
	async fetch(request, env, ctx) {
		if (new URL(request.url).pathname !== '/faults') return service.fetch(request as never, environmentOf(env), ctx);
		if (request.method === 'POST') {
			fault = await request.json<Fault>();
			beganAt = undefined;
			for (const name of Object.keys(counts)) delete counts[name];
		}
		return Response.json(counts);
	},
	queue: (batch, env, ctx) => service.queue(batch, environmentOf(env), ctx),
} satisfies ExportedHandler<{ readonly JOBS: DurableObjectNamespace }>;
