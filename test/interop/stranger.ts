/** A server that others wrote: Azure's own, with which its clients for long-running operations are tested. It counts what was done. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = createRequire(import.meta.url).resolve('@microsoft.azure/autorest.testserver');
const STARTED = /Started server on port (\d+)/;

/** It would be open to the whole network, and has no option against it: run before it, this keeps it on the machine. */
const ON_LOOPBACK = `data:text/javascript,${encodeURIComponent(`
	import { Server } from 'node:net';
	const { listen } = Server.prototype;
	Server.prototype.listen = function (port, ...rest) { return listen.call(this, port, 'localhost', ...rest); };
`)}`;

export interface Stranger {
	/** What its URLs start with, without a slash at the end. */
	readonly origin: string;
	/** How often each scenario was gone through as it should be. */
	report(category: string): Promise<Readonly<Record<string, number>>>;
	stop(): Promise<void>;
}

export async function startStranger(): Promise<Stranger> {
	const reports = await mkdtemp(join(tmpdir(), 'stranger-'));
	const child = spawn(
		process.execPath,
		['--import', ON_LOOPBACK, PROGRAM, '--port', '0', '--coverageDirectory', reports],
		{
			cwd: reports,
			stdio: ['ignore', 'pipe', 'inherit'],
		},
	);
	const closed = once(child, 'close');
	const port = await new Promise<string>((resolve, reject) => {
		// It talks a lot: all of it has to be read, or it stops.
		createInterface({ input: child.stdout }).on('line', (line) => {
			const [, found] = STARTED.exec(line) ?? [];
			if (found !== undefined) resolve(found);
		});
		closed.then(([code]) => reject(new Error(`The server ended with ${code} before it had a port`)), reject);
	});
	const origin = `http://localhost:${port}`;
	return {
		origin,
		report: async (category) => (await (await fetch(`${origin}/report/${category}`)).json()) as Record<string, number>,
		stop: async () => {
			child.kill();
			await closed;
			await rm(reports, { recursive: true });
		},
	};
}

/** `fetch` as in a browser's tab: cookies come back. The server knows by them how far an operation is. */
export function fetchWithCookies(): (url: string, init: RequestInit) => Promise<Response> {
	const cookies = new Map<string, string>();
	return async (url, init) => {
		const headers = new Headers(init.headers);
		if (cookies.size > 0) headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
		const response = await fetch(url, { ...init, headers });
		for (const cookie of response.headers.getSetCookie()) {
			const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
			if (value === '') cookies.delete(name);
			else cookies.set(name, value);
		}
		return response;
	};
}
