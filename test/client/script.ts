/**
 * A scripted server, and a clock that the test moves, for events that a real server causes never or rarely.
 * Every request is recorded.
 */
import { onTestFinished, vi } from 'vitest';
import type { ClientOptions, JobEvent, Socket } from '../../src/client/index.ts';
import { createClient } from '../../src/client/index.ts';

export const BASE = 'https://jobs.example';
export const ID = 'a'.repeat(64);
export const JOB_URL = `${BASE}/v1/jobs/${ID}?token=secret`;

type Status = JobEvent['job']['status'];

/** A status document. `status` may be a value that no server sends. */
export function document(seq: number, status: string, more: object = {}) {
	return {
		id: ID,
		task: 'sleep',
		status: status as Status,
		phase: status,
		attempt: 1,
		maxAttempts: 4,
		seq,
		createdAt: '2026-11-20T00:00:00.000Z',
		lastUpdatedAt: '2026-11-20T00:00:00.000Z',
		correlationId: 'c',
		tags: [],
		links: { self: JOB_URL, operation: JOB_URL.replace('/jobs/', '/operations/') },
		...more,
	};
}

const TYPES: Record<string, string> = { pending: 'accepted', running: 'started' };

export function event(seq: number, status: string, type = TYPES[status] ?? status) {
	return { seq, type, at: '2026-11-20T00:00:00.000Z', job: document(seq, status) };
}

export function json(body: unknown, init: ResponseInit = {}): Response {
	return Response.json(body, init);
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
	const body = { type: `urn:coatcheck:problem:${code}`, title: code, status, detail: `Because of ${code}`, code };
	return Response.json(body, { status, headers: { 'content-type': 'application/problem+json', ...headers } });
}

