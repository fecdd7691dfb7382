/**
 * The global scope of the simulated code: clocks, timers, randomness, `fetch`. While a simulation's code runs, they are the
 * simulation's. For all other code they are Node's own.
 */
import { SimulatedSocket } from './socket.ts';
import type { Scheduled, World } from './world.ts';

/** A request that the Worker sends. */
export interface Sent {
	readonly url: string;
	readonly method: string;
	readonly headers: Headers;
	readonly signal: AbortSignal | undefined;
}

export interface Surroundings {
	readonly world: World;
	/** Answers `fetch`. */
	readonly fetch: (request: Sent) => Promise<Response>;
	/** Receives the Worker's log lines. */
	readonly log: (line: string) => void;
}

let surroundings: Surroundings | undefined;

/** Sets the simulation whose code runs from now on. */
export function surroundWith(next: Surroundings | undefined): void {
	surroundings = next;
}

function worldNow(): World | undefined {
	return surroundings?.world.current ? surroundings.world : undefined;
}

function define(target: object, name: string, value: unknown): void {
	Object.defineProperty(target, name, { value, writable: true, configurable: true });
}

class Timer {
	readonly scheduled: Scheduled;

	constructor(world: World, delayMs: number, callback: () => void) {
		const isolate = world.current;
		this.scheduled = world.schedule(delayMs, { label: 'timer', job: isolate?.job, isolate, run: callback });
	}
}

export function installGlobals(): void {
	const own = {
		now: Date.now,
		random: Math.random,
		setTimeout: globalThis.setTimeout,
		clearTimeout: globalThis.clearTimeout,
		randomUUID: crypto.randomUUID.bind(crypto),
		fetch: globalThis.fetch,
		error: console.error,
		timeout: AbortSignal.timeout.bind(AbortSignal),
		Response: globalThis.Response,
	};
	define(Date, 'now', () => worldNow()?.clock ?? own.now());
	define(Math, 'random', () => worldNow()?.dice('random', worldNow()?.current?.job) ?? own.random());
	define(globalThis, 'setTimeout', (callback: () => void, delayMs = 0) => {
		const world = worldNow();
		return world ? new Timer(world, delayMs, callback) : own.setTimeout(callback, delayMs);
	});
	define(globalThis, 'clearTimeout', (timer: unknown) => {
		if (timer instanceof Timer) timer.scheduled.isCanceled = true;
		else own.clearTimeout(timer as NodeJS.Timeout);
	});
	define(globalThis, 'scheduler', { wait });
	define(crypto, 'randomUUID', () => {
		const world = worldNow();
		return world ? `00000000-0000-4000-8000-${String(world.count('uuid')).padStart(12, '0')}` : own.randomUUID();
	});
	define(globalThis, 'fetch', (url: string | URL, init: RequestInit = {}) => {
		if (!worldNow() || !surroundings) return own.fetch(url, init);
		const { method = 'GET', headers, signal } = init;
		return surroundings.fetch({ url: String(url), method, headers: new Headers(headers), signal: signal ?? undefined });
	});
	define(AbortSignal, 'timeout', (delayMs: number) => {
		const world = worldNow();
		if (!world) return own.timeout(delayMs);
		const controller = new AbortController();
		new Timer(world, delayMs, () => controller.abort(new DOMException('Timed out', 'TimeoutError')));
		return controller.signal;
	});
	define(console, 'error', (line: unknown) => {
		if (worldNow()) surroundings?.log(String(line));
		else own.error(line);
	});
	define(globalThis, 'WebSocketRequestResponsePair', class {});
	define(
		globalThis,
		'WebSocketPair',
		class {
			constructor() {
				const world = worldNow();
				if (!world) throw new TypeError('Sockets exist only in a simulation');
				Object.assign(this, SimulatedSocket.pair(world, world.current?.job ?? 0));
			}
		},
	);
	define(globalThis, 'Response', withSockets(own.Response));
}

/** Node rejects status 101, so its responses can't carry a socket. */
function withSockets(Native: typeof Response): typeof Response {
	return new Proxy(Native, {
		construct(target, [body, init = {}]: [BodyInit | null, ResponseInit & { webSocket?: unknown }]) {
			const { webSocket, ...rest } = init;
			if (rest.status !== 101) return new target(body, rest);
			const response = new target(null, { ...rest, status: 200 });
			define(response, 'status', 101);
			define(response, 'webSocket', webSocket);
			return response;
		},
	});
}

function wait(delayMs: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, delayMs);
	signal?.addEventListener('abort', () => {
		clearTimeout(timer);
		reject(signal.reason);
	});
	return promise;
}
