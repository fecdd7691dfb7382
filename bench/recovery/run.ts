/**
 * Measures how soon an interrupted attempt is made again, with version 0.1.0 beside this version. The attempts have a time
 * limit of 11 minutes, which is how long version 0.1.0 waits.
 *
 *     npm run bench:recovery                 both versions, three rounds of four jobs for each case
 *     npm run bench:recovery -- --rounds 10
 *     npm run bench:recovery -- --only now   this version only
 *     npm run bench:recovery -- --case 3     one case only
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort, type LocalWorker } from '../../demo/local-worker.ts';
import { table } from '../../demo/terminal.ts';
import { median, quantile } from '../compare/figures.ts';
import { checkOutBefore, startVersion, thisTree, type Version } from '../versions.ts';
import { OBSERVED_MS, SCENARIOS, type Scenario, type Server, UNHURT } from './scenarios.ts';

const WORKER = 'bench/workers/recovery.ts';
const RESULTS = fileURLToPath(new URL('../results/recovery.md', import.meta.url));
const HEAD = ['case', 'polled', 'version', 'median', 'p99', 'longest'];

const { values } = parseArgs({
	options: { rounds: { type: 'string', default: '3' }, only: { type: 'string' }, case: { type: 'string' } },
});
const ROUNDS = Number(values.rounds);
/** A local queue runs one batch at a time, and the lane has four queues: a fifth job would wait for one of the others. */
const JOBS = 4;

async function main(): Promise<void> {
	const versions = values.only === 'now' ? [thisTree()] : [checkOutBefore([WORKER]), thisTree()];
	try {
		const rows: string[][] = [];
		const isWhole = values.case === undefined;
		for (const scenario of isWhole ? SCENARIOS : SCENARIOS.slice(Number(values.case) - 1, Number(values.case))) {
			for (const version of chosen(versions)) rows.push(rowOf(scenario, version, await measureAll(version, scenario)));
		}
		const unhurt: string[][] = [];
		for (const version of isWhole ? chosen(versions) : []) {
			const again = await measureAll(version, UNHURT);
			unhurt.push([UNHURT.name, version.name, String(again.length), String(again.filter((times) => times > 0).length)]);
		}
		await report(rows, unhurt);
	} finally {
		for (const version of versions) version.remove();
	}
}

function chosen(versions: readonly Version[]): readonly Version[] {
	return versions.filter(({ name }) => values.only === undefined || name === values.only);
}

async function measureAll(version: Version, scenario: Scenario): Promise<readonly number[]> {
	const times: number[] = [];
	for (let round = 0; round < ROUNDS; round++) times.push(...(await measure(version, scenario)));
	return times;
}

/** Runs one case on a fresh server. */
async function measure(version: Version, { name, isPolled, run }: Scenario): Promise<readonly number[]> {
	const state = await mkdtemp(join(tmpdir(), 'coatcheck-recovery-'));
	const port = await freePort();
	const start = () => startVersion(version, { worker: WORKER, port, state });
	let worker: LocalWorker = await start();
	const server: Server = {
		get worker() {
			return worker;
		},
		async restart() {
			const killedAt = Date.now();
			await worker.kill();
			worker = await start();
			return killedAt;
		},
	};
	console.log(`${version.name}: ${name}, ${isPolled ? 'polled once a second' : 'not polled'}`);
	try {
		return await run(server, JOBS, isPolled);
	} finally {
		await worker.stop();
		await rm(state, { recursive: true, force: true });
	}
}

function rowOf({ name, isPolled }: Scenario, version: Version, times: readonly number[]): string[] {
	const figures = [median(times), quantile(times, 0.99), Math.max(...times)];
	return [name, isPolled ? 'once a second' : 'no', version.name, ...figures.map(secondsText)];
}

function secondsText(ms: number): string {
	return Number.isFinite(ms) ? `${(ms / 1_000).toFixed(1)} s` : `> ${OBSERVED_MS / 1_000} s`;
}

async function report(rows: readonly string[][], unhurt: readonly string[][]): Promise<void> {
	const unhurtHead = ['case', 'version', 'jobs', 'attempts made again'];
	console.log();
	table([HEAD, ...rows]);
	console.log();
	table([unhurtHead, ...unhurt]);
	const text = [
		'# Time from an interruption to the next attempt',
		`Written by \`npm run bench:recovery\`. ${ROUNDS} × ${JOBS} jobs for each case, with a time limit of 660 s, interrupted 3 s after their start. Observed for ${OBSERVED_MS / 1_000} s.`,
		markdown([HEAD, ...rows]),
		markdown([unhurtHead, ...unhurt]),
	];
	if (values.only === undefined && values.case === undefined) await writeFile(RESULTS, `${text.join('\n\n')}\n`);
}

function markdown([head = [], ...rows]: readonly (readonly string[])[]): string {
	return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

await main();