/** A stream of these events, which then ends, breaks, or sends no more. */
export function stream(events: readonly unknown[], then: 'ends' | 'breaks' | 'is silent' = 'ends'): Response {
	let isTold = false;
	const body = new ReadableStream<Uint8Array>({
		pull(controller) {
			const text = `retry: 2000\n\n${events.map((data) => `data: ${JSON.stringify(data)}\n\n`).join('')}`;
			if (!isTold) controller.enqueue(new TextEncoder().encode(text));
			else if (then === 'ends') controller.close();
			else if (then === 'breaks') controller.error(new TypeError('connection reset'));
			else return new Promise(() => {});
			isTold = true;
		},
	});
	return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** A response that never arrives: the request ends when it is aborted. */
export function never(_url: string, { signal }: RequestInit): Promise<Response> {
	return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}

export function broken(): Promise<Response> {
	return Promise.reject(new TypeError('fetch failed'));
}

/** A socket whose server the test plays. */
export class PlayedSocket implements Socket {
	readonly url: URL;
	readonly said: string[] = [];
	/** As on a platform: 2 as soon as the server has started to close. */
	readyState = 0;
	isClosed = false;
	readonly #events = new EventTarget();

	constructor(url: string) {
		this.url = new URL(url);
	}

	addEventListener(...[type, listener]: Parameters<Socket['addEventListener']>): void {
		this.#events.addEventListener(type, listener as (event: Event) => void);
	}

	send(text: string): void {
		this.said.push(text);
	}

	close(): void {
		this.isClosed = true;
	}

	opens(): this {
		this.readyState = 1;
		this.#events.dispatchEvent(new Event('open'));
		return this;
	}

	tells(...frames: unknown[]): this {
		for (const frame of frames) {
			const data = typeof frame === 'string' ? frame : JSON.stringify(frame);
			this.#events.dispatchEvent(new MessageEvent('message', { data }));
		}
		return this;
	}

	/** Closes, on a platform that reports the close much later. */
	takesLeave(): void {
		this.readyState = 2;
	}

	closes(code: number, reason = ''): void {
		this.readyState = 3;
		this.#events.dispatchEvent(new CloseEvent('close', { code, reason }));
	}
}

export type Answer = Response | ((url: string, init: RequestInit) => Promise<Response> | Response);

/** A test's script: each request takes the next response; the last response is repeated. */
export interface Script {
	/** By the last segment of the path: `jobs`, `operation`, `stream`, `page`, `result`, `cancel`, … */
	readonly answers?: Readonly<Record<string, readonly Answer[]>>;
	/** Plays the server of each socket, in order. */
	readonly sockets?: (socket: PlayedSocket, nth: number) => void;
	readonly options?: Partial<ClientOptions>;
}

export interface Asked {
	readonly what: string;
	readonly url: URL;
	readonly headers: Headers;
	readonly init: RequestInit;
	/** In milliseconds, on the test's clock. */
	readonly at: number;
}

/** A client of a scripted server. The clock stands until {@link play} moves it. */
export function scripted({ answers = {}, sockets, options = {} }: Script) {
	vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
	const random = vi.spyOn(Math, 'random').mockReturnValue(0);
	onTestFinished(() => {
		vi.useRealTimers();
		random.mockRestore();
	});
	const startedAt = Date.now();
	const asked: Asked[] = [];
	const played: PlayedSocket[] = [];
	const used = new Map<string, number>();
	const fetch = async (url: string, init: RequestInit): Promise<Response> => {
		const headers = new Headers(init.headers);
		const what = nameOf(new URL(url), headers);
		asked.push({ what, url: new URL(url), headers, init, at: Date.now() - startedAt });
		const nth = used.get(what) ?? 0;
		used.set(what, nth + 1);
		const all = answers[what] ?? [];
		const answer = all[Math.min(nth, all.length - 1)];
		if (answer === undefined) throw new Error(`Nothing is scripted for ${what}`);
		return typeof answer === 'function' ? answer(url, init) : answer.clone();
	};
	const WebSocket = class extends PlayedSocket {
		constructor(url: string) {
			super(url);
			played.push(this);
			const nth = played.length;
			queueMicrotask(() => sockets?.(this, nth));
		}
	};
	const client = createClient({ baseUrl: BASE, fetch, ...(sockets && { WebSocket }), ...options });
	const count = (what: string) => asked.filter((one) => one.what === what).length;
	const timesOf = (what: string) => asked.filter((one) => one.what === what).map(({ at }) => at);
	return { client, fetch, asked, played, count, timesOf };
}

function nameOf({ pathname }: URL, headers: Headers): string {
	if (pathname.includes('/operations/')) return 'operation';
	const last = pathname.split('/').at(-1) ?? '';
	if (last === 'events') return headers.get('accept') === 'text/event-stream' ? 'stream' : 'page';
	return last;
}

export interface Played<Value> {
	readonly value?: Value;
	readonly error?: unknown;
	/** The duration in milliseconds, on the test's clock. */
	readonly tookMs: number;
}

/** Moves the clock from timer to timer until a promise settles, or the time limit in milliseconds is reached. */
export async function play<Value>(promise: Promise<Value>, maxMs = 3_600_000): Promise<Played<Value>> {
	const startedAt = Date.now();
	let result: { value?: Value; error?: unknown } | undefined;
	promise.then(
		(value) => {
			result = { value };
		},
		(error: unknown) => {
			result = { error };
		},
	);
	let isTimeOver = false;
	const limit = setTimeout(() => {
		isTimeOver = true;
	}, maxMs);
	await turns();
	while (result === undefined && !isTimeOver) {
		await vi.advanceTimersToNextTimerAsync();
		await turns();
	}
	clearTimeout(limit);
	return { ...result, tookMs: Date.now() - startedAt };
}

/** Runs everything that needs no clock: bodies are read, and parts of the client are loaded, in turns of the real event loop. */
async function turns(): Promise<void> {
	for (let turn = 0; turn < TURNS; turn++) {
		// A part may be asked for in any turn, and comes from another process: without it, the clock would move too soon.
		await vi.dynamicImportSettled();
		await new Promise<void>((resolve) => setImmediate(resolve));
	}
}

const TURNS = 4;

/** Moves the clock unconditionally. */
export async function pass(ms: number): Promise<void> {
	await turns();
	await vi.advanceTimersByTimeAsync(ms);
	await turns();
}

export async function collect(events: AsyncIterable<JobEvent>): Promise<number[]> {
	const seqs: number[] = [];
	for await (const { seq } of events) seqs.push(seq);
	return seqs;
}

/** Number of timers that are left; at the end there must be none. */
export function timersLeft(): number {
	return vi.getTimerCount();
}
