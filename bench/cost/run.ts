/**
 * Computes the bill of each ordinary path. It counts the operations in the runtime, while real clients run, and applies the prices.
 * Prints it, and writes the generated part of `bench/results/cost.md`.
 *
 *     npm run bench:cost
 *     npm run bench:cost -- "lane now, poll"    these ways only, without writing the results
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../../demo/terminal.ts';
import { dollarsAMillion, dollarsFor, type Item, PRICES, type Usage } from '../../src/core/cost/prices.ts';
import { billedUsage, type Counts } from '../../src/core/cost/usage.ts';
import { OURS, type Running } from '../compare/contender.ts';
import { inFlight } from '../compare/figures.ts';
import { userCpuMsOf } from '../compare/processes.ts';
import { markdown } from '../compare/report.ts';
import { running } from '../compare/workers.ts';
import { configWith, localVariables } from '../configuration.ts';
import { replaceGenerated } from '../generated.ts';
import { OTHERS } from './others.ts';
import { expectOk, LATER_MS, type Place, submit, WATCHERS, WAYS, type Way } from './ways.ts';

process.env.WRANGLER_LOG ??= 'error';
process.env.WRANGLER_SEND_METRICS ??= 'false';
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';

const { positionals: chosen } = parseArgs({ allowPositionals: true });
const CHOSEN = WAYS.filter(({ name }) => chosen.length === 0 || chosen.includes(name));

const DOCUMENT = fileURLToPath(new URL('../results/cost.md', import.meta.url));

/** Jobs run one at a time, so that each message has a batch to itself, which is the most expensive case. */
const JOBS_A_WAY = 20;
/** CPU is measured with many jobs at once, because a single job mostly measures waking up. */
const JOBS_FOR_CPU = 80;
const JOBS_AT_ONCE = 20;
const WARM_UP_JOBS = 300;
const WATCHERS_A_JOB = 20;
const WATCHED_MS = 3_000;

const MILLION = 1_000_000;

interface Bill {
	readonly way: Way;
	readonly counts: Counts;
	readonly cpuMs: number | undefined;
	readonly usage: Usage;
	readonly dollars: number;
}

async function main(): Promise<void> {
	const hook = await startReceiver();
	const worker = await startLedger();
	const caching = await startLedger({ EDGE_CACHE_SECONDS: '60' });
	try {
		const place = { origin: worker.origin, hook };
		await warmUp(place);
		const bills: Bill[] = [];
		for (const way of CHOSEN) bills.push(await billOf(worker, way, place));
		await report(bills, chosen.length > 0 ? [] : await watchersTable(worker, caching));
	} finally {
		await worker.stop();
		await caching.stop();
		hook.close();
	}
}

async function watchersTable(worker: Running, caching: Running): Promise<string[][]> {
	return [
		...(await watcherRows(worker)),
		await readerRow(worker, 'poll of a finished job'),
		await readerRow(caching, 'poll of a finished job, with `EDGE_CACHE_SECONDS`'),
	];
}

async function startLedger(variables: Record<string, string> = {}): Promise<Running> {
	const config = await configWith('bench/workers/ledger.ts');
	const secrets = { ...(await localVariables()), ...variables };
	return running('ledger', { configPath: config.path, secrets }, OURS, config.remove);
}

/** Warms up a runtime, because the first operation after its start takes longer, whatever it is. */
async function warmUp(place: Place): Promise<void> {
	const [first] = WAYS;
	await inFlight(JOBS_AT_ONCE, WARM_UP_JOBS, async () => first?.go(place));
}

async function billOf(worker: Running, way: Way, place: Place): Promise<Bill> {
	const { jobs = 1 } = way;
	const times = Math.max(1, JOBS_A_WAY / jobs);
	const counts = await counted(worker, times * jobs, async () => {
		for (let time = 0; time < times; time++) await way.go(place);
	});
	const cpuMs = await cpuMsOfJob(worker, way, place);
	const usage = billedUsage(counts, { cpuMs, payloadBytes: way.payloadBytes });
	return { way, counts, cpuMs, usage, dollars: dollarsAMillion(usage) };
}

/** The counts of the ledger for one of `times` repetitions, up to the deletion of its jobs. */
async function counted(worker: Running, times: number, act: () => Promise<void>): Promise<Counts> {
	await settled(worker);
	await fetch(`${worker.origin}/ledger`, { method: 'DELETE' });
	await act();
	await settled(worker);
	await fetch(`${worker.origin}/ledger`, { method: 'POST' });
	const total = await settled(worker);
	return Object.fromEntries(Object.entries(total).map(([name, count]) => [name, count / times]));
}

/** User CPU time of the whole runtime process, objects and queues included. This is more than the Worker's own time, which is billed. */
async function cpuMsOfJob({ pid }: Running, way: Way, place: Place): Promise<number | undefined> {
	const { jobs = 1 } = way;
	const times = Math.max(1, JOBS_FOR_CPU / jobs);
	const before = pid && (await userCpuMsOf(pid));
	await inFlight(JOBS_AT_ONCE, times, () => way.go(place));
	const after = pid && (await userCpuMsOf(pid));
	return before && after ? (after - before) / (times * jobs) : undefined;
}

/** Waits until the counts no longer change. */
async function settled({ origin }: Running): Promise<Counts> {
	const look = async () => (await (await fetch(`${origin}/ledger`)).json()) as Counts;
	for (let before = await look(); ; ) {
		await wait(400);
		const now = await look();
		if (JSON.stringify(now) === JSON.stringify(before)) return now;
		before = now;
	}
}

