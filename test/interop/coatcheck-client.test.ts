import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket as WsSocket } from 'ws';
import { type Client, createClient, type JobEvent, JobGoneError, type TransportName } from '../../src/client/index.ts';
import { complete } from './jobs.ts';
import { type Server, startServer } from './server.ts';
import { UnreliableNetwork } from './unreliable-network.ts';

let server: Server;
let client: Client;
beforeAll(async () => {
	server = await startServer();
	client = createClient({ baseUrl: server.origin });
});
afterAll(() => server.stop());

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIENT = fileURLToPath(new URL('../../src/client/', import.meta.url));
const SRC = fileURLToPath(new URL('../../src', import.meta.url));
/** For the service: it needs a library. */
const TARGETS = join(SRC, 'core/http/target.ts');

/** Enough rows that sending them takes a while. */
const ROWS = 30_000;
const MAX_CUTS = 5;

function lifecycleOf(events: readonly JobEvent[]): string[] {
	return events.map(({ type }) => type).filter((type) => type !== 'progress');
}

interface Run {
	readonly code: number | null;
	readonly text: string;
	/** Time from the last output to the end of the process. */
	readonly lingeredMs: number;
}

/** Runs a script in Node until it exits. */
function run(args: readonly string[]): Promise<Run> {
	let lastAt = performance.now();
	const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
	let text = '';
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (piece: Buffer) => {
			text += String(piece);
			lastAt = performance.now();
		});
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code) => resolve({ code, text, lingeredMs: performance.now() - lastAt }));
	});
}

describe('the client in Node', { concurrent: true }, () => {
	it('follows a job with the WebSocket of Node, and knows its end when it comes', async () => {
		const job = client.submit('sleep', { seconds: 1, steps: 2 });
		const events: JobEvent[] = [];
		for await (const event of job.events()) events.push(event);
		expect(lifecycleOf(events)).toEqual(['accepted', 'started', 'succeeded']);
		const finishedAt = Date.parse(events.at(-1)?.job.finishedAt ?? '');
		// The connection itself is closed ten seconds after the end.
		expect(Date.now() - finishedAt).toBeLessThan(9_000);
		expect(await job.result()).toEqual({ sleptSeconds: 1, attempt: 1 });
	});

	it('follows a job with the WebSocket of ws', async () => {
		const withWs = createClient({ baseUrl: server.origin, WebSocket: WsSocket, transports: ['websocket'] });
		expect(await withWs.submit('sleep', { seconds: 0.5 }).result()).toEqual({ sleptSeconds: 0.5, attempt: 1 });
	});

	it('sends a stream, and gets bytes', async () => {
		const csv = Array.from({ length: 50_000 }, (_, row) => `${row},${row % 7}\n`).join('');
		const job = client.submit('profile-csv', new Blob([csv]).stream(), {
			mediaType: 'text/csv',
			parameters: { header: 'false' },
		});
		expect(await (await job.response()).json()).toMatchObject({ rows: 50_000 });
		expect(await job.result()).toMatchObject({ rows: 50_000 });
	});

	it('is told why a job that is gone can not be followed, also by socket', async () => {
		const job = client.submit('sleep', { seconds: 0 });
		await job.result();
		await job.purge();
		await expect(job.result()).rejects.toBeInstanceOf(JobGoneError);
	});
});

