/**
 * Simulates the whole life of jobs on a platform with every kind of fault. It runs the real Worker and its real objects with a
 * simulated clock, storage, queues and network, through any number of schedules of faults.
 *
 *     npm run test:soak -- --runs 100000
 *     npm run test:soak -- --seed 7 --path 12:0:3     reproduces a failure
 *     npm run test:soak -- --quick                    reports the first failure without shrinking it
 */
import { parseArgs } from 'node:util';
import { table } from '../../demo/terminal.ts';
import { check, failureText, notExercised } from './check.ts';

const { values } = parseArgs({
	options: {
		runs: { type: 'string', default: '10000' },
		seed: { type: 'string' },
		path: { type: 'string' },
		quick: { type: 'boolean', default: false },
	},
});

async function main(): Promise<void> {
	const seed = Number(values.seed ?? Date.now() % 2 ** 31);
	const runs = Number(values.runs);
	const beganAt = performance.now();
	console.log(`${values.path === undefined ? `${runs} schedules` : 'one schedule'}, seed ${seed}\n`);
	const { counts, failure } = await check({ runs, seed, path: values.path, isQuick: values.quick });
	if (failure) {
		console.log(failureText(failure));
		process.exitCode = 1;
		return;
	}
	const rows = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
	table(rows.map(([what, times]) => [what, times.toLocaleString('en-US')]));
	console.log(`\nEvery promise held. ${((performance.now() - beganAt) / 1_000).toFixed(1)} s`);
	const missing = values.path === undefined ? notExercised(counts) : [];
	if (missing.length === 0) return;
	console.log(`The run proves less than it claims, because these never happened: ${missing.join(', ')}`);
	process.exitCode = 1;
}

await main();
