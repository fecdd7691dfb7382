/** An upstream with every fault that upstreams have, on a port of this machine. It records the requests that it receives. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

export interface Received {
	readonly method: string;
	readonly url: string;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly bytes: number;
	readonly sha256: string;
	readonly at: number;
}

/** The requests to one path. Each test has its own paths, which contain a number. */
export interface Visits {
	readonly received: Received[];
	/** Connections that the other side closed before the response. */
	aborted: number;
	inFlight: number;
	mostInFlight: number;
	/** Set by the test when it has seen what it wants to see, so that what is under way may end. */
	isReleased: boolean;
}

export const BINARY = Uint8Array.from({ length: 5_000_000 }, (_, at) => (at * 31 + (at >> 8)) % 256);
export const DRIPS = 20;
/** Longer than the part of a body that is checked for the state of an operation. */
export const BIG_JSON = { rows: Array.from({ length: 50_000 }, (_, row) => ({ row })) };
const MS_PER_SECOND = 1_000;

export function sha256(bytes: Uint8Array | string): string {
	return createHash('sha256').update(bytes).digest('hex');
}

type Behaviour = (visit: number, response: ServerResponse, request: Received, visits: Visits) => unknown;

async function until(isTrue: () => boolean): Promise<void> {
	while (!isTrue()) await wait(20);
}

const ok = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/plain' }).end('at last');

/** The behaviours, by the first part of the path. */
const BEHAVIOURS: Record<string, Behaviour> = {
	echo: (_, response, request) =>
		response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(request)),
	slow: (_, response) => setTimeout(() => ok(response), 1_500),
	never: () => {},
	/** Ends no request before two are there. */
	busy: async (_, response, __, visits) => {
		await until(() => visits.mostInFlight > 1);
		setTimeout(() => ok(response), 300);
	},
	drip: async (_, response, __, visits) => {
		response.writeHead(200, { 'content-length': DRIPS * 100 });
		for (let drip = 0; drip < DRIPS; drip++) {
			response.write('x'.repeat(100));
			await wait(100);
			if (drip === DRIPS / 2) await until(() => visits.isReleased);
		}
		response.end();
	},
	cut: (_, response) => {
		response.writeHead(200, { 'content-length': 1_000 }).write('x'.repeat(100));
		setTimeout(() => response.destroy(), 50);
	},
	'cut-chunked': (_, response) => {
		response.writeHead(200).write('x'.repeat(100));
		setTimeout(() => response.socket?.resetAndDestroy(), 50);
	},
	'cut-once': (visit, response, ...more) => (visit === 1 ? BEHAVIOURS.cut?.(visit, response, ...more) : ok(response)),
	binary: (_, response) => response.writeHead(200, { 'content-type': 'application/x-bin' }).end(BINARY),
	gzip: (_, response) => {
		const body = gzipSync('hello '.repeat(1_000));
		const headers = { 'content-encoding': 'gzip', 'content-length': body.byteLength, etag: '"1"' };
		response.writeHead(200, { ...headers, 'content-type': 'text/plain' }).end(body);
	},
	/** One header in Latin-1, one in UTF-8. Without a body, Node sends each character as one byte. */
	accents: (_, response) =>
		response.writeHead(200, { 'content-disposition': 'inline; filename="caf\xe9"', 'x-name': 'caf\xc3\xa9' }).end(),
	sized: (_, response) => response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': 123_456_789 }).end(),
	chunked: (_, response) => {
		response.writeHead(200, { 'content-type': 'text/plain' });
		for (const part of ['a', 'b', 'c']) response.write(part);
		response.end();
	},
	'no-content': (_, response) => response.writeHead(204, { 'x-custom': 'a' }).end(),
	'not-modified': (_, response) => response.writeHead(304, { etag: '"1"' }).end(),
	invalid: (_, response) => response.writeHead(422, { 'content-type': 'application/json' }).end('{"field":"name"}'),
	broken: (_, response) => response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Oops</h1>'.repeat(10_000)),
	down: (_, response) => response.writeHead(503).end('down'),
	'throttled-seconds': (visit, response) =>
		visit === 1 ? response.writeHead(429, { 'retry-after': '3' }).end() : ok(response),
	'throttled-date': (visit, response) => {
		const date = new Date(Date.now() + 4 * MS_PER_SECOND).toUTCString();
		return visit === 1 ? response.writeHead(429, { 'retry-after': date }).end() : ok(response);
	},
	'throttled-always': (_, response) => response.writeHead(429).end('slow down'),
	unavailable: (visit, response) => (visit <= 2 ? response.writeHead(503).end('not now') : ok(response)),
	reset: (visit, response) => (visit === 1 ? response.socket?.resetAndDestroy() : ok(response)),
	headers: (_, response) =>
		response
			.writeHead(201, [
				...['Set-Cookie', 'a=b', 'Set-Cookie', 'c=d', 'Location', '/orders/42', 'X-Custom', 'kept'],
				...['Cache-Control', 'public, max-age=60', 'Strict-Transport-Security', 'max-age=1', 'Refresh', '0;url=/'],
				...['Content-Security-Policy', "script-src 'unsafe-inline'", 'Access-Control-Allow-Origin', '*'],
				...['Content-Type', 'text/html; charset=utf-8', 'Content-Disposition', 'inline; filename="a.html"'],
			])
			.end('<script>alert(1)</script>'),
	/** An operation with a status document: `/operation/<id>`, with `status` and `result` below it. */
	operation: (visit, response, { url, method }, visits) => {
		const [, , id, part] = url.split('/');
		const json = (status: number, body: unknown, headers = {}) =>
			response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
		if (method === 'POST')
			return json(202, {}, { 'operation-location': `/operation/${id}/status`, 'retry-after': '1' });
		if (part === 'result') return response.writeHead(200, { 'content-type': 'text/csv' }).end('a,b\n');
		if (visit === 1) return json(503, {}, { 'retry-after': '1' });
		if (!visits.isReleased) return json(200, { status: 'Running', percentComplete: 40 }, { 'retry-after': '1' });
		return json(200, { status: 'Succeeded', resourceLocation: `/operation/${id}/result` });
	},
	'operation-failed': (_, response, { url, method }) => {
		if (method === 'POST') return response.writeHead(202, { 'azure-asyncoperation': `${url}/status` }).end();
		const error = { code: 'NoPaper', message: 'The printer has no paper' };
		return response
			.writeHead(200, { 'content-type': 'application/json' })
			.end(JSON.stringify({ status: 'Failed', error }));
	},
	/** 202 at its Location until the result is available. */
	'operation-at-location': (visit, response, { url, method }) => {
		if (method === 'POST') return response.writeHead(202, { location: `${url}/done`, 'retry-after': '1' }).end();
		if (visit === 1) return response.writeHead(202, { 'retry-after': '1' }).end();
		return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(BIG_JSON));
	},
	/** `/operation-elsewhere?to=<url>`. */
	'operation-elsewhere': (_, response, { url }) => {
		const to = new URLSearchParams(url.replace(/.*\?/, '')).get('to') ?? '';
		response.writeHead(202, { location: to }).end();
	},
	loop: (_, response, { url }) => response.writeHead(302, { location: url }).end(),
	/** `/redirect?status=…&to=…`. */
	redirect: (_, response, { url }) => {
		const query = new URLSearchParams(url.replace(/.*\?/, ''));
		response.writeHead(Number(query.get('status')), { location: query.get('to') ?? '' }).end('elsewhere');
	},
};

