/**
 * Runs the same jobs behind Fastify, in BullMQ on Redis or in pg-boss on PostgreSQL: 202 and an address to poll. API and worker
 * share a process, as in a small deployment of either. Both use the fastest settings that their documentation allows.
 *
 *     node server.ts bullmq redis://127.0.0.1:6379
 *     node server.ts pg-boss postgres://127.0.0.1:5432/postgres
 */
import { setTimeout as wait } from 'node:timers/promises';
import Fastify from 'fastify';

/** The same concurrency as Coatcheck has locally: four queues with batches of twenty. */
const CONCURRENCY = 80;
const MAX_BODY_BYTES = 64 * 1_048_576;

interface Work {
	readonly ms: number;
	/** Base64, because neither store accepts bytes. */
	readonly bytes?: string;
}

interface Result {
	readonly returnedAt?: number;
	readonly bytes?: string;
}

interface Backend {
	add(work: Work): Promise<string>;
	find(id: string): Promise<{ status: string; result?: Result } | undefined>;
}

async function perform({ ms, bytes }: Work): Promise<Result> {
	if (ms > 0) await wait(ms);
	return bytes === undefined ? { returnedAt: Date.now() } : { bytes };
}

async function bullmq(url: string): Promise<Backend> {
	const { Queue, Worker } = await import('bullmq');
	const connection = { url, maxRetriesPerRequest: null };
	const queue = new Queue<Work, Result>('bench', { connection });
	await queue.obliterate({ force: true });
	new Worker<Work, Result>('bench', ({ data }) => perform(data), { connection, concurrency: CONCURRENCY });
	const statuses: Record<string, string> = { completed: 'succeeded', active: 'running', failed: 'failed' };
	return {
		add: async (work) => (await queue.add('work', work)).id ?? '',
		async find(id) {
			const job = await queue.getJob(id);
			if (!job) return undefined;
			return { status: statuses[await job.getState()] ?? 'pending', result: job.returnvalue };
		},
	};
}

async function pgBoss(connectionString: string): Promise<Backend> {
	const { PgBoss } = await import('pg-boss');
	const boss = new PgBoss({ connectionString, schema: 'coatcheck_bench', useListenNotify: true, max: 20 });
	boss.on('error', (error) => console.error(error.message));
	await boss.start();
	await boss.createQueue('bench', { notify: true });
	await boss.deleteAllJobs('bench');
	const polling = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 };
	const options = { batchSize: 20, localConcurrency: CONCURRENCY / 20, burstWhenBatchFull: true, ...polling };
	await boss.work<Work, Result, typeof options & { perJobResults: true }>(
		'bench',
		{ ...options, perJobResults: true },
		(jobs) =>
			Promise.all(
				jobs.map(async ({ id, data }) => ({ id, status: 'completed' as const, output: await perform(data) })),
			),
	);
	const statuses: Record<string, string> = { completed: 'succeeded', active: 'running', failed: 'failed' };
	return {
		add: async (work) => (await boss.send('bench', work)) ?? '',
		async find(id) {
			const [job] = await boss.findJobs<Work>('bench', { id });
			return job && { status: statuses[job.state] ?? 'pending', result: job.output as Result };
		},
	};
}

const [kind, url = ''] = process.argv.slice(2);
const backend = await (kind === 'bullmq' ? bullmq(url) : pgBoss(url));
const app = Fastify({ bodyLimit: MAX_BODY_BYTES });
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
app.post('/jobs', async (request, reply) => {
	const { body } = request;
	const work = Buffer.isBuffer(body) ? { ms: 0, bytes: body.toString('base64') } : (body as Work);
	return reply.code(202).send({ id: await backend.add(work), status: 'pending' });
});
app.get<{ Params: { id: string } }>('/jobs/:id', async ({ params: { id } }, reply) => {
	const job = await backend.find(id);
	return job ? { id, status: job.status } : reply.code(404).send();
});
app.get<{ Params: { id: string } }>('/jobs/:id/result', async ({ params: { id } }, reply) => {
	const { bytes, ...result } = (await backend.find(id))?.result ?? {};
	return bytes === undefined ? result : reply.type('application/octet-stream').send(Buffer.from(bytes, 'base64'));
});
const origin = await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ origin });
