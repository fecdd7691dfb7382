/**
 * The namespaces of this Worker's own objects: a binding, or else the class that the Worker's entry exports. So a configuration only has to
 * name the classes, not to bind them.
 */
import { defined } from '../core/defined.ts';

export interface OwnObjects {
	readonly JOBS: DurableObjectNamespace;
	/** Required for batches. */
	readonly BATCHES?: DurableObjectNamespace;
	/** The circuit breakers of upstreams. */
	readonly GATES: DurableObjectNamespace;
	/** Required for quotas of jobs and of topics, and for bulk actions. */
	readonly TENANTS?: DurableObjectNamespace;
	/** Required for topics, and for the list of jobs. */
	readonly TOPICS?: DurableObjectNamespace;
}

/** The classes by their bindings. */
const CLASSES = {
	JOBS: 'JobObject',
	BATCHES: 'BatchObject',
	GATES: 'UpstreamGate',
	TENANTS: 'TenantObject',
	TOPICS: 'TopicObject',
} as const satisfies Record<keyof OwnObjects, string>;

/** What the platform offers of the Worker's exports. Runtimes of before November 2025 have none. */
export interface WithExports {
	readonly exports?: object;
}

type Bindings = Readonly<Record<string, unknown>>;

/** By the bindings, so that whatever is kept for an `env` is kept for its complete form, too. */
const completed = new WeakMap<object, object>();

/**
 * The bindings, with the namespaces that are not bound. A class that is exported without storage in the configuration has no namespace:
 * what needs it is off, as without a binding.
 */
export function withOwnObjects<Env extends object>(env: Env, ctx: WithExports | undefined): Env & OwnObjects {
	const known = completed.get(env);
	if (known) return known as Env & OwnObjects;
	const bound = env as Bindings;
	const missing = Object.entries(CLASSES).filter(([binding]) => bound[binding] === undefined);
	const exported = (missing.length > 0 ? ctx?.exports : undefined) as Bindings | undefined;
	if (!exported) return env as Env & OwnObjects;
	const namespaces = missing.map(([binding, name]) => [binding, namespaceIn(exported[name])]);
	const complete = { ...env, ...defined(Object.fromEntries(namespaces)) };
	completed.set(env, complete);
	return complete as Env & OwnObjects;
}

function namespaceIn(exported: unknown): DurableObjectNamespace | undefined {
	const namespace = exported as DurableObjectNamespace | undefined;
	return typeof namespace?.idFromName === 'function' ? namespace : undefined;
}
