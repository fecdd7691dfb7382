/**
 * Shows the whole service in a minute, on this machine. It submits a photograph and a table, gets their tickets at once,
 * receives their progress by WebSocket, and fetches their results. It prints the real requests and responses.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type LocalWorker, startLocalWorker } from './local-worker.ts';
import { endOfBar, heading, note, progressBar, request, response, table } from './terminal.ts';

const PHOTOGRAPH = new URL('data/hubble-extreme-deep-field.jpg', import.meta.url);
const TABLE = new URL('data/airports.csv', import.meta.url);
const OUT = new URL('../out/', import.meta.url);

type JobEvent = Parameters<typeof progressBar>[0];

interface Ticket {
	readonly id: string;
	readonly links: { readonly self: string; readonly result: string; readonly socket: string };
}

async function main(): Promise<void> {
	note('Starting the Worker with wrangler dev …');
	const worker = await startLocalWorker();
	try {
		await thumbnail(worker);
		await profile(worker);
	} finally {
		await worker.stop();
	}
}

async function thumbnail({ origin }: LocalWorker): Promise<void> {
	heading('A photograph becomes a thumbnail');
	const ticket = await submit(`${origin}/v1/tasks/thumbnail/jobs?width=320`, 'image/jpeg', await readFile(PHOTOGRAPH));
	await watch(ticket);
	const result = await collect(ticket);
	const picture = new Uint8Array(await result.arrayBuffer());
	const file = new URL('thumbnail.jpg', OUT);
	await mkdir(OUT, { recursive: true });
	await writeFile(file, picture);
	console.log(`  saved ${picture.byteLength} bytes as ${fileURLToPath(file)}`);
}

async function profile({ origin }: LocalWorker): Promise<void> {
	heading('A table of 3,376 airports is profiled');
	const ticket = await submit(`${origin}/v1/tasks/profile-csv/jobs`, 'text/csv', await readFile(TABLE));
	await watch(ticket);
	const result = await collect(ticket);
	const { rows, columns } = (await result.json()) as { rows: number; columns: Record<string, unknown>[] };
	const shown = ['name', 'type', 'count', 'nulls', 'distinct', 'min', 'max', 'mean'];
	console.log(`  ${rows} rows\n`);
	table([shown, ...columns.map((column) => shown.map((field) => String(column[field] ?? '').slice(0, 28)))]);
}

/** Submits the input and gets the ticket at once, with a 202. */
async function submit(url: string, mediaType: string, body: Uint8Array<ArrayBuffer>): Promise<Ticket> {
	request('POST', url, `Content-Type: ${mediaType}`, `Content-Length: ${body.byteLength}`);
	const accepted = await fetch(url, { method: 'POST', headers: { 'content-type': mediaType }, body });
	response(accepted, 'Location', 'Operation-Location', 'Retry-After', 'X-Correlation-ID');
	if (accepted.status !== 202) throw new Error(await accepted.text());
	return (await accepted.json()) as Ticket;
}

/** Follows the job by WebSocket, from its first event to the last. */
async function watch({ links }: Ticket): Promise<void> {
	const url = `${links.socket}&after=0`;
	request('GET', url, 'Upgrade: websocket');
	const socket = new WebSocket(url, 'coatcheck.v1');
	await new Promise<void>((resolve, reject) => {
		socket.addEventListener('message', ({ data }) => {
			const event = JSON.parse(String(data)) as JobEvent;
			progressBar(event);
			// The last event ends the wait, because some runtimes take seconds to report the close that follows it.
			if (['succeeded', 'failed', 'canceled'].includes(event.type)) resolve();
		});
		socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code} before the last event`)));
	});
	socket.close();
	endOfBar();
}

/** Requests the status, and follows the redirect to the result. */
async function collect({ links }: Ticket): Promise<Response> {
	request('GET', links.self);
	const poll = await fetch(links.self, { redirect: 'manual' });
	response(poll, 'Location');
	const location = poll.headers.get('location');
	if (poll.status !== 303 || location === null)
		throw new Error(`Expected 303, got ${poll.status}: ${await poll.text()}`);
	request('GET', location);
	const result = await fetch(location);
	response(result, 'Content-Type', 'Content-Length');
	if (!result.ok) throw new Error(await result.text());
	return result;
}

await main();
