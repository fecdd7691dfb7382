/**
 * Measures how soon an interrupted attempt is made again, with version 0.1.0 beside this version. The attempts have a time
 * limit of 11 minutes, which is how long version 0.1.0 waits. Both versions run at the same time, polled and not polled, on a
 * server each: they mostly wait. Only one server at a time starts, because a start keeps the machine busy.
 *
 *     npm run bench:recovery                 both versions, three rounds of four jobs for each case
 *     npm run bench:recovery -- --rounds 10
 *     npm run bench:recovery -- --only now   this version only
 *     npm run bench:recovery -- --case 2     one interruption only: 1, 2 or 3
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort, type LocalWorker } from '../../demo/local-worker.ts';
import { table } from '../../demo/terminal.ts';
import { median } from '../compare/figures.ts';
import { machine, markdown } from '../compare/report.ts';
import { checkOutBefore, startVersion, thisTree, type Version } from '../versions.ts';
import { type Figure, INTERRUPTIONS, OBSERVED_MS, type Scenario, type Server, UNHURT } from './scenarios.ts';

const WORKER = 'bench/workers/recovery.ts';
const RESULTS = fileURLToPath(new URL('../results/recovery.md', import.meta.url));
const HEAD = ['case', 'polled', 'version', 'median', 'longest', 'no server for', 'longest without that'];
const UNHURT_HEAD = ['case', 'polled', 'version', 'jobs', 'attempts made again'];

const { values } = parseArgs({
	options: { rounds: { type: 'string', default: '3' }, only: { type: 'string' }, case: { type: 'string' } },
});
const ROUNDS = Number(values.rounds);
/** A local queue runs one batch at a time, and the lane has four queues: a fifth job would wait for one of the others. */
const JOBS = 4;

/** One case with one version, and its figures of all rounds. */
interface Measured {
	readonly scenario: Scenario;
	readonly version: string;
	readonly figures: readonly Figure[];
}

async function main(): Promise<void> {
	const versions = values.only === 'now' ? [thisTree()] : [checkOutBefore([WORKER]), thisTree()];
	const chosen = versions.filter(({ name }) => values.only === undefined || name === values.only);
	try {
		const measured: Measured[] = [];
		for (const scenarios of [...INTERRUPTIONS, UNHURT].filter((_, index) => isChosen(index)))
			measured.push(...(await measureTogether(chosen, scenarios)));
		await report(measured);
	} finally {
		for (const version of versions) version.remove();
	}
}

function isChosen(index: number): boolean {
	return values.case === undefined || Number(values.case) === index + 1;
}

async function measureTogether(versions: readonly Version[], scenarios: readonly Scenario[]): Promise<Measured[]> {
	const pairs = scenarios.flatMap((scenario) => versions.map((version) => ({ scenario, version })));
	const rounds: (readonly (readonly Figure[])[])[] = [];
	for (let round = 0; round < ROUNDS; round++)
		rounds.push(await Promise.all(pairs.map(({ scenario, version }) => measure(version, scenario))));
	return pairs.map(({ scenario, version }, index) => ({
		scenario,
		version: version.name,
		figures: rounds.flatMap((round) => round[index] ?? []),
	}));
}

/** Runs one case on a fresh server. */
async function measure(version: Version, { name, isPolled, run }: Scenario): Promise<readonly Figure[]> {
	const state = await mkdtemp(join(tmpdir(), 'coatcheck-recovery-'));
	const port = await freePort();
	const start = () => startVersion(version, { worker: WORKER, port, state });
	let worker: LocalWorker = await inTurn(start);
	const server: Server = {
		get worker() {
			return worker;
		},
		restart: () =>
			inTurn(async () => {
				const killedAt = Date.now();
				await worker.kill();
				worker = await start();
				return { killedAt, readyAt: Date.now() };
			}),
	};
	console.log(`${version.name}: ${name}, ${polledText(isPolled)}`);
	try {
		return await run(server, JOBS, isPolled);
	} finally {
		await worker.stop();
		await rm(state, { recursive: true, force: true });
	}
}

let lastTurn: Promise<unknown> = Promise.resolve();

/** Runs one action after the other. */
function inTurn<T>(act: () => Promise<T>): Promise<T> {
	const turn = lastTurn.then(act, act);
	lastTurn = turn.catch(() => {});
	return turn;
}

function rowOf({ scenario: { name, isPolled }, version, figures }: Measured): string[] {
	const all = figures.map(({ value }) => value);
	const down = figures.map(({ downMs = 0 }) => downMs);
	const rest = figures.map(({ value, downMs = 0 }) => value - downMs);
	const times = [median(all), Math.max(...all), median(down), Math.max(...rest)];
	return [name, polledText(isPolled), version, ...times.map(secondsText)];
}

function unhurtRowOf({ scenario: { name, isPolled }, version, figures }: Measured): string[] {
	const again = figures.reduce((sum, { value }) => sum + value, 0);
	return [name, polledText(isPolled), version, String(figures.length), String(again)];
}

function polledText(isPolled: boolean): string {
	return isPolled ? 'once a second' : 'no';
}

function secondsText(ms: number): string {
	return Number.isFinite(ms) ? `${(ms / 1_000).toFixed(1)} s` : `> ${OBSERVED_MS / 1_000} s`;
}

async function report(measured: readonly Measured[]): Promise<void> {
	const isUnhurt = ({ scenario }: Measured) => UNHURT.includes(scenario);
	const interrupted = [HEAD, ...measured.filter((one) => !isUnhurt(one)).map(rowOf)];
	const unhurt = [UNHURT_HEAD, ...measured.filter(isUnhurt).map(unhurtRowOf)];
	const tables = [interrupted, unhurt].filter(({ length }) => length > 1);
	for (const one of tables) {
		console.log();
		table(one);
	}
	if (values.only !== undefined || values.case !== undefined) return;
	const text = [
		'# Time from an interruption to the next attempt',
		`Written by \`npm run bench:recovery\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}. ${ROUNDS} × ${JOBS} jobs for each case, with a time limit of 660 s, interrupted 3 s after their start. Observed for ${OBSERVED_MS / 1_000} s. Where everything is killed, there is no server until \`wrangler dev\` has started again.`,
		...tables.map(markdown),
	];
	await writeFile(RESULTS, `${text.join('\n\n')}\n`);
	console.log('\nWritten to bench/results/recovery.md');
}

await main();
