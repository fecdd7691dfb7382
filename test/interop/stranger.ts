/** Runs Azure's own test server for clients of long-running operations. It counts the completed scenarios. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = createRequire(import.meta.url).resolve('@microsoft.azure/autorest.testserver');
const STARTED = /Started server on port (\d+)/;

/** The server would be reachable from the whole network and has no option against that. This preload binds it to loopback. */
const ON_LOOPBACK = `data:text/javascript,${encodeURIComponent(`
	import { Server } from 'node:net';
	const { listen } = Server.prototype;
	Server.prototype.listen = function (port, ...rest) { return listen.call(this, port, 'localhost', ...rest); };
`)}`;

export interface Stranger {
	/** The start of its URLs, without a trailing slash. */
	readonly origin: string;
	/** Number of correct runs of each scenario. */
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
		// It writes a lot, and would block if its output were not read.
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

/** `fetch` as in a browser's tab: it sends cookies back. The server tracks the progress of an operation by them. */
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
