/**
 * Shows topics on this machine. Pictures are published to the topic `images`; a subscription makes a job of each with the task
 * `thumbnail`; the jobs' ends stand in the topic `thumbnails` with the same correlation ids. The publisher waits for one of them by
 * WebSocket, and another reader follows all of them: reading removes nothing.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { type LocalWorker, startLocalWorker } from './local-worker.ts';
import { heading, note, request, response } from './terminal.ts';

const PHOTOGRAPH = new URL('data/hubble-extreme-deep-field.jpg', import.meta.url);
const OUT = new URL('../out/', import.meta.url);
/** An event has at most 64 KB, so the photograph is cut into details. */
const DETAIL_PIXELS = 400;

interface Reply {
	readonly seq: number;
	readonly type: string;
	readonly correlationId: string;
	readonly data: { readonly id: string; readonly resourceLocation: string };
}

async function main(): Promise<void> {
	note('Starting the Worker with wrangler dev …');
	const worker = await startLocalWorker();
	try {
		await subscribe(worker);
		const reader = await follow(worker);
		for (const [index, picture] of (await details()).entries())
			await publishAndWait(worker, picture, `picture-${index + 1}`);
		await showReader(worker, reader);
	} finally {
		await worker.stop();
	}
}

/** Four details of the photograph, as JPEGs. */
async function details(): Promise<Uint8Array<ArrayBuffer>[]> {
	const photograph = await readFile(PHOTOGRAPH);
	const corners = [0, 1].flatMap((row) =>
		[0, 1].map((column) => [column * DETAIL_PIXELS, row * DETAIL_PIXELS] as const),
	);
	return Promise.all(
		corners.map(async ([left, top]) => {
			const detail = sharp(photograph).extract({ left, top, width: DETAIL_PIXELS, height: DETAIL_PIXELS });
			return Uint8Array.from(await detail.jpeg({ quality: 80 }).toBuffer());
		}),
	);
}

async function subscribe({ origin }: LocalWorker): Promise<void> {
	heading('A subscription makes a thumbnail of each picture');
	const url = `${origin}/v1/topics/images/subscriptions/thumbnails`;
	const body = JSON.stringify({ task: 'thumbnail', parameters: { width: '160' }, replyTopic: 'thumbnails' });
	request('PUT', url, 'Content-Type: application/json', '', body);
	const created = await fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' }, body });
	response(created);
	if (created.status !== 201) throw new Error(await created.text());
}

/** An independent reader of the reply topic, from before its first event. */
async function follow({ origin }: LocalWorker): Promise<Reply[]> {
	const replies: Reply[] = [];
	const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/v1/topics/thumbnails/events`, 'coatcheck.v1');
	socket.addEventListener('message', ({ data }) => replies.push(JSON.parse(String(data)) as Reply));
	await new Promise((resolve, reject) => {
		socket.addEventListener('open', resolve);
		socket.addEventListener('error', reject);
	});
	return replies;
}

/** Publishes a picture, and waits for the reply with its correlation id. */
async function publishAndWait(
	{ origin }: LocalWorker,
	picture: Uint8Array<ArrayBuffer>,
	correlationId: string,
): Promise<void> {
	heading(`The publisher of ${correlationId} waits for its own reply only`);
	const { reply } = await awaitReply(origin, correlationId);
	const url = `${origin}/v1/topics/images/events`;
	const headers = {
		'content-type': 'image/jpeg',
		'coatcheck-event-type': 'uploaded',
		'x-correlation-id': correlationId,
	};
	request(
		'POST',
		url,
		'Content-Type: image/jpeg',
		'Coatcheck-Event-Type: uploaded',
		`X-Correlation-ID: ${correlationId}`,
	);
	const published = await fetch(url, { method: 'POST', headers, body: picture });
	response(published, 'X-Correlation-ID');
	if (published.status !== 202) throw new Error(await published.text());
	const { seq, type, data } = await reply;
	note(`  event ${seq} of "thumbnails": ${type}, X-Correlation-ID ${correlationId}`);
	if (type !== 'succeeded') throw new Error(JSON.stringify(data));
	const thumbnail = new Uint8Array(await (await fetch(data.resourceLocation)).arrayBuffer());
	const file = new URL(`${correlationId}.jpg`, OUT);
	await mkdir(OUT, { recursive: true });
	await writeFile(file, thumbnail);
	console.log(`  ${picture.byteLength} bytes became ${thumbnail.byteLength} bytes: ${fileURLToPath(file)}`);
}

/** Opens the socket before anything is published. */
async function awaitReply(origin: string, correlationId: string): Promise<{ readonly reply: Promise<Reply> }> {
	const url = `${origin.replace(/^http/, 'ws')}/v1/topics/thumbnails/events?correlationId=${correlationId}`;
	request('GET', url, 'Upgrade: websocket');
	const socket = new WebSocket(url, 'coatcheck.v1');
	await new Promise((resolve, reject) => {
		socket.addEventListener('open', resolve);
		socket.addEventListener('error', reject);
	});
	const reply = new Promise<Reply>((resolve) => {
		socket.addEventListener('message', ({ data }) => {
			socket.close();
			resolve(JSON.parse(String(data)) as Reply);
		});
	});
	return { reply };
}

/** Shows that the waiting publishers have taken nothing away. */
async function showReader({ origin }: LocalWorker, replies: readonly Reply[]): Promise<void> {
	heading('Another reader of "thumbnails" got every reply, and a late one still can');
	const list = (events: readonly Reply[]) =>
		events.map(({ seq, type, correlationId }) => `${seq} ${type} ${correlationId}`).join(', ');
	console.log(`  by WebSocket from the start: ${list(replies)}`);
	const url = `${origin}/v1/topics/thumbnails/events?after=0`;
	const { events } = (await (await fetch(url)).json()) as { events: Reply[] };
	console.log(`  by a page afterwards:        ${list(events)}\n`);
	if (list(events) !== list(replies)) throw new Error('The two readers got different events');
}

await main();
