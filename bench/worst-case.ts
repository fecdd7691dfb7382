/**
 * Computes the most that a hostile client with one API key can cost, from the constants in the source and the settings in
 * `wrangler.toml`, at Cloudflare's published prices.
 *
 *     npm run bench:worst-case               shows the result
 *     npm run bench:worst-case -- --write    writes it to bench/results/worst-case.md; a test checks that page
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { unstable_readConfig } from 'wrangler';
import { DEFAULTS } from '../src/config/defaults.ts';
import { CALLS_A_REQUEST, JOBS_A_REQUEST } from '../src/core/batch/limits.ts';
import {
	CHUNK_BYTES,
	MAX_LOST_ATTEMPTS,
	MAX_PARAMETERS_BYTES,
	MAX_WEBHOOK_TRIES,
	MIB,
	MS_PER_SECOND,
	OPTION_LIMITS,
	PROGRESS_INTERVAL_MS,
	SECONDS_PER_DAY,
} from '../src/core/job/limits.ts';
import { LEAVES_A_PAGE } from '../src/core/list/limits.ts';
import { VERIFIED_AT_ONCE, VERIFY_INTERVAL_MS } from '../src/core/quota/limits.ts';
import {
	ALLOWANCE,
	MAX_REPLY_HOPS,
	MAX_SUBSCRIPTIONS,
	MAX_TOPIC_READERS,
	ROW_OVERHEAD_BYTES,
} from '../src/core/topic/limits.ts';

const DOCUMENT = fileURLToPath(new URL('results/worst-case.md', import.meta.url));
const CONFIG = fileURLToPath(new URL('../wrangler.toml', import.meta.url));
const MARKS = { begin: '<!-- npm run bench:worst-case -- --write -->\n', end: '<!-- end -->\n' };

/** Billed items, and the price of one of each, in dollars. */
const PRICES = {
	requests: 0.3e-6,
	cpuMs: 0.02e-6,
	objectCalls: 0.15e-6,
	objectGbSeconds: 12.5e-6,
	rowsWritten: 1e-6,
	rowsRead: 0.001e-6,
	queueOperations: 0.4e-6,
	gbMonths: 0.2,
};
type Usage = Partial<Record<keyof typeof PRICES, number>>;

/** Values that only a measurement can provide. */
const MEASURED = {
	/** CPU time to reject 32 MiB of the slowest JSON. */
	refusalCpuMs: 1_200,
	/** CPU time of an ordinary request, or of an ordinary attempt at a job. */
	ordinaryCpuMs: 5,
	/** Time that an object is awake for a call. */
	awakeMs: 15,
	/** Time to count the jobs of a leaf of the list by its facets, and to search its text, which is ten times as long. */
	leafMs: { facets: 0.2, text: 2 },
	/** CPU time to pass an event of 64 KB on to one stream. */
	streamedEventCpuMs: 0.06,
};

/** Assumed, and too high: no object reads more rows of a topic in a second. */
const SCANNED_ROWS_A_SECOND = 1_000_000;
/** The jobs of a list in the table, and the jobs of one of its leaves. */
const LIST = { jobs: 1_000_000, aLeaf: 256 };
/** The shortest event in storage, without the row around it. */
const SHORTEST_EVENT_BYTES = '"type":"a","correlationId":"c","at":"2026-11-28T00:00:00.000Z"}'.length;
/** One object is awake for at most one second in a second. */
const AWAKE_ALL_THE_TIME = { objectGbSeconds: 0.128 };

/** Size of an empty object, according to Cloudflare. */
const EMPTY_OBJECT_BYTES = 12_000;
const OBJECT_GB = 0.128;
const DAYS_PER_MONTH = 30;
/** A message is written, read and deleted. */
const OPERATIONS_A_MESSAGE = 3;
/** Messages on a socket are billed like calls, twenty as one. */
const SOCKET_MESSAGES_A_CALL = 20;
/** Cloudflare's limits for a queue, unless its consumer has a lower one. */
const PLATFORM = { consumersAQueue: 250, messagesASecondAQueue: 5_000 };

