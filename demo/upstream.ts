/**
 * Shows any slow API behind a 202, in a minute. A report API that takes some five seconds runs in a process of its own. One line of
 * configuration puts it behind Coatcheck, and `curl` sends the requests. It prints the real requests and responses.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort, startLocalWorker } from './local-worker.ts';
import { heading, note } from './terminal.ts';

const OUT = fileURLToPath(new URL('../out/', import.meta.url));
const MS_PER_SECOND = 1_000;
/** The lines of a response's head that are shown. */
const SHOWN = /^(HTTP|location|retry-after|content-type|content-length|content-disposition|content-location)/i;

async function main(): Promise<void> {
	const port = await freePort();
	const api = `http://127.0.0.1:${port}`;
	const upstreams = JSON.stringify({ report: { baseUrl: api, headers: { 'X-Report-Key': `\${REPORT_KEY}` } } });
	note(`$ node demo/report-api.ts ${port}`);
	const reports = spawn(process.execPath, [fileURLToPath(new URL('report-api.ts', import.meta.url)), String(port)], {
		stdio: ['ignore', 'inherit', 'inherit'],
	});
	note(`$ wrangler dev --var REPORT_KEY:local-only --var UPSTREAMS:'${upstreams}'`);
	const worker = await startLocalWorker({
		args: ['--var', 'REPORT_KEY:local-only', '--var', `UPSTREAMS:${upstreams}`],
	});
	try {
		await untilListening(port);
		await mkdir(OUT, { recursive: true });
		await slowly(api);
		await withTicket(`${worker.origin}/v1/upstreams/report/reports`);
		await withWait(`${worker.origin}/v1/upstreams/report/reports`);
	} finally {
		await worker.stop();
		reports.kill();
	}
}

const REQUEST = ['-d', '{"month":"2026-10"}', '-H', 'Content-Type: application/json'];

async function slowly(api: string): Promise<void> {
	heading('Today: the client waits, and a broken connection loses the report');
	await curl('-H', 'X-Report-Key: local-only', ...REQUEST, '-o', `${OUT}report.csv`, `${api}/reports`);
}

async function withTicket(url: string): Promise<void> {
	heading('The same request to Coatcheck: a ticket at once');
	const ticket = await curl(...REQUEST, url);
	const location = headerOf(ticket, 'location');
	heading('Poll the status, as often as Retry-After says');
	for (;;) {
		const answer = await curl(location);
		if (/^HTTP\S+ 303/.test(answer)) break;
		await new Promise((resolve) => setTimeout(resolve, Number(headerOf(answer, 'retry-after')) * MS_PER_SECOND));
	}
	heading('The job has succeeded: a 303 leads to the report, as the API sent it');
	await curl('-L', '-o', `${OUT}report-by-ticket.csv`, location);
	const [direct, stored] = await Promise.all(
		['report.csv', 'report-by-ticket.csv'].map((name) => readFile(OUT + name)),
	);
	if (!direct?.equals(stored ?? Buffer.alloc(0))) throw new Error('The two reports are not the same');
	console.log(`  ${stored?.byteLength} bytes in ${OUT}report-by-ticket.csv, the same as the direct response`);
}

async function withWait(url: string): Promise<void> {
	heading('Or in one request that waits for the report; the same key returns the same report again');
	const options = ['-H', 'Prefer: wait=20', '-H', 'Idempotency-Key: october', '-o', `${OUT}report-by-wait.csv`];
	await curl(...options, ...REQUEST, url);
	await curl(...options, ...REQUEST, url);
}

/** Runs curl, and prints the command, its duration and the response. @returns the response's head and body. */
async function curl(...args: string[]): Promise<string> {
	const command = args.map((arg) => (/[\s{}?&"]/.test(arg) ? `'${arg}'` : arg)).join(' ');
	console.log(short(`$ curl -i ${command}`));
	const startedAt = performance.now();
	const child = spawn('curl', ['-sS', '-D', '-', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
	const answer = await text(child.stdout);
	if (child.exitCode !== 0 && child.exitCode !== null) throw new Error(`curl ended with ${child.exitCode}`);
	const seconds = ((performance.now() - startedAt) / MS_PER_SECOND).toFixed(2);
	const lines = answer.split(/\r?\n/);
	const shown = lines.filter((line) => SHOWN.test(line) || line.startsWith('{'));
	for (const line of shown) console.log(`  ${short(line.startsWith('{') ? gist(line) : line)}`);
	note(`  (${seconds} s)\n`);
	return answer;
}

/** The main fields of a status document. */
function gist(json: string): string {
	const { task, status, phase, percentComplete, progress, attempt } = JSON.parse(json) as Record<string, unknown>;
	return `${JSON.stringify({ task, status, phase, percentComplete, progress, attempt }).slice(0, -1)}, … }`;
}

function headerOf(answer: string, name: string): string {
	const value = new RegExp(`^${name}: (.*?)\\r?$`, 'im').exec(answer)?.[1];
	if (value === undefined) throw new Error(`No ${name} in the answer:\n${answer}`);
	return value;
}

/** Shortens ids and tokens, which are long and mean nothing to a reader. */
function short(line: string): string {
	return line.replace(/token=[\w.-]+/g, 'token=…').replace(/\b([0-9a-f]{4})[0-9a-f]{56}([0-9a-f]{4})\b/g, '$1…$2');
}

async function untilListening(port: number): Promise<void> {
	for (let tries = 0; tries < 100; tries++) {
		const isListening = await new Promise<boolean>((resolve) => {
			const socket = connect(port, '127.0.0.1', () => {
				socket.destroy();
				resolve(true);
			});
			socket.on('error', () => resolve(false));
		});
		if (isListening) return;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error('The report API did not start');
}

await main();
