/** Runs a share of the schedules in a thread of its own, whose global scope is the simulation's. */
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { described, type Schedule, schedules } from './schedule.ts';
import { simulate } from './simulate.ts';
import { Tally } from './tally.ts';

export interface Share {
	readonly runs: number;
	readonly seed: number;
	/** Position of a failure in the search, to reproduce it directly. */
	readonly path?: string | undefined;
	/** Reports the first failure without shrinking it. */
	readonly isQuick?: boolean;
	/** Runs only these schedules. */
	readonly examples?: readonly Schedule[];
}

export interface Failure {
	readonly seed: number;
	readonly path: string;
	readonly message: string;
	/** The smallest failing schedule: one line for each job and each step. */
	readonly story: string;
	/** The schedule as data, to copy into the examples. */
	readonly schedule: Schedule;
	/** The events of the run, one line each. */
	readonly trace: readonly string[];
}

export interface ShareResult {
	readonly counts: Readonly<Record<string, number>>;
	readonly failure?: Failure;
}

/** No stack traces for errors in tasks or on the network: they are never read. */
Error.stackTraceLimit = 0;

const tally = new Tally();

async function holds(schedule: Schedule): Promise<void> {
	const { broken, counts } = await simulate(schedule);
	tally.addAll(counts);
	if (broken) throw broken;
}

async function run({ runs, seed, path, isQuick = false, examples }: Share): Promise<ShareResult> {
	if (examples) return tried(examples);
	const property = fc.asyncProperty(schedules(), holds);
	const parameters = { numRuns: runs, seed, endOnFailure: isQuick, ...(path !== undefined && { path }) };
	const details = await fc.check(property, parameters);
	if (!details.failed || !details.counterexample) return { counts: tally.counts };
	return {
		counts: tally.counts,
		failure: await failureOf(details.counterexample[0], details.seed, details.counterexamplePath ?? ''),
	};
}

async function tried(examples: readonly Schedule[]): Promise<ShareResult> {
	for (const [index, schedule] of examples.entries()) {
		const { broken, counts } = await simulate(schedule);
		tally.addAll(counts);
		if (broken) return { counts: tally.counts, failure: await failureOf(schedule, index, 'example') };
	}
	return { counts: tally.counts };
}

async function failureOf(schedule: Schedule, seed: number, path: string): Promise<Failure> {
	const { broken, trace } = await simulate(schedule, true);
	const message = broken?.message ?? 'it held when it was run again: the run is not deterministic';
	return { seed, path, message, story: described(schedule), schedule, trace };
}

// The platform ignores unhandled rejections; here they must fail the run.
process.on('unhandledRejection', (error) => {
	throw error;
});

parentPort?.postMessage(await run(workerData as Share));
