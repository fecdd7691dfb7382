/**
 * Measures how soon each reader receives the end of a job: from the return of the task's handler to the reader's receipt, by
 * each transport. All watch the same jobs in one run. It also measures how long it takes to send an event to a thousand sockets.
 * Production bundle, real queue, real sockets, one machine, one clock.
 *
 *     npm run bench:notify
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestHarness } from 'wrangler';
import { WebSocket } from 'ws';
import { table } from '../demo/terminal.ts';
import { configWith, localVariables } from './configuration.ts';

// Without this, one line for each batch of a queue would hide the table.
process.env.WRANGLER_LOG ??= 'error';

const ROUNDS = 30;
const WORK_MS = 400;
const SOCKETS = 1_000;
/** The bench's own reader polls after `Retry-After`, and no more often than a considerate client. */
const MS_PER_SECOND = 1_000;

interface Ticket {
	readonly id: string;
	readonly links: {
		readonly self: string;
		readonly operation: string;
		readonly result: string;
		readonly events: string;
		readonly socket: string;
	};
}

/** Resolves with the time at which a reader received the end. */
type Reader = (ticket: Ticket, retryAfterSeconds: number) => Promise<number>;

const receiver = new Map<string, (at: number) => void>();

const READERS: Record<string, Reader> = {
	WebSocket: ({ links }) => whenSocketTells(links.socket),
	SSE: async ({ links }) => {
		const response = await fetch(links.events, { headers: { accept: 'text/event-stream' } });
		for await (const piece of response.body ?? [])
			if (new TextDecoder().decode(piece).includes('event: succeeded')) return Date.now();
		throw new Error('The stream ended before the last event');
	},
	'long-poll': async ({ links }) => {
		await (await fetch(links.operation, { headers: { prefer: 'wait=20' } })).arrayBuffer();
		return Date.now();
	},
	webhook: ({ id }) => new Promise((resolve) => receiver.set(id, resolve)),
	'poll at Retry-After': async ({ links }, retryAfterSeconds) => {
		for (let waitSeconds = retryAfterSeconds; ; ) {
			await new Promise((resolve) => setTimeout(resolve, waitSeconds * MS_PER_SECOND));
			const response = await fetch(links.operation);
			const { status } = (await response.json()) as { status: string };
			if (status === 'succeeded') return Date.now();
			waitSeconds = Number(response.headers.get('retry-after'));
		}
	},
};

async function main(): Promise<void> {
	const hook = createServer((request, response) => {
		request.resume().on('end', () => {
			receiver.get(String(request.headers['webhook-id']).split(':')[0] ?? '')?.(Date.now());
			response.writeHead(204).end();
		});
	});
	await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
	const hookUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
	const config = await configWith('bench/workers/notify.ts');
	const server = createTestHarness({ workers: [{ configPath: config.path, vars: await localVariables() }] });
	try {
		const { url } = await server.listen();
		await transports(url.origin, hookUrl);
		await crowd(url.origin);
	} finally {
		await server.close();
		await config.remove();
		hook.close();
	}
}

async function transports(origin: string, hookUrl: string): Promise<void> {
	const took = new Map(Object.keys(READERS).map((name) => [name, [] as number[]]));
	for (let round = 0; round < ROUNDS + 1; round++) {
		const { ticket, retryAfterSeconds } = await submit(origin, WORK_MS, hookUrl);
		const told = Object.entries(READERS).map(
			async ([name, read]) => [name, await read(ticket, retryAfterSeconds)] as const,
		);
		const at = new Map(await Promise.all(told));
		const { returnedAt } = (await (await fetch(ticket.links.result)).json()) as { returnedAt: number };
		// The first round is a warm-up.
		if (round > 0) for (const [name, list] of took) list.push((at.get(name) ?? Number.NaN) - returnedAt);
	}
	console.log(`\nMilliseconds from the handler's return to the reader, ${ROUNDS} jobs of ${WORK_MS} ms:\n`);
	table([['transport', 'median', 'p90', 'longest'], ...[...took].map(([name, list]) => [name, ...figures(list)])]);
}

async function crowd(origin: string): Promise<void> {
	const { ticket } = await submit(origin, 10 * MS_PER_SECOND);
	const sockets = Array.from({ length: SOCKETS }, () => openSocket(ticket.links.socket));
	await Promise.all(sockets.map(({ opened }) => opened));
	const at = await Promise.all(sockets.map(({ told }) => told));
	const { returnedAt } = (await (await fetch(ticket.links.result)).json()) as { returnedAt: number };
	console.log(
		`\nMilliseconds until ${SOCKETS} sockets on one job received the end (${at.length} of ${SOCKETS} did):\n`,
	);
	table([
		['', 'median', 'p90', 'longest'],
		['WebSocket', ...figures(at.map((time) => time - returnedAt))],
	]);
}

async function submit(
	origin: string,
	workMs: number,
	webhookUrl?: string,
): Promise<{ ticket: Ticket; retryAfterSeconds: number }> {
	const response = await fetch(`${origin}/v1/tasks/stamp/jobs`, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			...(webhookUrl !== undefined && { 'coatcheck-webhook-url': webhookUrl }),
		},
		body: JSON.stringify({ workMs }),
	});
	if (response.status !== 202) throw new Error(await response.text());
	return { ticket: (await response.json()) as Ticket, retryAfterSeconds: Number(response.headers.get('retry-after')) };
}

function whenSocketTells(url: string): Promise<number> {
	return openSocket(url).told;
}

function openSocket(url: string): { opened: Promise<void>; told: Promise<number> } {
	const socket = new WebSocket(url);
	const opened = new Promise<void>((resolve, reject) => {
		socket.on('open', resolve);
		socket.on('error', reject);
	});
	const told = new Promise<number>((resolve, reject) => {
		socket.on('message', (data) => {
			if ((JSON.parse(String(data)) as { type: string }).type === 'succeeded') resolve(Date.now());
		});
		socket.on('error', reject);
	});
	return { opened, told };
}

function figures(list: readonly number[]): string[] {
	const sorted = [...list].sort((a, b) => a - b);
	const at = (share: number) => String(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
	return [at(0.5), at(0.9), String(sorted.at(-1))];
}

await main();
