/**
 * Simulates 10, 1,000 and 100,000 jobs a second. The queues of a lane stay within the platform's published limits.
 * Jobs are instant, short or long, with four queues as shipped and with as many as needed. Prints the result, and writes the
 * generated part of `bench/results/scale.md`.
 *
 *     npm run bench:scale
 */
import { fileURLToPath } from 'node:url';
import { table } from '../../demo/terminal.ts';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { dollarsFor, type Usage } from '../../src/core/cost/prices.ts';
import { markdown } from '../compare/report.ts';
import { replaceGenerated } from '../generated.ts';
import { type Outcome, QUEUE_LIMITS, seeded, simulate } from './queue.ts';

const DOCUMENT = fileURLToPath(new URL('../results/scale.md', import.meta.url));
const SHIPPED_QUEUES = 4;
/** Maximum planned load of a queue, as a share of its capacity. */
const FILLED_SHARE = 0.7;
const SECONDS = 60;
const BURST = { times: 2, seconds: 10 } as const;
const SEED = 20_261_121;
const SECONDS_A_DAY = 86_400;

const RATES = [10, 1_000, 100_000];
const WORK = [
	{ name: '10 ms', workMs: 10, batch: 20 },
	{ name: '250 ms', workMs: 250, batch: 20 },
	{ name: '10 s, lane `long`', workMs: 10_000, batch: 4 },
];

/** As counted by `npm run bench:cost` for "poll, result inline". The batches are counted here. */
const JOB: Usage = {
	rowsWritten: 5,
	rowsRead: 1,
	workerRequests: 3,
	queueOperations: 3,
	objectCalls: 6,
	objectGbSeconds: 6 * 0.015 * 0.128,
	cpuMs: 10,
	storedGbMonths: 12e-6 / 30,
};

interface Plan {
	readonly jobsPerSecond: number;
	readonly work: (typeof WORK)[number];
	readonly queues: number;
}

async function main(): Promise<void> {
	const rows = [
		[
			'jobs/s',
			'work',
			'queues',
			'wait p50',
			'p99',
			'longest',
			'backlog',
			'consumers',
			'refused',
			'a batch',
			'$ a day',
			'$ a million',
		],
	];
	for (const plan of plans()) rows.push(rowOf(plan, outcomeOf(plan)));
	table(rows);
	await replaceGenerated(DOCUMENT, markdown(rows));
}

/** The loads with the queues as shipped, and with enough queues if those are too few. */
function plans(): Plan[] {
	return RATES.flatMap((jobsPerSecond) =>
		WORK.flatMap((work) => {
			const queues = queuesFor(jobsPerSecond, work);
			const shipped = { jobsPerSecond, work, queues: SHIPPED_QUEUES };
			return queues > SHIPPED_QUEUES ? [shipped, { jobsPerSecond, work, queues }] : [shipped];
		}),
	);
}

/** The number of queues that keeps both limits of a queue, even in a burst. */
export function queuesFor(jobsPerSecond: number, { workMs, batch }: { workMs: number; batch: number }): number {
	const perConsumer = (batch * 1_000) / (workMs * slowestOf(batch));
	const perQueue = Math.min(QUEUE_LIMITS.messagesPerSecond, QUEUE_LIMITS.consumers * perConsumer);
	return Math.ceil((jobsPerSecond * BURST.times) / (perQueue * FILLED_SHARE));
}

/** The slowest job of a batch, as a multiple of the median. A batch lasts as long as its slowest job. */
function slowestOf(batch: number): number {
	return batch >= 20 ? 7 : 3.3;
}

function outcomeOf({ jobsPerSecond, work, queues }: Plan): Outcome {
	const load = {
		jobsPerSecond: jobsPerSecond / queues,
		seconds: SECONDS,
		burst: BURST,
		maxBacklog: DEFAULTS.MAX_BACKLOG,
	};
	return simulate({ ...load, workMs: work.workMs, batch: work.batch }, seeded(SEED));
}

function rowOf({ jobsPerSecond, work, queues }: Plan, outcome: Outcome): string[] {
	const { accepted, refused, batches, waitMs, maxBacklog, maxConsumers, left } = outcome;
	const orMore = left > 0 ? '> ' : '';
	const aBatch = (accepted - left) / batches;
	const usage = { ...JOB, workerRequests: (JOB.workerRequests ?? 0) + 1 / aBatch };
	const dollars = Object.entries(usage).reduce((sum, [item, count]) => sum + dollarsFor(item as keyof Usage, count), 0);
	return [
		jobsPerSecond.toLocaleString('en'),
		work.name,
		queues > QUEUE_LIMITS.queuesAnAccount ? `${queues} (too many)` : String(queues),
		orMore + seconds(waitMs.p50),
		orMore + seconds(waitMs.p99),
		orMore + seconds(waitMs.max),
		(maxBacklog * queues).toLocaleString('en'),
		String(maxConsumers * queues),
		`${((refused / (accepted + refused)) * 100).toFixed(0)} %`,
		aBatch.toFixed(1),
		(dollars * jobsPerSecond * SECONDS_A_DAY).toLocaleString('en', { maximumFractionDigits: 0 }),
		(dollars * 1_000_000).toFixed(2),
	];
}

function seconds(ms: number): string {
	return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

await main();
