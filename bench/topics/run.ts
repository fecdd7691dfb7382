/**
 * Measures topics: how soon a thousand WebSocket readers of a topic get an event, beside a thousand watchers of a job; and how fast a
 * reader that comes back after 100,000 events catches up, by each transport. Production bundle, real sockets, one machine, one clock.
 *
 *     npm run bench:topics            # prints the tables, and writes bench/results/topics.md
 *     npm run bench:topics -- --sockets=100 --rounds=1 --events=20000 --name=topics-quick
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { createTestHarness } from 'wrangler';
import { WebSocket } from 'ws';
import { note, table } from '../../demo/terminal.ts';
import { createClient, type TransportName } from '../../src/client/index.ts';
import { configWith, localVariables } from '../configuration.ts';

// Without this, one line for each batch of a queue would hide the table.
process.env.WRANGLER_LOG ??= 'error';

const { values } = parseArgs({
	options: {
		sockets: { type: 'string', default: '1000' },
		rounds: { type: 'string', default: '3' },
		events: { type: 'string', default: '100000' },
		name: { type: 'string', default: 'topics' },
	},
});
const RESULTS = new URL(`../results/${values.name}.md`, import.meta.url);
const SOCKETS = Number(values.sockets);
const ROUNDS = Number(values.rounds);
const WORK_MS = 3_000;
const EVENTS = Number(values.events);
const FILLED_AT_ONCE = 5_000;
const TRY_AGAIN_LATER = 1013;

type Row = readonly string[];

async function main(): Promise<void> {
	const config = await configWith('bench/workers/topics.ts');
	const server = createTestHarness({ workers: [{ configPath: config.path, vars: await localVariables() }] });
	try {
		const { url } = await server.listen();
		const told = await fanOut(url.origin);
		const caughtUp = await catchUp(url.origin);
		await writeFile(RESULTS, document(told, caughtUp));
		for (const rows of [told, caughtUp]) {
			console.log();
			table(rows);
		}
	} finally {
		await server.close();
		await config.remove();
	}
}

/** In turns, so that both see the same machine. */
async function fanOut(origin: string): Promise<Row[]> {
	const job: number[] = [];
	const topic: number[] = [];
	for (let round = 0; round <= ROUNDS; round++) {
		note(`Round ${round} of ${ROUNDS}: ${SOCKETS} sockets on a job, and on a topic …`);
		const [ofJob, ofTopic] = [await tellWatchers(origin), await tellReaders(origin, `crowd-${round}`)];
		// The first round is a warm-up.
		if (round === 0) continue;
		job.push(...ofJob);
		topic.push(...ofTopic);
	}
	return [
		[`${SOCKETS} sockets on one`, 'told', 'median', 'p99', 'longest'],
		['job, from the return of its handler', ...figures(job)],
		['topic, from the publishing request', ...figures(topic)],
		['topic / job', '', ratio(topic, job, 0.5), ratio(topic, job, 0.99), ratio(topic, job, 1)],
	];
}

/** The milliseconds from the return of a job's handler until each of its watchers has the end. */
async function tellWatchers(origin: string): Promise<number[]> {
	const response = await fetch(`${origin}/v1/tasks/stamp/jobs`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ workMs: WORK_MS }),
	});
	const { links } = (await response.json()) as { links: { socket: string; result: string } };
	const crowd = await openCrowd(links.socket, 'succeeded');
	const at = await Promise.all(crowd.told);
	const { returnedAt } = (await (await fetch(links.result)).json()) as { returnedAt: number };
	crowd.close();
	return at.map((time) => time - returnedAt);
}

/** The milliseconds from the request that publishes an event until each reader of the topic has it. */
async function tellReaders(origin: string, topic: string): Promise<number[]> {
	const crowd = await openCrowd(`${origin.replace(/^http/, 'ws')}/v1/topics/${topic}/events`, 'told');
	const sentAt = Date.now();
	await publish(origin, topic, { type: 'told', data: { sentAt } });
	const at = await Promise.all(crowd.told);
	crowd.close();
	return at.map((time) => time - sentAt);
}

async function openCrowd(url: string, type: string): Promise<{ told: Promise<number>[]; close: () => void }> {
	const sockets = Array.from({ length: SOCKETS }, () => new WebSocket(url));
	const told = sockets.map(
		(socket) =>
			new Promise<number>((resolve, reject) => {
				socket.on('message', (data) => {
					if ((JSON.parse(String(data)) as { type: string }).type === type) resolve(Date.now());
				});
				socket.on('error', reject);
			}),
	);
	await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('open', resolve))));
	return { told, close: () => sockets.forEach((socket) => void socket.close()) };
}

async function publish(origin: string, topic: string, { type, data }: { type: string; data: unknown }): Promise<void> {
	const response = await fetch(`${origin}/v1/topics/${topic}/events`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'coatcheck-event-type': type },
		body: JSON.stringify(data),
	});
	if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
	await response.arrayBuffer();
}

const READERS: Record<string, (events: string) => Promise<number>> = {
	'WebSocket, one event a frame': (events) => readBySocket(events, ''),
	'WebSocket, frames=batch': (events) => readBySocket(events, '&frames=batch'),
	SSE: readByStream,
	'pages of 1,000': readByPages,
	'our client by WebSocket': (events) => readByClient(events, 'websocket'),
	'our client by SSE': (events) => readByClient(events, 'sse'),
};

