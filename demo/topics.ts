/**
 * Shows topics on this machine. Pictures are published to the topic `images`; a subscription makes a job of each with the task
 * `thumbnail`; the jobs' ends stand in the topic `thumbnails` with the same correlation ids. The publisher waits for its own reply by
 * WebSocket, and another reader follows all of them: reading removes nothing.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { type Client, createClient, isGap, type TopicEvent, type TopicItem } from '../src/client/index.ts';
import { startLocalWorker } from './local-worker.ts';
import { heading, note } from './terminal.ts';

const PHOTOGRAPH = new URL('data/hubble-extreme-deep-field.jpg', import.meta.url);
const OUT = new URL('../out/', import.meta.url);
/** An event has at most 64 KB, so the photograph is cut into details. */
const DETAIL_PIXELS = 400;

/** The data of a reply: the job's status document. */
interface Thumbnail {
	readonly resourceLocation: string;
}
type Reply = TopicEvent<Thumbnail>;

async function main(): Promise<void> {
	note('Starting the Worker with wrangler dev …');
	const worker = await startLocalWorker();
	try {
		const client = createClient({ baseUrl: worker.origin });
		heading('A subscription makes a thumbnail of each picture');
		await client.topic('images').subscribe('thumbnails', {
			task: 'thumbnail',
			parameters: { width: '160' },
			replyTopic: 'thumbnails',
		});
		console.log('  topic "images" → task "thumbnail" → topic "thumbnails"');
		const reader = readReplies(client, 4);
		heading('The publisher of each picture waits by WebSocket for its own reply only');
		await mkdir(OUT, { recursive: true });
		for (const [index, picture] of (await details()).entries())
			await publishAndWait(client, picture, `picture-${index + 1}`);
		heading('Another reader of "thumbnails" got every reply, and a late one still can');
		const replies = await reader;
		console.log(`  replies by WebSocket: ${listed(replies)}`);
		const late = await readReplies(createClient({ baseUrl: worker.origin, transports: ['polling'] }), 4);
		console.log(`  by pages afterwards:  ${listed(late)}`);
		if (listed(late) !== listed(replies)) throw new Error('The two readers got different events');
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

/** Publishes a picture, and waits for the reply with its correlation id. */
async function publishAndWait(client: Client, picture: Uint8Array<ArrayBuffer>, correlationId: string): Promise<void> {
	const replies = client.topic<Thumbnail>('thumbnails');
	const after = await replies.lastSeq();
	const options = { type: 'uploaded', correlationId, mediaType: 'image/jpeg' };
	const { seq } = await client.topic('images').publish(picture, options);
	for await (const reply of replies.events({ after, correlationId })) {
		const { type, data } = replyIn(reply);
		if (type !== 'succeeded' || !data) throw new Error(JSON.stringify(reply));
		const thumbnail = new Uint8Array(await (await fetch(data.resourceLocation)).arrayBuffer());
		const file = new URL(`${correlationId}.jpg`, OUT);
		await writeFile(file, thumbnail);
		const path = relative(process.cwd(), fileURLToPath(file));
		console.log(
			`  event ${seq}, ${picture.byteLength} bytes → reply ${reply.seq}, ${thumbnail.byteLength} bytes: ${path}`,
		);
		return;
	}
}

/** An independent reader of the reply topic, from its first event. */
async function readReplies(client: Client, count: number): Promise<Reply[]> {
	const replies: Reply[] = [];
	for await (const reply of client.topic<Thumbnail>('thumbnails').events({ after: 0 }))
		if (replies.push(replyIn(reply)) === count) break;
	return replies;
}

function replyIn(item: TopicItem<Thumbnail>): Reply {
	if (isGap(item)) throw new Error('Some replies are gone');
	return item;
}

function listed(replies: readonly Reply[]): string {
	return replies.map(({ correlationId }) => correlationId).join(', ');
}

await main();
// Under `wrangler dev`, the connection of a socket stays open for some seconds after its end.
process.exit();
