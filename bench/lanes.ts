/**
 * Measures how long a new job waits behind a slow job, on a laptop. Locally a queue runs one batch at a time, and a batch lasts
 * as long as its slowest job, so the answer depends on the number of queues in a lane. For each number of queues it starts a fresh
 * `wrangler dev` and some jobs that sleep, then an instant job, and takes the time until the instant job has ended.
 *
 *     npm run bench:lanes
 */
import { type LocalWorker, startLocalWorker } from '../demo/local-worker.ts';
import { table } from '../demo/terminal.ts';
import { configWith } from './configuration.ts';

const QUEUES_A_LANE = [1, 2, 4, 8];
const SLOW_JOBS = [0, 1, 3];
const SLOW_SECONDS = 6;
const ROUNDS = 3;

interface Ticket {
	readonly links: { readonly operation: string; readonly self: string };
}

async function main(): Promise<void> {
	const rows = [['queues a lane', ...SLOW_JOBS.map((slow) => `behind ${slow} × ${SLOW_SECONDS} s`)]];
	for (const queues of QUEUES_A_LANE) rows.push([String(queues), ...(await measure(queues))]);
	console.log('\nSeconds from submission to success of an instant job, median (longest) of three:\n');
	table(rows);
}

async function measure(queues: number): Promise<string[]> {
	const config = await configWith('src/index.ts', (toml) => withQueues(toml, queues));
	const vars = ['--var', 'AUTH:none', '--var', 'ALLOW_PRIVATE_TARGETS:true'];
	const worker = await startLocalWorker({ args: ['--config', config.path, ...vars] });
	try {
		await waitFor(worker, 0);
		const cells: string[] = [];
		for (const slow of SLOW_JOBS) cells.push(await cell(worker, slow));
		return cells;
	} finally {
		await worker.stop();
		await config.remove();
	}
}

async function cell(worker: LocalWorker, slow: number): Promise<string> {
	const seconds: number[] = [];
	for (let round = 0; round < ROUNDS; round++) {
		const started = await Promise.all(Array.from({ length: slow }, () => submit(worker, SLOW_SECONDS)));
		seconds.push(await waitFor(worker, 0));
		await Promise.all(started.map(({ links }) => fetch(links.self, { method: 'DELETE' })));
		await Promise.all(started.map(done));
	}
	seconds.sort((a, b) => a - b);
	return `${seconds[1]?.toFixed(2)} (${seconds[2]?.toFixed(2)})`;
}

/** Submits a job that sleeps for `sleepSeconds` and waits for its end. @returns seconds. */
async function waitFor(worker: LocalWorker, sleepSeconds: number): Promise<number> {
	const begin = performance.now();
	await done(await submit(worker, sleepSeconds));
	return (performance.now() - begin) / 1_000;
}

async function submit({ origin }: LocalWorker, seconds: number): Promise<Ticket> {
	const response = await fetch(`${origin}/v1/tasks/sleep/jobs`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ seconds, steps: 1 }),
	});
	return (await response.json()) as Ticket;
}

async function done({ links }: Ticket): Promise<void> {
	for (;;) {
		const { status } = (await (await fetch(links.operation)).json()) as { status: string };
		if (status !== 'pending' && status !== 'running') return;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

/** The same deployment with this many queues a lane. */
function withQueues(toml: string, queues: number): string {
	const [head = ''] = toml.split(/^# Up to some seconds/m);
	const lanes = ['jobs', 'long'].flatMap((lane) =>
		Array.from({ length: queues }, (_, shard) => queueConfig(lane, shard + 1, lane === 'jobs' ? 20 : 4)),
	);
	return [head, ...lanes].join('\n');
}

function queueConfig(lane: string, shard: number, batch: number): string {
	const queue = `coatcheck-${lane}-${shard}`;
	return `[[queues.producers]]
binding = "LANE_${lane.toUpperCase()}_${shard}"
queue = "${queue}"

[[queues.consumers]]
queue = "${queue}"
max_batch_size = ${batch}
max_batch_timeout = 0
max_retries = 100
`;
}

await main();
