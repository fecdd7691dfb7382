/** Runs the Worker on this machine: `wrangler dev` on a free port, with a temporary state folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const MAX_PORTS_TRIED = 3;
/** Part of wrangler's message for a port that is in use. */
const PORT_TAKEN = 'Address already in use';

export interface LocalWorker {
	/** Scheme and authority: `http://127.0.0.1:8787`. */
	readonly origin: string;
	/** Stops the Worker gracefully. */
	stop(): Promise<void>;
	/** Kills the whole process tree at once, as a power cut would. */
	kill(): Promise<void>;
}

export interface LocalWorkerOptions {
	/** Default: a free port. */
	readonly port?: number;
	/** Folder for the state of objects and their alarms. Default: a temporary folder that `stop` removes. */
	readonly state?: string;
	/** Port of the runtime's inspector. Default: a free port. */
	readonly inspectorPort?: number;
	/** Further arguments for `wrangler dev`. */
	readonly args?: readonly string[];
}

/**
 * Starts the Worker. Tries another port if the free port was taken before wrangler could use it.
 *
 * @throws {Error} with wrangler's output, if the Worker doesn't start.
 */
export async function startLocalWorker(options: LocalWorkerOptions = {}): Promise<LocalWorker> {
	for (let tries = 1; ; tries++) {
		try {
			return await startOn(options.port ?? (await freePort()), options);
		} catch (error) {
			const isTaken = (error as Error).message.includes(PORT_TAKEN);
			if (!isTaken || options.port !== undefined || tries === MAX_PORTS_TRIED) throw error;
		}
	}
}

async function startOn(
	port: number,
	{ state, inspectorPort = 0, args = [] }: LocalWorkerOptions,
): Promise<LocalWorker> {
	const folder = state ?? (await mkdtemp(join(tmpdir(), 'coatcheck-')));
	const ports = ['--port', String(port), '--inspector-port', String(inspectorPort)];
	const place = ['--ip', '127.0.0.1', ...ports, '--persist-to', folder];
	// A process group of its own, so that `stop` ends its child processes too.
	const child = spawn(process.execPath, [WRANGLER, 'dev', ...place, ...args], {
		cwd: ROOT,
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let said = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += String(text)));
	const stop = async () => {
		await stopGroup(child);
		if (state === undefined) await rm(folder, { recursive: true, force: true });
	};
	const origin = `http://127.0.0.1:${port}`;
	try {
		await untilReady(origin, child, () => said);
	} catch (error) {
		await stop();
		throw new Error(`wrangler dev did not start: ${(error as Error).message}\n${said}`);
	}
	return { origin, stop, kill: () => killGroup(child) };
}

export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	if (address === null || typeof address === 'string') throw new Error('No port is free');
	return address.port;
}

/** Another server may answer on the port, so wrangler itself must report that it is ready. */
async function untilReady(origin: string, child: ChildProcess, said: () => string): Promise<void> {
	const deadline = Date.now() + START_TIMEOUT_MS;
	while (Date.now() < deadline) {
		if (child.exitCode !== null) throw new Error(`it exited with ${child.exitCode}`);
		if (said().includes(`Ready on ${origin}`)) {
			const response = await fetch(`${origin}/healthz`).catch(() => undefined);
			if (response?.ok) return;
		}
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error(`no response within ${START_TIMEOUT_MS / 1_000} s`);
}

async function stopGroup(child: ChildProcess): Promise<void> {
	if (child.pid === undefined || child.exitCode !== null) return;
	const ended = new Promise((resolve) => child.once('exit', resolve));
	signalGroup(child.pid, 'SIGTERM');
	const timer = setTimeout(() => signalGroup(child.pid ?? 0, 'SIGKILL'), STOP_TIMEOUT_MS);
	await ended;
	clearTimeout(timer);
	signalGroup(child.pid, 'SIGKILL');
}

async function killGroup(child: ChildProcess): Promise<void> {
	if (child.pid === undefined || child.exitCode !== null) return;
	const ended = new Promise((resolve) => child.once('exit', resolve));
	signalGroup(child.pid, 'SIGKILL');
	await ended;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(-pid, signal);
	} catch {
		// The whole group has ended already.
	}
}