describe('on a network that breaks', { concurrent: true }, () => {
	const transports: TransportName[] = ['websocket', 'sse', 'polling'];

	it.each(transports)('events by %s are all there in the end, once and in order', async (transport) => {
		const network = new UnreliableNetwork(server.origin);
		const away = createClient({ baseUrl: await network.start(), transports: [transport] });
		const job = away.submit('sleep', { seconds: 2, steps: 20, wait: true });
		const accepted = await job.accepted();
		// A limited number of cuts: on a busy machine a single response may take longer than the time between two cuts.
		let cuts = 0;
		let ending: Promise<void> | undefined;
		const cutting = setInterval(() => {
			network.cut();
			if (++cuts < MAX_CUTS) return;
			clearInterval(cutting);
			// However slow the machine, the job ends after the cuts.
			ending = complete(accepted);
		}, 700);
		const events: JobEvent[] = [];
		for await (const event of job.events()) events.push(event);
		await ending;
		expect(lifecycleOf(events)).toEqual(['accepted', 'started', 'succeeded']);
		const seqs = events.map(({ seq }) => seq);
		expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
		expect(network.connections).toBeGreaterThan(1);
		await network.stop();
	});

	it('a submission that was cut off is made again, and there is one job', async () => {
		const network = new UnreliableNetwork(server.origin);
		const away = createClient({ baseUrl: await network.start() });
		const csv = new Blob(
			Array.from({ length: ROWS }, (_, row) => `${row},${row % 7}\n`),
			{ type: 'text/csv' },
		);
		const job = away.submit('profile-csv', csv, { parameters: { header: 'false' } });
		const cutting = setInterval(() => {
			if (network.connections > 0) network.cut();
			if (network.connections > 1) clearInterval(cutting);
		}, 5);
		const id = await job.id;
		clearInterval(cutting);
		expect(network.connections).toBeGreaterThan(1);
		const again = client.submit('profile-csv', csv, { parameters: { header: 'false' }, idempotencyKey: job.key });
		expect(await again.id).toBe(id);
		await network.stop();
		expect(await again.result()).toMatchObject({ rows: ROWS });
	});
});

describe('the library', () => {
	/** The client, and the rules that it shares with the service. */
	const files = ['client', 'core/operation', 'core/http']
		.flatMap((folder) =>
			readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(SRC, folder, name)),
		)
		.filter((path) => path.endsWith('.ts') && path !== TARGETS)
		.concat(join(SRC, 'core/defined.ts'))
		.map((path) => ({ path, text: readFileSync(path, 'utf8') }));

	it('imports at run time only its own files, rules that depend on nothing, and a parser of server-sent events', () => {
		const paths = new Set(files.map(({ path }) => path));
		const foreign = files.flatMap(({ path, text }) =>
			[...text.matchAll(/^(import|export)( type)?\b[^;]*?from '([^']+)';/gm)]
				.filter(([, , isType, target = '']) => isType === undefined && !paths.has(join(dirname(path), target)))
				.filter(([, , , target]) => target !== 'eventsource-parser')
				.map(([statement]) => `${path}: ${statement}`),
		);
		expect(foreign).toEqual([]);
		const loaded = files.flatMap(({ path, text }) =>
			[...text.matchAll(/\b(?:import|require)\(([^)]*)\)/g)].map(([, target = '']) =>
				join(dirname(path), target.replaceAll("'", '')),
			),
		);
		expect(loaded.length).toBeGreaterThan(0);
		expect(loaded.filter((target) => !paths.has(target))).toEqual([]);
	});

	it('runs in Node as it is, leaves no timer, and lets the process end', async () => {
		const script = `
			import { createClient } from ${JSON.stringify(`${CLIENT}index.ts`)};
			const client = createClient({ baseUrl: '${server.origin}', transports: ['sse', 'polling'] });
			const job = client.submit('sleep', { seconds: 0.3 });
			for await (const { type } of job.events()) if (type === 'started') break;
			console.log(JSON.stringify(await job.result()));
			await client.job(await job.url).response();
			const stopped = job.result({ signal: AbortSignal.abort(new Error('enough')) });
			console.log(await stopped.catch(({ message }) => message));
			client.submit('sleep', { seconds: 'refused' });
		`;
		const { code, text, lingeredMs } = await run(['--input-type=module', '-e', script]);
		expect(text).toBe('{"sleptSeconds":0.3,"attempt":1}\nenough\n');
		expect(code).toBe(0);
		// A timer that is left running would last 30 seconds.
		expect(lingeredMs).toBeLessThan(20_000);
	});
});