/** The quotas in the second column of the table. */
const EXAMPLE = { jobsInFlight: 1_000, storedBytes: 10 * 1_024 * MIB };

const sum = (...usages: Usage[]): Usage => {
	const total: Usage = {};
	for (const usage of usages)
		for (const [kind, amount] of Object.entries(usage) as [keyof Usage, number][])
			total[kind] = (total[kind] ?? 0) + amount;
	return total;
};
const times = (count: number, usage: Usage): Usage =>
	Object.fromEntries(Object.entries(usage).map(([kind, amount]) => [kind, amount * count]));
const dollars = (usage: Usage): number =>
	Object.entries(usage).reduce((total, [kind, amount]) => total + amount * PRICES[kind as keyof Usage], 0);

const calls = (count: number): Usage => ({
	objectCalls: count,
	objectGbSeconds: (count * MEASURED.awakeMs * OBJECT_GB) / MS_PER_SECOND,
});
const message: Usage = { requests: 1, queueOperations: OPERATIONS_A_MESSAGE, cpuMs: MEASURED.ordinaryCpuMs };
const rows = (count: number): Usage => ({ rowsWritten: count });
const cpu = (ms: number): Usage => ({ cpuMs: ms });

const chunks = Math.ceil(DEFAULTS.MAX_INPUT_BYTES / CHUNK_BYTES);
const storedGb = (DEFAULTS.MAX_INPUT_BYTES + DEFAULTS.MAX_RESULT_BYTES) / 1e9;
const attempts = OPTION_LIMITS.maxAttempts.max + MAX_LOST_ATTEMPTS;

interface Settings {
	readonly requestsASecond: number;
	readonly cpuMs: number;
	/** Maximum number of consumers of the jobs' queues, and of their attempts at once. */
	readonly consumers: number;
	readonly attemptsAtOnce: number;
	readonly webhooksASecond: number;
}

/** The parts of `wrangler.toml` that are read. */
interface WranglerConfig {
	readonly limits?: { readonly cpu_ms?: number };
	readonly ratelimits: readonly {
		readonly name: string;
		readonly simple: { readonly limit: number; readonly period: number };
	}[];
	readonly queues: {
		readonly consumers: readonly {
			readonly queue: string;
			readonly max_batch_size?: number;
			readonly max_concurrency?: number;
		}[];
		readonly producers: readonly { readonly binding: string }[];
	};
}

function settings(): Settings {
	const { queues, limits, ratelimits }: WranglerConfig = unstable_readConfig({ config: CONFIG });
	const perKey = ratelimits.find(({ name }) => name === 'LIMITER_PER_KEY')?.simple ?? { limit: Number.NaN, period: 1 };
	const consumers = queues.consumers
		.filter(({ queue }) => /^coatcheck-(jobs|long|alone)/.test(queue))
		.map(({ max_concurrency = PLATFORM.consumersAQueue, max_batch_size = 1 }) => ({
			count: max_concurrency,
			attempts: max_concurrency * max_batch_size,
		}));
	const webhooks = queues.producers.filter(({ binding }) => binding.startsWith('LANE_WEBHOOKS'));
	return {
		requestsASecond: perKey.limit / perKey.period,
		cpuMs: limits?.cpu_ms ?? Number.NaN,
		consumers: consumers.reduce((total, { count }) => total + count, 0),
		attemptsAtOnce: consumers.reduce((total, { attempts }) => total + attempts, 0),
		webhooksASecond: webhooks.length * PLATFORM.messagesASecondAQueue,
	};
}