export class MisbehavingServer {
	readonly #server: Server = createServer((request, response) => void this.#answer(request, response));
	readonly #visits = new Map<string, Visits>();
	/** The number of next connections to reset at once. */
	resets = 0;

	/** Starts the server. @returns the start of its URLs. */
	async start(): Promise<string> {
		// Node closes an idle connection after five seconds. A request that is sent at that moment is lost.
		this.#server.keepAliveTimeout = 0;
		this.#server.on('connection', (socket) => {
			if (this.resets-- > 0) socket.resetAndDestroy();
		});
		await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
		return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	/** Closes all connections, so that clients have to open new ones. */
	closeConnections(): void {
		this.#server.closeAllConnections();
	}

	async stop(): Promise<void> {
		this.closeConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	/** @param path without its query. */
	visits(path: string): Visits {
		const visits = this.#visits.get(path) ?? {
			received: [],
			aborted: 0,
			inFlight: 0,
			mostInFlight: 0,
			isReleased: false,
		};
		this.#visits.set(path, visits);
		return visits;
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const { method = '', url = '', headers } = request;
		const visits = this.visits(url.replace(/\?.*/, ''));
		visits.inFlight++;
		visits.mostInFlight = Math.max(visits.mostInFlight, visits.inFlight);
		response.on('close', () => {
			visits.inFlight--;
			if (!response.writableFinished) visits.aborted++;
		});
		const hash = createHash('sha256');
		let bytes = 0;
		try {
			for await (const piece of request as AsyncIterable<Buffer>) {
				hash.update(piece);
				bytes += piece.byteLength;
			}
		} catch {
			return;
		}
		const received = { method, url, headers, bytes, sha256: hash.digest('hex'), at: Date.now() };
		visits.received.push(received);
		const behaviour = BEHAVIOURS[url.split(/[/?]/)[1] ?? ''] ?? BEHAVIOURS.echo;
		await behaviour?.(visits.received.length, response, received, visits);
	}
}