async function catchUp(origin: string): Promise<Row[]> {
	note(`Filling a topic with ${EVENTS} events …`);
	for (let from = 1; from <= EVENTS; from += FILLED_AT_ONCE)
		await fetch(`${origin}/fill?topic=long&from=${from}&count=${FILLED_AT_ONCE}`);
	const events = `${origin}/v1/topics/long/events`;
	const rates = new Map(Object.keys(READERS).map((name) => [name, [] as number[]]));
	for (let round = 0; round < ROUNDS; round++)
		for (const [name, read] of Object.entries(READERS)) {
			const rate = perSecond(await read(events));
			note(`${name}: ${rounded(rate)} events a second`);
			rates.get(name)?.push(rate);
		}
	return [
		[`${EVENTS.toLocaleString('en')} events`, 'events a second, median', `slowest of ${ROUNDS}`],
		...[...rates].map(([name, list]) => [name, rounded(at(list, 0.5)), rounded(at(list, 0))]),
	];
}

/** Returns the milliseconds until the reader has all events in their order. It connects again when the server asks for that. */
async function readBySocket(events: string, query: string): Promise<number> {
	const startedAt = Date.now();
	for (let after = 0; after < EVENTS; ) {
		const socket = new WebSocket(`${events.replace(/^http/, 'ws')}?after=${after}${query}`);
		const code = await new Promise<number>((resolve, reject) => {
			socket.on('message', (data) => {
				const frame = JSON.parse(String(data)) as { seq: number } | { seq: number }[];
				for (const event of Array.isArray(frame) ? frame : [frame]) after = inOrder(after, event);
				if (after === EVENTS) resolve(0);
			});
			socket.on('close', resolve);
			socket.on('error', reject);
		});
		socket.terminate();
		if (after < EVENTS && code !== TRY_AGAIN_LATER) throw new Error(`Closed with ${code} after event ${after}`);
	}
	return Date.now() - startedAt;
}

async function readByStream(events: string): Promise<number> {
	const startedAt = Date.now();
	const response = await fetch(`${events}?after=0`, { headers: { accept: 'text/event-stream' } });
	let text = '';
	let after = 0;
	const decoder = new TextDecoder();
	for await (const piece of response.body ?? []) {
		text += decoder.decode(piece as Uint8Array, { stream: true });
		const lines = text.split('\n');
		text = lines.pop() ?? '';
		for (const line of lines)
			if (line.startsWith('data: ')) after = inOrder(after, JSON.parse(line.slice(6)) as { seq: number });
		if (after === EVENTS) break;
	}
	if (after < EVENTS) throw new Error(`The stream ended after event ${after}`);
	return Date.now() - startedAt;
}

async function readByPages(events: string): Promise<number> {
	const startedAt = Date.now();
	for (let after = 0; after < EVENTS; ) {
		const page = (await (await fetch(`${events}?after=${after}&limit=1000`)).json()) as { events: { seq: number }[] };
		for (const event of page.events) after = inOrder(after, event);
	}
	return Date.now() - startedAt;
}

/** `client.topic(…).events()`, as an application reads them. */
async function readByClient(events: string, transport: TransportName): Promise<number> {
	const startedAt = Date.now();
	const { origin: baseUrl, pathname } = new URL(events);
	const topic = createClient({ baseUrl, transports: [transport] }).topic(pathname.split('/').at(-2) ?? '');
	let after = 0;
	for await (const event of topic.events({ after })) {
		after = inOrder(after, event);
		if (after === EVENTS) break;
	}
	return Date.now() - startedAt;
}

function inOrder(after: number, { seq }: { seq: number }): number {
	if (seq !== after + 1) throw new Error(`Event ${seq} follows event ${after}`);
	return seq;
}

function perSecond(ms: number): number {
	return (EVENTS * 1_000) / ms;
}

function figures(list: readonly number[]): string[] {
	return [`${list.length} of ${ROUNDS * SOCKETS}`, ...[0.5, 0.99, 1].map((share) => `${at(list, share)} ms`)];
}

function ratio(list: readonly number[], other: readonly number[], share: number): string {
	return `${(at(list, share) / at(other, share)).toFixed(2)} ×`;
}

function at(list: readonly number[], share: number): number {
	const sorted = [...list].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function rounded(number: number): string {
	return Math.round(number).toLocaleString('en');
}

function document(told: readonly Row[], caughtUp: readonly Row[]): string {
	return `# Topics

\`npm run bench:topics\` on ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim()}: the production bundle, real sockets, and readers and publishers in one process beside it on the same machine.

## Many readers

One event, ${ROUNDS} ${ROUNDS === 1 ? 'round' : 'rounds'}, in turns with one job's watchers.

${markdown(told)}

## A reader that comes back

Every event is checked to be the next one. The socket is closed after each 4 MiB, and its reader connects again.

${markdown(caughtUp)}
`;
}

function markdown([head = [], ...rows]: readonly Row[]): string {
	const line = (row: Row) => `| ${row.join(' | ')} |`;
	return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

await main();
