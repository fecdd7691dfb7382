/** Runs many schedules, distributed over threads. Reports the operations that were exercised, and the first failure, shrunk. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { COUNTED, DELAYED, RECEIVER_ANSWERS, SUDDEN, UPSTREAM_ANSWERS } from './schedule.ts';
import { Tally } from './tally.ts';
import type { Failure, Share, ShareResult } from './worker.ts';

export interface CheckOptions {
	readonly runs: number;
	readonly seed: number;
	readonly path?: string | undefined;
	readonly isQuick?: boolean;
}

export interface Report {
	readonly counts: Readonly<Record<string, number>>;
	readonly failure?: Failure;
}

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url).href);
const MAX_THREADS = 4;
/** Maximum number of schedules for a thread, because memory held by dead consumers is never released. */
const MAX_SHARE = 5_000;
const MIN_SHARES = 4;
/** Nearly all data of a run is garbage after its end. */
const YOUNG_MIB = 64;

/** Operations that must have occurred. Otherwise the run proves less than it claims. */
export const EXERCISED: readonly string[] = [
	...COUNTED,
	...DELAYED,
	...SUDDEN,
	'queues stall',
	'object away',
	'requests held back',
	'clock jumps forward',
	'clock jumps back',
	'bundles',
	'messages reordered',
	'messages given up',
	'consumers overran',
	'consumers killed by their work',
	'attempts at once',
	'Workers lost after their attempt at once began',
	...['cancel', 'retry', 'purge', '202', '202 of a batch'].map((wish) => `client: ${wish}`),
	...['succeeded', 'failed', 'canceled'].map((status) => `ended ${status}`),
	...RECEIVER_ANSWERS.map((answer) => `receiver: ${answer}`),
	...UPSTREAM_ANSWERS.map((answer) => `upstream: ${answer}`),
	'upstream: asked at once',
	'retries in time',
	'retries beside a neighbour in time',
	'retries held up by a fault',
	'looks in time',
	'reports in time',
	'listings in time',
	'events in the topic "jobs"',
];

/** Runs a number of schedules. Each share has its own seed, so the schedules don't depend on the number of threads. */
export async function check({ runs, seed, path, isQuick = false }: CheckOptions): Promise<Report> {
	if (path !== undefined) return inThread({ runs: 1, seed, path });
	const threads = Math.min(MAX_THREADS, availableParallelism());
	const size = Math.min(MAX_SHARE, Math.ceil(runs / MIN_SHARES));
	const shares: Share[] = [];
	for (let done = 0; done < runs; done += size) {
		shares.push({ runs: Math.min(size, runs - done), seed: seed + shares.length, isQuick });
	}
	const tally = new Tally();
	let failure: Failure | undefined;
	const work = async () => {
		for (let share = shares.shift(); share && !failure; share = shares.shift()) {
			const result = await inThread(share);
			tally.addAll(result.counts);
			// The first by seed, not by time: the same failure is reported on every machine.
			const known = failure as Failure | undefined;
			if (result.failure && (!known || share.seed < known.seed)) failure = result.failure;
		}
	};
	await Promise.all(Array.from({ length: threads }, work));
	return { counts: tally.counts, ...(failure && { failure }) };
}

export function inThread(share: Share): Promise<ShareResult> {
	const { promise, resolve, reject } = Promise.withResolvers<ShareResult>();
	const worker = new Worker(WORKER, { workerData: share, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } });
	worker.once('message', resolve);
	worker.once('error', reject);
	worker.once('exit', () => reject(new Error('A thread ended without a result')));
	return promise;
}

/** Describes a failure for a reader, and how to reproduce it. */
export function failureText({ seed, path, message, story, schedule, trace }: Failure): string {
	return [
		...trace,
		'',
		message,
		'',
		story,
		'',
		`as data: ${JSON.stringify(schedule)}`,
		`again:   npm run test:soak -- --seed ${seed} --path ${path}`,
	].join('\n');
}

export function notExercised(counts: Readonly<Record<string, number>>): string[] {
	return EXERCISED.filter((what) => (counts[what] ?? 0) === 0);
}
