/**
 * Calls of minutes by an agent, against the real `wrangler dev`. The agent's process is killed, then the server's whole process tree, and
 * the code is deployed anew. Another process then fetches each result.
 *
 *     npm run test:agent -- --seconds 600
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort, type LocalWorker, startLocalWorker } from '../../demo/local-worker.ts';
import { table } from '../../demo/terminal.ts';
import { argumentsFor, reload } from './deployment.ts';

const AGENT = fileURLToPath(new URL('agent-process.ts', import.meta.url));
const DEFAULT_SECONDS = 600;
/** Longer than a call waits before it becomes a task. */
const LEAST_SECONDS = 8;
const MAX_TRIES = 3;
const MS_PER_SECOND = 1_000;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: String(DEFAULT_SECONDS) } } });
const seconds = Number(values.seconds);
if (!Number.isInteger(seconds) || seconds < 1)
	throw new TypeError(`--seconds: expected a whole number from 1, got: ${values.seconds}`);

interface Status {
	readonly status: string;
	readonly attempt: number;
	readonly progress?: { readonly data?: { readonly complete?: string } };
	readonly links: { readonly events: string };
}

interface Call {
	readonly what: string;
	readonly reference: string;
	readonly taskId: string;
	readonly startedMs: number;
}

async function main(): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-agent-'));
	const port = await freePort();
	const start = async () => startLocalWorker({ port, state: join(folder, 'state'), args: await argumentsFor(folder) });
	let server = await start();
	try {
		// The first is finished by an external worker. The second is an attempt that dies with the server, and is made again.
		const calls = [
			await call(server, 'finished by an external worker', { seconds: 0, steps: 1, wait: true }),
			await call(server, 'an attempt of the service', { seconds: Math.max(LEAST_SECONDS, Math.ceil(seconds / 10)) }),
		];
		await server.kill();
		console.log('server killed');
		server = await start();
		await reload(folder, 1);
		const [first, second] = calls as [Call, Call];
		const external = pause(first.startedMs + seconds * MS_PER_SECOND - performance.now()).then(() =>
			finish(server, first),
		);
		const results = await Promise.all([external.then(() => resume(server, first)), resume(server, second)]);
		await report(server, calls, results);
	} finally {
		await server.stop();
		await rm(folder, { recursive: true, force: true });
	}
}

/** Calls the tool `sleep` from a process that is killed when it knows its task. */
async function call({ origin }: LocalWorker, what: string, given: object): Promise<Call> {
	const startedMs = performance.now();
	const agent = startAgent([origin, 'call', 'sleep', JSON.stringify(given)]);
	const reference = await firstLine(agent);
	agent.kill('SIGKILL');
	await once(agent, 'close');
	console.log(`called and killed: ${what}`);
	return { what, reference, taskId: (JSON.parse(reference) as { taskId: string }).taskId, startedMs };
}

interface Result {
	readonly structuredContent: unknown;
	readonly afterSeconds: number;
}

/** Another process waits for the task, and prints its result. A request that is under way when the code is reloaded ends it. */
async function resume(server: LocalWorker, call: Call, triesLeft = MAX_TRIES - 1): Promise<Result> {
	const line = await firstLine(startAgent([server.origin, 'resume', call.reference])).catch((error: Error) => error);
	if (typeof line !== 'string') {
		if (triesLeft === 0) throw line;
		console.log(`resumed once more: ${line.message}`);
		return resume(server, call, triesLeft - 1);
	}
	const { structuredContent } = JSON.parse(line) as Result;
	return { structuredContent, afterSeconds: (performance.now() - call.startedMs) / MS_PER_SECOND };
}

async function finish({ origin }: LocalWorker, { taskId }: Call): Promise<void> {
	const { progress } = await statusNow(origin, taskId);
	const response = await fetch(progress?.data?.complete ?? '', {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ finishedBy: 'an external worker' }),
	});
	if (!response.ok) throw new Error(`The external worker got ${response.status}: ${await response.text()}`);
}

async function report({ origin }: LocalWorker, calls: readonly Call[], results: readonly Result[]): Promise<void> {
	const rows = calls.map(async ({ what, taskId }, index) => {
		const { attempt, links } = await statusNow(origin, taskId);
		const { events } = (await (await fetch(links.events)).json()) as { events: { type: string }[] };
		const ends = events
			.filter(({ type }) => ['succeeded', 'failed', 'canceled'].includes(type))
			.map(({ type }) => type);
		if (ends.join() !== 'succeeded') process.exitCode = 1;
		const { structuredContent, afterSeconds = 0 } = results[index] ?? {};
		return [what, `${afterSeconds.toFixed(0)} s`, `attempt ${attempt}`, ends.join(), JSON.stringify(structuredContent)];
	});
	console.log();
	table(await Promise.all(rows));
}

async function statusNow(origin: string, id: string): Promise<Status> {
	return (await (await fetch(`${origin}/v1/jobs/${id}`, { redirect: 'manual' })).json()) as Status;
}

function startAgent(given: readonly string[]): ChildProcess {
	return spawn(process.execPath, [AGENT, ...given], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** @throws {Error} when the process ends without a line. */
async function firstLine({ stdout }: ChildProcess): Promise<string> {
	if (!stdout) throw new Error('The process has no output');
	for await (const line of createInterface(stdout)) return line;
	throw new Error('The process of the agent ended without a line');
}

await main();