const request: Usage = { requests: 1, cpuMs: MEASURED.ordinaryCpuMs };
const refusal = sum(request, cpu(MEASURED.refusalCpuMs));
const ordinaryJob = sum(request, message, calls(3), rows(5));
/** As an ordinary job, without a request of its own. */
const jobRunAgain = sum(message, calls(3), rows(5));
/** A job with two portions, a place among the unfinished actions, a count and two pages of the list. */
const actionWithoutJobs = sum(request, times(3, message), calls(11), rows(9));
/** The list, its alarm, and its deletion. */
const batchOfOneJob = sum(calls(2), rows(2));
/** A read of the batch: as many jobs are called as count for one request, and their statuses are stored. */
const lookAtBatch = sum(request, calls(2 + CALLS_A_REQUEST), rows(1));
const quotaOfJob = sum(calls(2), rows(4));
const bytesOfJob = sum(times(2 * chunks, sum(calls(1), rows(2))), times(attempts * chunks, calls(1)));
const attemptsOfJob = times(attempts, sum(message, calls(2), rows(3)));
/** The events: accepted, then started and retrying for each attempt, and the end. */
const webhookOfJob = times((2 + 2 * attempts) * MAX_WEBHOOK_TRIES, sum(message, calls(2), rows(1)));
const progressTold = sum(message, calls(1 + 1 / SOCKET_MESSAGES_A_CALL));
const progressOfJob = times(
	(attempts * OPTION_LIMITS.timeoutSeconds.max * MS_PER_SECOND) / PROGRESS_INTERVAL_MS,
	progressTold,
);
const storageOfJob: Usage = {
	gbMonths:
		(storedGb * (OPTION_LIMITS.delaySeconds.max + OPTION_LIMITS.retainSeconds.max)) / SECONDS_PER_DAY / DAYS_PER_MONTH,
};
const emptyJobGb = (EMPTY_OBJECT_BYTES + MAX_PARAMETERS_BYTES) / 1e9;
const download = sum(request, calls(1 + chunks));

const awake = (ms: number): Usage => ({ objectGbSeconds: (ms * OBJECT_GB) / MS_PER_SECOND });
const leaves = LIST.jobs / LIST.aLeaf;
/** A page reads a limited number of leaves, and a count all of them: the filter matches nothing, and no index says so. */
const listPage = sum(request, { objectCalls: 1, rowsRead: LEAVES_A_PAGE }, awake(LEAVES_A_PAGE * MEASURED.leafMs.text));
const listCount = sum(request, { objectCalls: 1, rowsRead: leaves }, awake(leaves * MEASURED.leafMs.facets));
/** Without a task, one job of each task and upstream is called. More calls count as more requests. */
const lookUpByKey = sum(request, calls(CALLS_A_REQUEST));
/** One row, and a tenth for the segments. */
const published = sum(request, calls(1), rows(1.1));
const streamed = cpu(MAX_TOPIC_READERS * MEASURED.streamedEventCpuMs);
/** The lease and the report of a single event, and the message that calls the consumer. */
const deliveredEvent = sum(message, calls(2), rows(3));
const changedSubscription = sum(request, calls(1), rows(1), deliveredEvent);
/** Its submission by the subscription, and the delivery of its end to the reply topic. */
const jobOfEvent = sum(jobRunAgain, deliveredEvent, message, calls(3), rows(3.1));
const rowsOfTopic = DEFAULTS.TOPIC_RETAIN_BYTES / (SHORTEST_EVENT_BYTES + ROW_OVERHEAD_BYTES);
const scannedTopic = sum(
	request,
	calls(1),
	{ rowsRead: rowsOfTopic },
	awake((rowsOfTopic * MS_PER_SECOND) / SCANNED_ROWS_A_SECOND),
);

/** The jobs that can follow from one event by replies. @param hops of the event. */
function mostJobs(hops = 0): number {
	if (hops >= MAX_REPLY_HOPS) return 0;
	const each = Array.from({ length: MAX_SUBSCRIPTIONS }, (_, n) => (n + 1) * (1 + mostJobs(hops + n + 1)));
	return Math.max(...each);
}

