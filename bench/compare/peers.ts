/** The contenders that need a server. They run if the server is available and their packages are installed. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Contender, plain, type Running, Skipped } from './contender.ts';

const PEERS = fileURLToPath(new URL('../peers', import.meta.url));
const CONNECT_TIMEOUT_MS = 1_000;

export const BULLMQ = peer('BullMQ', 'bullmq', 'BENCH_REDIS_URL', 'redis://127.0.0.1:6379');
export const PG_BOSS = peer('pg-boss', 'pg-boss', 'BENCH_POSTGRES_URL', 'postgres://bench@127.0.0.1:5432/postgres');

function peer(name: string, kind: string, variable: string, fallback: string): Contender {
	return {
		name,
		async start() {
			const url = process.env[variable] ?? fallback;
			if (!existsSync(`${PEERS}/node_modules/${kind}`))
				throw new Skipped('its packages are not installed: npm ci --prefix bench/peers');
			if (!(await isThere(new URL(url))))
				throw new Skipped(
					`no server at ${new URL(url).host}: bench/README.md says how to start one, ${variable} where it is`,
				);
			return running(name, kind, url);
		},
	};
}

async function running(name: string, kind: string, url: string): Promise<Running> {
	const child = fork(`${PEERS}/server.ts`, [kind, url], { cwd: PEERS });
	const { origin } = await new Promise<{ origin: string }>((resolve, reject) => {
		child.once('message', (message) => resolve(message as { origin: string }));
		child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it listened`)));
	});
	return {
		...plain(),
		name,
		origin,
		...(child.pid !== undefined && { pid: child.pid }),
		stop: () =>
			new Promise((resolve) => {
				child.once('exit', () => resolve());
				child.kill();
			}),
	};
}

function isThere({ hostname, port }: URL): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ host: hostname, port: Number(port), timeout: CONNECT_TIMEOUT_MS });
		const end = (is: boolean) => {
			socket.destroy();
			resolve(is);
		};
		socket
			.once('connect', () => end(true))
			.once('error', () => end(false))
			.once('timeout', () => end(false));
	});
}
