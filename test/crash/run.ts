/**
 * Tests jobs against power cuts. The real `wrangler dev` accepts jobs under load, on a fresh state folder. Its whole process tree is
 * killed twice in the middle, and its code is reloaded once. Every accepted job must then have succeeded, once.
 *
 *     npm run test:crash
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type LocalWorker, startLocalWorker } from '../../demo/local-worker.ts';
import { table } from '../../demo/terminal.ts';
import { argumentsFor, reload } from './deployment.ts';

const JOBS = 500;
const CUTS = 2;
const IN_FLIGHT = 16;
/** Short, so that an attempt that died with the machine is detected soon. */
const TIMEOUT_SECONDS = 3;
/** A machine that is busy for seconds ends some attempts by their time limit. */
const MAX_ATTEMPTS = 20;
const RECOVERY_LIMIT_MS = 180_000;

interface Ticket {
	readonly links: { readonly self: string; readonly events: string };
}

interface Event {
	readonly type: string;
	readonly job: { readonly attempt: number };
}

async function main(): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-crash-'));
	const tickets: Ticket[] = [];
	try {
		const finish = await livesAndDeaths(folder, tickets);
		report(tickets.length, await finish());
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Runs everything up to the last start. @returns a function that waits for all jobs to end, and stops the Worker. */
async function livesAndDeaths(folder: string, tickets: Ticket[]): Promise<() => Promise<Outcome>> {
	const port = await freePort();
	const start = async () => startLocalWorker({ port, state: join(folder, 'state'), args: await argumentsFor(folder) });
	for (let life = 0; life <= CUTS; life++) {
		const worker = await start();
		const isLast = life === CUTS;
		const cut = new AbortController();
		const load = submitMany(worker, {
			tickets,
			total: Math.ceil(((life + 1) * JOBS) / (CUTS + 1)),
			signal: cut.signal,
		});
		if (life === 1) await reload(folder, 1);
		if (isLast) {
			await load;
			return () => outcomeOf(worker, tickets);
		}
		// In the middle: most jobs have been submitted, few have run.
		await until(() => tickets.length >= Math.floor(((life + 0.8) * JOBS) / (CUTS + 1)));
		console.log(`cut ${life + 1}: ${tickets.length} accepted so far`);
		cut.abort();
		await worker.kill();
		await load;
	}
	throw new Error('There is always a last life');
}

interface Outcome {
	readonly recoveredMs: number;
	readonly lost: number;
	readonly endedTwice: number;
	readonly attempts: Map<number, number>;
}

async function outcomeOf(worker: LocalWorker, tickets: readonly Ticket[]): Promise<Outcome> {
	const begin = performance.now();
	try {
		const stories: Event[][] = [];
		for (const ticket of tickets) stories.push(await storyOf(ticket, begin + RECOVERY_LIMIT_MS));
		const recoveredMs = performance.now() - begin;
		const attempts = new Map<number, number>();
		for (const story of stories) {
			const { attempt = 0 } = story.at(-1)?.job ?? {};
			attempts.set(attempt, (attempts.get(attempt) ?? 0) + 1);
		}
		const finals = stories.map((story) =>
			story.filter(({ type }) => ['succeeded', 'failed', 'canceled'].includes(type)),
		);
		return {
			recoveredMs,
			lost: finals.filter((ends) => ends.at(-1)?.type !== 'succeeded').length,
			endedTwice: finals.filter((ends) => ends.length > 1).length,
			attempts,
		};
	} finally {
		await worker.stop();
	}
}

function report(accepted: number, { recoveredMs, lost, endedTwice, attempts }: Outcome): void {
	const counted = [...attempts].sort(([a], [b]) => a - b).map(([attempt, jobs]) => `${jobs} in ${attempt}`);
	console.log();
	table([
		['power cuts', String(CUTS)],
		['accepted', String(accepted)],
		['lost', String(lost)],
		['ended twice', String(endedTwice)],
		['succeeded, by attempts', counted.join(', ')],
		['until the last had ended, after the last start', `${(recoveredMs / 1_000).toFixed(1)} s`],
	]);
	if (lost > 0 || endedTwice > 0 || accepted < JOBS) process.exitCode = 1;
}

interface Load {
	/** Those of the accepted jobs. */
	readonly tickets: Ticket[];
	/** The number of tickets at which it ends. */
	readonly total: number;
	/** Ends it before. */
	readonly signal: AbortSignal;
}

/** Submits jobs, a few at a time. Requests that break off with the machine or its code were not accepted, and are not counted. */
async function submitMany({ origin }: LocalWorker, { tickets, total, signal }: Load): Promise<void> {
	let sent = 0;
	let underWay = 0;
	const submitter = async () => {
		while (tickets.length + underWay < total && !signal.aborted) {
			underWay++;
			const ticket = await submit(origin, sent++).catch(() => undefined);
			underWay--;
			if (ticket) tickets.push(ticket);
		}
	};
	await Promise.all(Array.from({ length: IN_FLIGHT }, submitter));
}

async function submit(origin: string, nth: number): Promise<Ticket | undefined> {
	const response = await fetch(`${origin}/v1/tasks/sleep/jobs`, {
		method: 'POST',
		headers: {
			'content-type': 'application/json',
			'coatcheck-timeout-seconds': String(TIMEOUT_SECONDS),
			'coatcheck-max-attempts': String(MAX_ATTEMPTS),
		},
		body: JSON.stringify({ seconds: nth % 2 === 0 ? 0 : 1, steps: 1 }),
	});
	return response.status === 202 ? ((await response.json()) as Ticket) : undefined;
}

/** The events of a job once it has ended, or after the time limit. */
async function storyOf({ links }: Ticket, deadline: number): Promise<Event[]> {
	for (;;) {
		const { events } = (await (await fetch(links.events)).json()) as { events: Event[] };
		const isOver = ['succeeded', 'failed', 'canceled'].includes(events.at(-1)?.type ?? '');
		if (isOver || performance.now() > deadline) return events;
		await new Promise((resolve) => setTimeout(resolve, 250));
	}
}

async function until(isTrue: () => boolean): Promise<void> {
	while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

await main();
