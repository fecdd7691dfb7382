/** A proxy between a client and the service: it records what passes, and can break connections as networks do. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Exchange {
	readonly method: string;
	/** Without the query. */
	readonly path: string;
	readonly query: URLSearchParams;
	/** As the client sent them, in lower case. */
	readonly headers: IncomingHttpHeaders;
	/** Since this process started, as are all times here: the clock may be set while a client waits. */
	readonly sentAtMs: number;
	/** 0 until the response begins. */
	status: number;
	/** 0 until the response begins. */
	answeredAtMs: number;
	retryAfterSeconds: number | undefined;
}

export interface TapOptions {
	/** Redirects lead to this machine's other name, as to another host. */
	readonly redirectsElsewhere?: boolean;
	/** Jobs start this much later, so that each client sees one that is unfinished. */
	readonly delaySeconds?: number;
	/** Replaces the number of `Retry-After`, by one that no client waits by chance. */
	readonly retryAfterSeconds?: number;
	/** The first stream or socket is refused, as by a service that is overloaded. */
	readonly refusesFirstStream?: boolean;
}

const HERE = '127.0.0.1';
const ELSEWHERE = 'localhost';
const REFUSAL = { 'Content-Type': 'application/problem+json', 'Retry-After': '1', Connection: 'close' };

/** Whether it asks for the events of a job. */
export function isStream({ path }: Exchange): boolean {
	return /\/(events|socket)$/.test(path);
}

export class Tap {
	readonly exchanges: Exchange[] = [];
	readonly #server = createServer(
		// Java's client also offers HTTP/2 with `Upgrade`, which the service ignores.
		{ shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket' },
		(incoming, answer) => this.#pass(incoming, answer),
	);
	/** Both ends of each stream and socket that is open. */
	readonly #streams = new Set<Duplex>();
	readonly #target: URL;
	readonly #options: TapOptions;
	#port = 0;
	#refusesNextStream: boolean;

	private constructor(target: string, options: TapOptions) {
		this.#target = new URL(target);
		this.#options = options;
		this.#refusesNextStream = options.refusesFirstStream ?? false;
		this.#server.on('upgrade', (incoming, client, head) => this.#upgrade(incoming, client, head));
	}

	/** Opens a tap on a free port. `target` is the service's origin. */
	static async open(target: string, options: TapOptions = {}): Promise<Tap> {
		const tap = new Tap(target, options);
		await new Promise<void>((resolve) => tap.#server.listen(0, () => resolve()));
		tap.#port = (tap.#server.address() as AddressInfo).port;
		return tap;
	}

	get origin(): string {
		return `http://${HERE}:${this.#port}`;
	}

	/** The origin that redirects lead to with `redirectsElsewhere`. */
	get elsewhere(): string {
		return this.origin.replace(HERE, ELSEWHERE);
	}

	/** Breaks each stream and socket that is open, without a farewell. */
	breakStreams(): void {
		for (const stream of this.#streams) stream.destroy();
	}

	[Symbol.dispose](): void {
		this.breakStreams();
		this.#server.closeAllConnections();
		this.#server.close();
	}

	#record(incoming: IncomingMessage): Exchange {
		const { pathname, searchParams } = new URL(incoming.url ?? '/', this.#target);
		const { method = '', headers } = incoming;
		const begun = { status: 0, answeredAtMs: 0, retryAfterSeconds: undefined };
		const exchange = { method, path: pathname, query: searchParams, headers, sentAtMs: performance.now(), ...begun };
		this.exchanges.push(exchange);
		return exchange;
	}

	#pass(incoming: IncomingMessage, answer: ServerResponse): void {
		const exchange = this.#record(incoming);
		if (this.#refuses(exchange)) {
			answer.writeHead(exchange.status, REFUSAL).end('{"status":503,"code":"Overloaded"}');
			return;
		}
		const { hostname, port } = this.#target;
		const { url: path, method } = incoming;
		const headers = { ...incoming.headers, ...this.#delay() };
		const outgoing = request({ hostname, port, path, method, headers, agent: false }, (passed) => {
			const changed = this.#change(passed.statusCode, passed.headers);
			exchange.status = passed.statusCode ?? 0;
			exchange.answeredAtMs = performance.now();
			if (changed['retry-after'] !== undefined) exchange.retryAfterSeconds = Number(changed['retry-after']);
			answer.writeHead(exchange.status, changed);
			answer.flushHeaders();
			if (changed['content-type']?.startsWith('text/event-stream')) this.#watch(incoming.socket, passed.socket);
			passed.on('error', () => answer.destroy());
			passed.pipe(answer);
		});
		outgoing.on('error', () => answer.destroy());
		answer.on('close', () => outgoing.destroy());
		incoming.pipe(outgoing);
	}

	#refuses(exchange: Exchange): boolean {
		if (!this.#refusesNextStream || !isStream(exchange)) return false;
		this.#refusesNextStream = false;
		exchange.status = 503;
		exchange.answeredAtMs = performance.now();
		return true;
	}

	#delay(): IncomingHttpHeaders {
		const { delaySeconds } = this.#options;
		return delaySeconds === undefined ? {} : { 'coatcheck-delay-seconds': String(delaySeconds) };
	}

	#change(status: number | undefined, headers: IncomingHttpHeaders): IncomingHttpHeaders {
		const changed = { ...headers };
		// It belongs to the connection to the service. A client that speaks HTTP/1.0 knows no chunks.
		delete changed['transfer-encoding'];
		const { redirectsElsewhere, retryAfterSeconds } = this.#options;
		if (redirectsElsewhere && status === 303) changed.location = changed.location?.replace(this.origin, this.elsewhere);
		if (retryAfterSeconds !== undefined && changed['retry-after']) changed['retry-after'] = String(retryAfterSeconds);
		return changed;
	}

	#upgrade(incoming: IncomingMessage, client: Duplex, head: Buffer): void {
		const exchange = this.#record(incoming);
		if (this.#refuses(exchange)) {
			const lines = Object.entries(REFUSAL).map(([name, value]) => `${name}: ${value}`);
			client.end(`HTTP/1.1 503 Service Unavailable\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
			return;
		}
		const service = connect(Number(this.#target.port), this.#target.hostname);
		const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
		for (let at = 0; at < incoming.rawHeaders.length; at += 2)
			lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
		service.write(`${lines.join('\r\n')}\r\n\r\n`);
		service.write(head);
		service.once('data', (data) => {
			exchange.status = Number(/^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1]);
			exchange.answeredAtMs = performance.now();
		});
		this.#watch(client, service);
		client.pipe(service);
		service.pipe(client);
	}

	#watch(...ends: readonly Duplex[]): void {
		for (const end of ends) {
			this.#streams.add(end);
			end.on('error', () => {});
			end.on('close', () => {
				this.#streams.delete(end);
				for (const other of ends) other.destroy();
			});
		}
	}
}
