/**
 * Runs 10,000 failed jobs again by one bulk action, while other clients submit jobs: how long it takes, whether a job is skipped or
 * runs twice, how soon the action stops, and what it does to the other jobs. Production bundle, real queues, one machine.
 *
 *     npm run bench:actions
 *     npm run bench:actions -- --jobs 1000
 */
import { parseArgs } from 'node:util';
import { createTestHarness } from 'wrangler';
import { table } from '../demo/terminal.ts';
import { configWith, localVariables } from './configuration.ts';

// Without this, one line for each batch of a queue would hide the table.
process.env.WRANGLER_LOG ??= 'error';

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '10000' } } });
const JOBS = Number(values.jobs);
const BATCH_JOBS = 1_000;
/** Each of the other clients submits a job, waits for its end, and pauses. */
const CLIENTS = 5;
const PAUSE_MS = 250;
const QUIET_MS = 5_000;
const POLL_MS = 100;
/** A step that takes longer has failed. */
const MAX_STEP_MS = 600_000;
/** A second action is stopped when it has run this share of the jobs. */
const STOPPED_AT = 0.2;

const TAG = 'bench';
const FAILED = { tag: TAG, status: 'failed' };

interface Action {
	readonly id: string;
	readonly status: string;
	readonly matched: number;
	readonly done: number;
	readonly refused: number;
	readonly links: { readonly self: string };
}

let origin = '';

async function main(): Promise<void> {
	const config = await configWith('bench/workers/actions.ts');
	const server = createTestHarness({ workers: [{ configPath: config.path, vars: await localVariables() }] });
	try {
		origin = (await server.listen()).url.origin;
		await prepare();
		const quietMs = await measureLoad(() => pause(QUIET_MS));
		const rows = [['', 'result'], ...(await retryAll(quietMs)), ...(await stopInTheMiddle())];
		table(rows);
	} finally {
		await server.close();
		await config.remove();
	}
}

/** Submits the jobs, and waits until they have failed and the list knows it. */
async function prepare(): Promise<void> {
	for (let sent = 0; sent < JOBS; sent += BATCH_JOBS) {
		const jobs = Array.from({ length: Math.min(BATCH_JOBS, JOBS - sent) }, () => ({
			task: 'broken',
			input: {},
			options: { tags: [TAG] },
		}));
		await ask('POST', '/v1/batches', { jobs });
	}
	await until(async () => (await runs())[1] === JOBS);
	await untilListed();
}

async function retryAll(quietMs: readonly number[]): Promise<string[][]> {
	const startedAt = Date.now();
	let over: Action | undefined;
	const busyMs = await measureLoad(async () => {
		over = await untilOver(await ask<Action>('POST', '/v1/actions', { action: 'retry', filter: FAILED }));
	});
	const seconds = (Date.now() - startedAt) / 1_000;
	await until(
		async () => Object.values(await runs()).reduce((sum, count) => sum + count, 0) === JOBS && !(await runs())[1],
	);
	await pause(QUIET_MS);
	const counts = await runs();
	return [
		['jobs that matched, done, refused', `${over?.matched}, ${over?.done}, ${over?.refused}`],
		['jobs skipped', String(counts[1] ?? 0)],
		['jobs run again more than once', String(JOBS - (counts[1] ?? 0) - (counts[2] ?? 0))],
		['time of the action', `${seconds.toFixed(1)} s, ${Math.round(JOBS / seconds)} jobs a second`],
		['other jobs, submission to end, p50 and p99', `${percentiles(quietMs)} before, ${percentiles(busyMs)} meanwhile`],
	];
}

async function stopInTheMiddle(): Promise<string[][]> {
	await untilListed();
	const action = await ask<Action>('POST', '/v1/actions', { action: 'retry', filter: FAILED });
	await until(async () => (await ask<Action>('GET', action.links.self)).done >= JOBS * STOPPED_AT);
	const stoppedAt = Date.now();
	await ask('DELETE', `/v1/actions/${action.id}`);
	const over = await untilOver(action);
	const stopMs = Date.now() - stoppedAt;
	await pause(QUIET_MS);
	const again = (await runs())[3] ?? 0;
	return [
		['an action stopped in the middle: time to its end', `${stopMs} ms`],
		['– what it says that it did, and jobs that ran again', `${over.done}, ${again}`],
	];
}

/** Measures jobs of other clients for as long as `work` takes. @returns the time of each, in milliseconds, sorted. */
async function measureLoad(work: () => Promise<void>): Promise<number[]> {
	const times: number[] = [];
	let isOver = false;
	const client = async () => {
		for (; !isOver; await pause(PAUSE_MS)) times.push(await timeOfJob());
	};
	const clients = Array.from({ length: CLIENTS }, client);
	await work().finally(() => {
		isOver = true;
	});
	await Promise.all(clients);
	return times.sort((a, b) => a - b);
}

async function timeOfJob(): Promise<number> {
	const startedAt = Date.now();
	const headers = { 'content-type': 'application/json', prefer: 'wait=25' };
	const body = JSON.stringify({ task: 'instant', input: {} });
	await (await fetch(`${origin}/v1/jobs`, { method: 'POST', headers, body })).arrayBuffer();
	return Date.now() - startedAt;
}

function percentiles(sorted: readonly number[]): string {
	const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
	return `${at(0.5)} and ${at(0.99)} ms`;
}

/** The number of jobs for each number of runs. */
function runs(): Promise<Record<number, number>> {
	return ask('GET', '/bench/runs');
}

function untilListed(): Promise<void> {
	const query = new URLSearchParams(FAILED);
	return until(async () => (await ask<{ total: number }>('GET', `/v1/jobs/counts?${query}`)).total === JOBS);
}

async function untilOver({ links }: Action): Promise<Action> {
	let action = await ask<Action>('GET', links.self);
	await until(async () => {
		action = await ask<Action>('GET', links.self);
		return action.status !== 'pending' && action.status !== 'running';
	});
	return action;
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
	const init =
		body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
	const response = await fetch(new URL(path, origin), { method, ...init });
	if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
	return (await response.json()) as T;
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
	const lateAt = Date.now() + MAX_STEP_MS;
	while (!(await isTrue())) {
		if (Date.now() > lateAt) throw new Error(`Not true within ${MAX_STEP_MS} ms: ${isTrue}`);
		await pause(POLL_MS);
	}
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

await main();
