/** The namespace of objects. Calls travel over a network, and may be lost. */
import { createHash } from 'node:crypto';
import { copied } from './copied.ts';
import { type HostOptions, ObjectHost, overloadedError, resetError } from './object-host.ts';
import { SimulatedSocket } from './socket.ts';
import type { Isolate, World } from './world.ts';

const NETWORK_MS = { min: 1, max: 10 };
const ID = /^[0-9a-f]{64}$/;

interface Id {
	readonly id: string;
	toString(): string;
}

export class Objects {
	readonly #world: World;
	readonly #options: HostOptions;
	readonly hosts = new Map<string, ObjectHost>();

	constructor(world: World, options: HostOptions) {
		this.#world = world;
		this.#options = options;
		world.onClockJump.push(() => {
			for (const host of this.hosts.values()) host.armAlarm();
		});
	}

	/** The binding that the Worker uses to call objects. */
	readonly binding = {
		newUniqueId: () => this.#born(`unique ${this.#world.count('id')}`),
		idFromName: (name: string) => this.#born(name),
		getByName: (name: string) => this.#stub(this.#born(name).id),
		idFromString: (id: string): Id => {
			if (!ID.test(id)) throw new TypeError('Not an id');
			return { id, toString: () => id };
		},
		get: ({ id }: Id) => this.#stub(id),
	};

	/** The objects of a job: several, if it was submitted again without a key. */
	of(job: number): ObjectHost[] {
		return [...this.hosts.values()].filter((host) => host.job === job);
	}

	/** An id belongs to the job whose submission used it first. */
	#born(name: string): Id {
		const id = createHash('sha256').update(name).digest('hex');
		if (!this.hosts.has(id)) {
			this.hosts.set(id, new ObjectHost(id, this.#world.current?.job ?? 0, this.#world, this.#options));
		}
		return { id, toString: () => id };
	}

	#stub(id: string): unknown {
		const host = this.hosts.get(id);
		if (!host) throw new TypeError(`No object has the id ${id}`);
		return new Proxy(
			{},
			{
				get: (_, method) => {
					if (typeof method !== 'string' || method === 'then') return undefined;
					if (method === 'fetch')
						return (url: string, init?: { headers?: HeadersInit }) => this.#fetch(host, url, init);
					return (...args: unknown[]) => this.#call(host, method, copied(args));
				},
			},
		);
	}

	#fetch(host: ObjectHost, url: string, { headers }: { headers?: HeadersInit } = {}): Promise<unknown> {
		return this.#call(host, 'fetch', [{ url, headers: new Headers(headers) }]);
	}

	#call(host: ObjectHost, method: string, args: readonly unknown[]): Promise<unknown> {
		const world = this.#world;
		const caller = world.current;
		const { promise, resolve, reject } = Promise.withResolvers<unknown>();
		if (caller?.isDead) return promise;
		const { job } = host;
		const { fault } = this.#options;
		const name = method === 'fetch' ? (args[0] as { url: string }).url.replace(/^.*\/(\w+).*$/, '$1') : method;
		this.#options.onCall(host, name, caller);
		const fail = (error: Error) => this.#later(`${name} fails`, job, caller, () => reject(error));
		const answer = (value: unknown) => {
			this.#options.onAnswered(host, method, value, caller, args);
			caller?.atDeath(() => abandon(value));
			if (fault('answers lost', job) === undefined)
				return this.#later(`answer ${name}`, job, caller, () => resolve(value));
			abandon(value);
			return fail(resetError());
		};
		this.#later(`call ${name}`, job, undefined, () => {
			const { absence } = host;
			if (absence) return fail(absence);
			if (fault('calls refused', job) !== undefined) return fail(resetError());
			if (fault('calls overloaded', job) !== undefined) return fail(overloadedError());
			if (fault('calls hung', job) !== undefined) return;
			host.call(method, args, { answer, fail });
		});
		return promise;
	}

	#later(label: string, job: number, isolate: Isolate | undefined, run: () => void): void {
		const world = this.#world;
		world.schedule(world.between(NETWORK_MS.min, NETWORK_MS.max, `${label} latency`, job), {
			label,
			job,
			isolate,
			run,
		});
	}
}

/** A response that never arrives may have contained a socket. */
function abandon(value: unknown): void {
	const { webSocket } = (value ?? {}) as { webSocket?: unknown };
	if (webSocket instanceof SimulatedSocket) webSocket.abandon();
}