/** The cost that one more watcher adds to a job, however long it watches. */
async function watcherRows(worker: Running): Promise<string[][]> {
	const alone = await counted(worker, 1, () => watched(worker, async () => {}, 0));
	const rows = [['one more watcher, or look', 'Worker requests', 'object calls', 'rows', '$ a million']];
	for (const { name, watch } of WATCHERS) {
		const counts = await counted(worker, 1, () => watched(worker, watch, WATCHERS_A_JOB));
		const more = (counter: string) => ((counts[counter] ?? 0) - (alone[counter] ?? 0)) / WATCHERS_A_JOB;
		rows.push(watcherRow(name, more));
	}
	return rows;
}

/** The cost of each read of a finished job, except the first. */
async function readerRow(worker: Running, name: string): Promise<string[]> {
	const { links } = await submit(worker.origin);
	const look = async () => expectOk(await fetch(links.operation));
	await wait(LATER_MS);
	await look();
	const counts = await counted(worker, WATCHERS_A_JOB, async () => {
		for (let times = 0; times < WATCHERS_A_JOB; times++) await look();
	});
	return watcherRow(name, (counter) => counts[counter] ?? 0);
}

function watcherRow(name: string, count: (counter: string) => number): string[] {
	const usage = {
		workerRequests: count('workerRequests'),
		objectCalls: count('objectCalls'),
		rowsWritten: count('rowsWritten'),
	};
	return [name, ...Object.values(usage).map(amount), dollarsAMillion(usage).toFixed(2)];
}

async function watched(worker: Running, watch: (typeof WATCHERS)[number]['watch'], count: number): Promise<void> {
	const { links } = await submit(worker.origin, { ms: WATCHED_MS });
	await Promise.all(Array.from({ length: count }, () => watch(links)));
	// Read from outside, so that it is not counted: the job has ended for every watcher.
	await wait(count === 0 || watch === WATCHERS.at(-1)?.watch ? WATCHED_MS + 500 : 0);
}

async function report(bills: readonly Bill[], watchers: readonly (readonly string[])[]): Promise<void> {
	const waysTable = [['way', 'what the client does'], ...WAYS.map(({ name, what }) => [name, what])];
	const countsTable = [
		[
			'a job, by',
			'rows written',
			'rows read',
			'Worker requests',
			'queue operations',
			'object calls',
			'of them alarms',
			'erasings',
			'CPU ms',
			'ms a call',
		],
		...bills.map(countsRow),
	];
	const items = [
		'rowsWritten',
		'workerRequests',
		'queueOperations',
		'objectCalls',
		'objectGbSeconds',
		'cpuMs',
		'storedGbMonths',
	] as const;
	const dollarsTable = [
		['$ a million jobs', 'rows', 'Worker requests', 'queue', 'object calls', 'awake', 'CPU', 'stored', 'all', 'target'],
		...bills.map(({ way: { name, mostDollars }, usage, dollars }) => [
			name,
			...items.map((item) => millionOf(item, usage)),
			dollars.toFixed(2),
			mostDollars === undefined ? '' : `≤ ${mostDollars.toFixed(2)}`,
		]),
	];
	const pricesTable = [
		['', 'price', 'source', 'as of'],
		...Object.values(PRICES).map(({ unit, dollars, per, source, asOf }) => [
			unit,
			`$${dollars} a ${perOf(per)}`,
			source,
			asOf,
		]),
	];
	const othersTable = [
		['instead', '$ a million', 'made of', 'and without', 'source', 'as of'],
		...OTHERS.map(({ name, dollarsAMillion: all, how, without, source, asOf }) => [
			name,
			all.toFixed(2),
			how,
			without,
			source,
			asOf,
		]),
	];
	const shown = [countsTable, dollarsTable, watchers, othersTable.map((row) => row.slice(0, 3))];
	for (const one of shown.filter(({ length }) => length > 0)) {
		table(one);
		console.log();
	}
	if (chosen.length > 0) return;
	const parts = [waysTable, countsTable, dollarsTable, watchers, othersTable, pricesTable].map(markdown);
	await replaceGenerated(DOCUMENT, parts.join('\n\n'));
}

function countsRow({ way: { name }, counts, cpuMs }: Bill): string[] {
	const {
		rowsWritten,
		rowsRead,
		workerRequests,
		queueOperations,
		objectCalls = 0,
		objectWaitMs = 0,
		alarms = 0,
	} = counts;
	const numbers = [rowsWritten, rowsRead, workerRequests, queueOperations, objectCalls, alarms, counts.erasings];
	return [name, ...numbers.map(amount), cpuMs?.toFixed(1) ?? '–', (objectWaitMs / (objectCalls - alarms)).toFixed(1)];
}

function millionOf(item: Item, usage: Usage): string {
	return (dollarsFor(item, usage[item] ?? 0) * MILLION).toFixed(2);
}

function amount(count = 0): string {
	return Number.isInteger(count) ? String(count) : count.toFixed(2);
}

function perOf(per: number): string {
	return per === 1 ? 'unit' : per === MILLION ? 'million' : per.toLocaleString('en');
}

async function startReceiver(): Promise<Place['hook'] & { close(): void }> {
	const waiting = new Map<string, () => void>();
	const told = new Set<string>();
	const server = createServer((request, response) => {
		const id = String(request.headers['webhook-id']).split(':')[0] ?? '';
		request.resume().on('end', () => {
			response.writeHead(204).end();
			told.add(id);
			waiting.get(id)?.();
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
		told: (id) => new Promise((resolve) => (told.has(id) ? resolve() : waiting.set(id, resolve))),
		close: () => server.close(),
	};
}

await main();
