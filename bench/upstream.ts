/**
 * Measures the bytes a second of a forwarded request: into the job (submit), to the upstream and back into the job (the consumer's
 * part), and out of it (result); also the memory that this takes. The runtime is the one of `wrangler dev`, everything runs on one
 * machine, and the upstream echoes the request.
 *
 *     npm run bench:upstream
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startLocalWorker } from '../demo/local-worker.ts';
import { table } from '../demo/terminal.ts';

const KB = 1_000;
const MB = 1_000 * KB;
const SIZES = [
	{ name: '1 KB', bytes: 1 * KB, rounds: 50 },
	{ name: '1 MB', bytes: 1 * MB, rounds: 20 },
	{ name: '25 MB', bytes: 25 * MB, rounds: 8 },
];
const SAMPLE_MS = 20;
const MS_PER_SECOND = 1_000;
/** Memory limit of an isolate. */
const ISOLATE_MB = 128;

interface Ticket {
	readonly links: { readonly operation: string; readonly result: string };
}

interface Times {
	readonly submitMs: number;
	readonly forwardMs: number;
	readonly resultMs: number;
}

async function main(): Promise<void> {
	const echo = createServer((request, response) => {
		response.writeHead(200, {
			'content-type': 'application/octet-stream',
			'content-length': request.headers['content-length'],
		});
		request.pipe(response);
	});
	await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
	const baseUrl = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
	const worker = await startLocalWorker({ args: ['--var', `UPSTREAMS:${JSON.stringify({ echo: { baseUrl } })}`] });
	try {
		const url = `${worker.origin}/v1/upstreams/echo/`;
		await forward(url, randomBytes(KB));
		const rows: string[][] = [];
		for (const size of SIZES) rows.push(await measured(url, size));
		console.log('\nOne request after the other; MB/s, the median of all rounds:\n');
		table([['body', 'rounds', 'submit', 'forward', 'result', 'all, ms', 'workerd grew by, MB'], ...rows]);
		console.log(
			`\nAn isolate may have ${ISOLATE_MB} MB; the figure includes workerd's own buffers, the jobs' objects and SQLite.`,
		);
	} finally {
		await worker.stop();
		echo.close();
	}
}

async function measured(url: string, { name, bytes, rounds }: (typeof SIZES)[number]): Promise<string[]> {
	const body = randomBytes(bytes);
	const times: Times[] = [];
	const before = memoryMb();
	let peak = before;
	const sampler = setInterval(() => (peak = Math.max(peak, memoryMb())), bytes > MB ? SAMPLE_MS : 10 * SAMPLE_MS);
	for (let round = 0; round < rounds; round++) times.push(await forward(url, body));
	clearInterval(sampler);
	const rate = (ms: keyof Times) =>
		(bytes / MB / (median(times.map((time) => time[ms])) / MS_PER_SECOND)).toPrecision(3);
	const all = median(times.map(({ submitMs, forwardMs, resultMs }) => submitMs + forwardMs + resultMs));
	return [
		name,
		String(rounds),
		rate('submitMs'),
		rate('forwardMs'),
		rate('resultMs'),
		all.toFixed(0),
		(peak - before).toFixed(0),
	];
}

async function forward(url: string, body: Buffer<ArrayBuffer>): Promise<Times> {
	const begin = performance.now();
	const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/octet-stream' } });
	const ticket = (await response.json()) as Ticket;
	const submitted = performance.now();
	if (response.status !== 202) throw new Error(JSON.stringify(ticket));
	const over = await fetch(ticket.links.operation, { headers: { prefer: 'wait=25' } });
	const { status } = (await over.json()) as { status: string };
	if (status !== 'succeeded') throw new Error(`Expected it to succeed, got: ${status}`);
	const forwarded = performance.now();
	const result = new Uint8Array(await (await fetch(ticket.links.result)).arrayBuffer());
	const got = performance.now();
	if (hash(result) !== hash(body)) throw new Error('The result differs from the request body');
	return { submitMs: submitted - begin, forwardMs: forwarded - submitted, resultMs: got - forwarded };
}

/** Memory of the runtime that this process started. */
function memoryMb(): number {
	const processes = execFileSync('ps', ['-eo', 'pid=,ppid=,rss=,comm='], { encoding: 'utf8' })
		.split('\n')
		.map((line) => line.trim().split(/\s+/));
	const parents = new Map(processes.map(([pid, ppid]) => [pid, ppid]));
	const isOurs = (pid: string | undefined): boolean =>
		pid !== undefined && (pid === String(process.pid) || isOurs(parents.get(pid)));
	const ours = processes.filter(([pid, , , name]) => name === 'workerd' && isOurs(pid));
	return Math.max(0, ...ours.map(([, , kib]) => (Number(kib) * 1_024) / MB));
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function hash(bytes: Uint8Array): string {
	return createHash('sha256').update(bytes).digest('hex');
}

await main();