/** Returns the tables of the document. */
export function worstCase(): string {
	const { requestsASecond, cpuMs, consumers, attemptsAtOnce, webhooksASecond } = settings();
	const cpuOfJob = cpu(attempts * cpuMs);
	const dearestJob = sum(ordinaryJob, bytesOfJob, attemptsOfJob, webhookOfJob, progressOfJob, storageOfJob, cpuOfJob);
	const one: [string, Usage][] = [
		['a request, rejected at once', request],
		['a request, rejected after 32 MiB of the slowest JSON', refusal],
		['an ordinary job', ordinaryJob],
		['the extra cost of a batch for the first of its jobs', batchOfOneJob],
		['a status read of a batch, or of ten of its jobs', lookAtBatch],
		['the extra cost of quotas for a job', quotaOfJob],
		['a bulk action that matches no job', actionWithoutJobs],
		['a job that a bulk action runs again', jobRunAgain],
		['reading the largest result once', download],
		['a page of the list that finds nothing', listPage],
		['a count by tag among a million jobs', listCount],
		['a look-up by key without a task, for each ten tasks and upstreams', lookUpByKey],
		['publishing an event', published],
		[`passing the largest event on to ${MAX_TOPIC_READERS.toLocaleString('en-US')} readers by stream`, streamed],
		['delivering a single event to a webhook', deliveredEvent],
		[`the ${mostJobs()} jobs that can follow from one event`, times(mostJobs(), jobOfEvent)],
		['searching the largest topic for an event that it does not have', scannedTopic],
		[`the most expensive job: all of the following, ${attempts} attempts`, dearestJob],
		[`– every attempt computes for the maximum time, ${cpuMs / MS_PER_SECOND} s`, cpuOfJob],
		[`– every attempt lasts ${OPTION_LIMITS.timeoutSeconds.max} s and sends its progress to a webhook`, progressOfJob],
		[`– a webhook receives every event, each at the last try`, webhookOfJob],
		['– largest input and result, kept for 60 days', sum(bytesOfJob, storageOfJob)],
		['– the attempts themselves', attemptsOfJob],
	];

	/** Jobs in batches, because a batch counts as fewer requests than it has jobs. */
	const jobsASecond = requestsASecond * JOBS_A_REQUEST;
	const jobsOfActionsASecond = DEFAULTS.MAX_ACTIONS * DEFAULTS.ACTION_JOBS_PER_SECOND;
	const atOnce = Math.min(EXAMPLE.jobsInFlight, attemptsAtOnce);
	const day = (usageASecond: Usage) => dollars(times(SECONDS_PER_DAY, usageASecond));
	const verification = calls((VERIFIED_AT_ONCE * MS_PER_SECOND) / VERIFY_INTERVAL_MS);
	const allDay: [string, number, number][] = [
		[
			'sends requests that are rejected after much work',
			day(times(requestsASecond, refusal)),
			day(times(requestsASecond, refusal)),
		],
		[
			'sends submissions that its quotas reject',
			Number.NaN,
			day(sum(times(requestsASecond, sum(request, calls(1))), verification)),
		],
		[
			'submits ordinary jobs',
			day(times(requestsASecond, ordinaryJob)),
			day(times(requestsASecond, sum(ordinaryJob, quotaOfJob))),
		],
		[
			'submits ordinary jobs, in batches',
			day(times(jobsASecond, ordinaryJob)),
			day(times(jobsASecond, sum(ordinaryJob, quotaOfJob))),
		],
		[
			'makes bulk actions that match no job',
			day(times(requestsASecond, actionWithoutJobs)),
			day(times(requestsASecond, actionWithoutJobs)),
		],
		[
			'runs its failed jobs again and again with bulk actions',
			day(times(jobsOfActionsASecond, jobRunAgain)),
			day(times(jobsOfActionsASecond, sum(jobRunAgain, calls(1), quotaOfJob))),
		],
		['reads batches repeatedly', day(times(requestsASecond, lookAtBatch)), day(times(requestsASecond, lookAtBatch))],
		[
			'reads the largest result repeatedly',
			day(times(requestsASecond, download)),
			day(times(requestsASecond, download)),
		],
		[
			'keeps every consumer computing',
			day(cpu(consumers * MS_PER_SECOND)),
			day(cpu(Math.min(consumers, EXAMPLE.jobsInFlight) * MS_PER_SECOND)),
		],
		[
			'makes every attempt send its progress to a webhook',
			day(times(Math.min(webhooksASecond, attemptsAtOnce), progressTold)),
			day(times(Math.min(webhooksASecond, atOnce), progressTold)),
		],
		[
			'leaves jobs with only parameters, for a month',
			jobsASecond * SECONDS_PER_DAY * emptyJobGb * PRICES.gbMonths,
			jobsASecond * SECONDS_PER_DAY * emptyJobGb * PRICES.gbMonths,
		],
		[
			'stores as much as possible, for a month',
			requestsASecond * SECONDS_PER_DAY * storedGb * PRICES.gbMonths,
			((EXAMPLE.storedBytes + EXAMPLE.jobsInFlight * DEFAULTS.MAX_RESULT_BYTES) / 1e9) * PRICES.gbMonths,
		],
	];
	const topics = Math.floor(DEFAULTS.MAX_TOPIC_BYTES / ALLOWANCE.bytes);
	const largeTopics = Math.ceil(DEFAULTS.MAX_TOPIC_EVENTS / rowsOfTopic);
	const scannedASecond = Math.min(requestsASecond, (largeTopics * SCANNED_ROWS_A_SECOND) / rowsOfTopic);
	const listed = sum(times(requestsASecond, sum(request, { objectCalls: 1 })), AWAKE_ALL_THE_TIME, {
		rowsRead: MS_PER_SECOND / MEASURED.leafMs.facets,
	});
	const silent = sum(
		times(requestsASecond, changedSubscription),
		times((topics * MAX_SUBSCRIPTIONS * MAX_WEBHOOK_TRIES) / SECONDS_PER_DAY, deliveredEvent),
	);
	const replies = (quota: Usage) =>
		day(times(requestsASecond, sum(published, times(mostJobs(), sum(jobOfEvent, quota)))));
	const both = (what: string, usageASecond: Usage): [string, number, number] => [
		what,
		day(usageASecond),
		day(usageASecond),
	];
	allDay.push(
		both('asks the list for pages and counts that find nothing', listed),
		both('looks jobs up by key, without a task', times(requestsASecond, lookUpByKey)),
		both('publishes events', times(requestsASecond, published)),
		both('publishes the largest events to readers by stream', times(requestsASecond, sum(published, streamed))),
		both(
			`publishes events to ${MAX_SUBSCRIPTIONS} webhooks`,
			times(requestsASecond, sum(published, times(MAX_SUBSCRIPTIONS, deliveredEvent))),
		),
		both('changes webhooks that never answer again and again', silent),
		['publishes events that become jobs, and replies that become more', replies({}), replies(quotaOfJob)],
		both('searches large topics for events that they do not have', times(scannedASecond, scannedTopic)),
		[
			'keeps as many events as possible, for a month',
			(DEFAULTS.MAX_TOPIC_BYTES / 1e9) * PRICES.gbMonths,
			(DEFAULTS.MAX_TOPIC_BYTES / 1e9) * PRICES.gbMonths,
		],
	);
	return [
		'| one | dollars per million |',
		'|---|---|',
		...one.map(([what, usage]) => `| ${what} | ${shown(dollars(usage) * 1e6)} |`),
		'',
		`| one key, ${requestsASecond} requests a second, all day | dollars a day, without quotas | with 1,000 jobs in flight and 10 GiB |`,
		'|---|---|---|',
		...allDay.map(([what, without, withQuotas]) => `| ${what} | ${shown(without)} | ${shown(withQuotas)} |`),
		'',
	].join('\n');
}

/** Rounds to two significant digits, because the estimate is no more precise. */
function shown(amount: number): string {
	if (Number.isNaN(amount)) return '–';
	return Number(amount.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** The document before and after its tables are replaced. */
export async function documentWith(tables: string): Promise<{ before: string; after: string }> {
	const before = await readFile(DOCUMENT, 'utf8');
	const begin = before.indexOf(MARKS.begin) + MARKS.begin.length;
	return { before, after: before.slice(0, begin) + tables + before.slice(before.indexOf(MARKS.end)) };
}

if (import.meta.main) {
	const tables = worstCase();
	console.log(tables);
	if (process.argv.includes('--write')) await writeFile(DOCUMENT, (await documentWith(tables)).after);
}
