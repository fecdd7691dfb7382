/**
 * Bull Board on Express, with a queue of finished jobs in Redis.
 *
 *     node board.ts redis://127.0.0.1:6379 100
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Queue, QueueEvents, Worker } from 'bullmq';
import express from 'express';

const [url = '', count = '100'] = process.argv.slice(2);
const connection = { url, maxRetriesPerRequest: null };
const queue = new Queue('bench', { connection });
await queue.obliterate({ force: true });
const events = new QueueEvents('bench', { connection });
await events.waitUntilReady();
new Worker('bench', async () => ({ sleptSeconds: 0, attempt: 1 }), { connection, concurrency: 20 });
const jobs = await queue.addBulk(
	Array.from({ length: Number(count) }, () => ({ name: 'sleep', data: { seconds: 0 } })),
);
await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));

const serverAdapter = new ExpressAdapter();
createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter });
const server = express()
	.use('/', serverAdapter.getRouter())
	.listen(0, '127.0.0.1', () => {
		const address = server.address();
		const port = typeof address === 'object' && address ? address.port : 0;
		process.send?.({ origin: `http://127.0.0.1:${port}` });
	});
