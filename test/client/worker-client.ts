/** Clients of the Worker under test. Requests are counted, and sockets are opened by upgrade, as over a service binding. */
import { exports } from 'cloudflare:workers';
import { type ClientOptions, createClient, type Socket, type TaskCatalogue } from '../../src/client/index.ts';
import { ORIGIN } from '../flow/client.ts';

export interface Asked {
	readonly method: string;
	readonly url: URL;
	readonly headers: Headers;
}

/** `fetch` to the Worker, and a record of its requests. */
export function workerFetch() {
	const asked: Asked[] = [];
	const fetch = (url: string, init: RequestInit) => {
		asked.push({ method: init.method ?? 'GET', url: new URL(url), headers: new Headers(init.headers) });
		return exports.default.fetch(url, init);
	};
	return { fetch, asked };
}

/** Number of open sockets; each must be closed in the end. */
export const sockets = { opened: 0, closed: 0 };

/** A `WebSocket` to the Worker. */
export class WorkerSocket implements Socket {
	readonly #events = new EventTarget();
	readonly #socket: Promise<WebSocket | undefined>;

	constructor(url: string, protocol: string) {
		this.#socket = this.#open(url, protocol);
	}

	async #open(url: string, protocol: string): Promise<WebSocket | undefined> {
		const { webSocket } = await exports.default.fetch(url.replace(/^ws/, 'http'), {
			headers: { upgrade: 'websocket', 'sec-websocket-protocol': protocol },
		});
		if (!webSocket) {
			this.#events.dispatchEvent(new Event('error'));
			return undefined;
		}
		sockets.opened++;
		webSocket.addEventListener('message', ({ data }) =>
			this.#events.dispatchEvent(new MessageEvent('message', { data })),
		);
		webSocket.addEventListener('close', ({ code, reason }) =>
			this.#events.dispatchEvent(new CloseEvent('close', { code, reason })),
		);
		webSocket.accept();
		this.#events.dispatchEvent(new Event('open'));
		return webSocket;
	}

	addEventListener(...[type, listener]: Parameters<Socket['addEventListener']>): void {
		this.#events.addEventListener(type, listener as (event: Event) => void);
	}

	send(text: string): void {
		this.#socket.then((socket) => socket?.send(text));
	}

	close(code?: number, reason?: string): void {
		this.#socket.then((socket) => {
			if (!socket) return;
			sockets.closed++;
			socket.close(code, reason);
		});
	}
}

export function clientOf<Tasks extends TaskCatalogue = TaskCatalogue>(options: Partial<ClientOptions> = {}) {
	const { fetch, asked } = workerFetch();
	const client = createClient<Tasks>({ baseUrl: ORIGIN, fetch, WebSocket: WorkerSocket, ...options });
	return { client, asked };
}
