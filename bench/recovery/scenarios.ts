/** The ways in which an attempt is interrupted. Each measures the time from then to the next attempt's start. */

import type { LocalWorker } from '../../demo/local-worker.ts';
import { Client, type Document, sleepMs } from '../faults/client.ts';

/** The attempt runs for this long before it is interrupted: its link to its job is open by then. */
const INTERRUPTED_AFTER_MS = 3_000;
/** The observation ends after this time. An attempt that is found later counts as longer than this. */
export const OBSERVED_MS = 90_000;
/** Longer than the observation. */
const WORK_MS = 2 * OBSERVED_MS;
const POLL_MS = 1_000;
/** An undisturbed attempt ends after this time. */
const UNHURT_MS = 15_000;

export interface Server {
	readonly worker: LocalWorker;
	/** Kills the whole process tree, and starts it again with the same state. */
	readonly restart: () => Promise<Outage>;
}

/** Times in milliseconds since the epoch. */
export interface Outage {
	readonly killedAt: number;
	/** The server answers again. */
	readonly readyAt: number;
}

/** What is measured of a job. */
export interface Figure {
	/** Milliseconds until the next attempt started; or the number of attempts that were made again. */
	readonly value: number;
	/** The part of them in which there was no server. */
	readonly downMs?: number;
}

export interface Scenario {
	readonly name: string;
	readonly isPolled: boolean;
	/** @returns a figure for each job. */
	readonly run: (server: Server, jobs: number, isPolled: boolean) => Promise<readonly Figure[]>;
}

const killConsumers: Scenario['run'] = async ({ worker }, jobs, isPolled) => {
	const client = new Client(worker.origin);
	const submitted = await submitAll(client, jobs, { workMs: WORK_MS, diesAfterMs: INTERRUPTED_AFTER_MS });
	return Promise.all(
		submitted.map(async (job) => {
			const first = await startOf(client, job, { attempt: 1, isPolled: true });
			const second = await startOf(client, job, { attempt: 2, isPolled });
			return { value: second - first - INTERRUPTED_AFTER_MS };
		}),
	);
};

const killEverything: Scenario['run'] = async (server, jobs, isPolled) => {
	const before = new Client(server.worker.origin);
	const submitted = await submitAll(before, jobs, { workMs: WORK_MS });
	for (const job of submitted) await startOf(before, job, { attempt: 1, isPolled: true });
	await sleepMs(INTERRUPTED_AFTER_MS);
	const { killedAt, readyAt } = await server.restart();
	const after = new Client(server.worker.origin);
	return Promise.all(
		submitted.map(async (job) => {
			const second = await startOf(after, job, { attempt: 2, isPolled });
			return { value: second - killedAt, downMs: readyAt - killedAt };
		}),
	);
};

/** The consumer lives, so its attempt must not be lost. @returns the number of attempts of each job, minus one. */
const resetObjects: Scenario['run'] = async ({ worker }, jobs, isPolled) => {
	const client = new Client(worker.origin);
	const submitted = await submitAll(client, jobs, { workMs: UNHURT_MS });
	for (const job of submitted) await startOf(client, job, { attempt: 1, isPolled: true });
	await sleepMs(INTERRUPTED_AFTER_MS);
	for (const { id } of submitted) await client.fetch(`/reset/${id}`);
	if (!isPolled) await sleepMs(UNHURT_MS);
	return Promise.all(submitted.map(async (job) => ({ value: (await client.ended(job, OBSERVED_MS)).attempt - 1 })));
};

const NAMES = {
	killed: 'the consumer is killed',
	restarted: 'everything is killed and started again',
	reset: 'only the object is reset',
};

/** The interruptions. Those of one list are measured at the same time, each on servers of its own. */
export const INTERRUPTIONS: readonly (readonly Scenario[])[] = [
	[
		{ name: NAMES.killed, isPolled: true, run: killConsumers },
		{ name: NAMES.killed, isPolled: false, run: killConsumers },
	],
	[
		{ name: NAMES.restarted, isPolled: true, run: killEverything },
		{ name: NAMES.restarted, isPolled: false, run: killEverything },
	],
];

export const UNHURT: readonly Scenario[] = [
	{ name: NAMES.reset, isPolled: true, run: resetObjects },
	{ name: NAMES.reset, isPolled: false, run: resetObjects },
];

function submitAll(client: Client, jobs: number, input: object): Promise<Document[]> {
	return Promise.all(Array.from({ length: jobs }, () => client.submit('mortal', input)));
}

interface Event {
	readonly type: string;
	readonly at: string;
	readonly job: { readonly attempt: number };
}

/**
 * Returns when an attempt started, in milliseconds since the epoch, as the job's event says; infinity if it has not
 * started by the end of the observation. Without polling, the job is read only at the end.
 */
async function startOf(
	client: Client,
	{ links }: Document,
	{ attempt, isPolled }: { readonly attempt: number; readonly isPolled: boolean },
): Promise<number> {
	const untilMs = Date.now() + OBSERVED_MS;
	if (!isPolled) await sleepMs(OBSERVED_MS);
	do {
		const response = await client
			.fetch(new URL(links.events).pathname + new URL(links.events).search)
			.catch(() => undefined);
		const { events } = ((await response?.json()) ?? { events: [] }) as { events: Event[] };
		const start = events.find(({ type, job }) => type === 'started' && job.attempt >= attempt);
		if (start) return Date.parse(start.at);
		await sleepMs(POLL_MS);
	} while (Date.now() < untilMs);
	return Number.POSITIVE_INFINITY;
}
