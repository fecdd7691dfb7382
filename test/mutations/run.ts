/**
 * Breaks the service on purpose, in one small place at a time. It checks that the test for that place fails, and that its message
 * names the reason. It works in copies, and only reads the working tree.
 *
 *     npm run test:mutations
 *     npm run test:mutations -- --only 5      the breaks of one invariant
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../../demo/terminal.ts';
import { INVARIANTS, type Killer, MUTANTS, type Mutant } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url).href);
/** The parts of the repository that the tests need. */
const COPIED = [
	'.dev.vars',
	'bench',
	'cli',
	'dashboard',
	'demo',
	'deploy',
	'package.json',
	'src',
	'test',
	'tsconfig.json',
	'vitest.config.ts',
	'worker-configuration.d.ts',
	'wrangler.toml',
];
const SEED = '1';
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

const { values } = parseArgs({ options: { only: { type: 'string' } } });

interface Result {
	readonly mutant: Mutant;
	readonly seconds: number;
	/** The problem with the mutant; missing if the test noticed the break. */
	readonly fault?: string;
}

async function main(): Promise<void> {
	const wanted = MUTANTS.filter(({ invariant }) => values.only === undefined || invariant === Number(values.only));
	await everythingHolds(wanted);
	const results: Result[] = [];
	await inCopies(wanted, async (mutant, folder) => void results.push(await tried(mutant, folder)));
	report(results.sort((a, b) => wanted.indexOf(a.mutant) - wanted.indexOf(b.mutant)));
}

/** A test that already fails without a break would seem to notice every break. The tests of one project run together. */
async function everythingHolds(mutants: readonly Mutant[]): Promise<void> {
	const killers = [...new Map(mutants.map(({ killer }) => [JSON.stringify(killer), killer])).values()];
	const runs = Map.groupBy(killers, (killer) => ('file' in killer ? killer.project : nameOf(killer)));
	await inCopies([...runs], async ([name, together], folder) => {
		const { failed, output } = await run(together, folder);
		if (failed) throw new Error(`${name}: fails with nothing broken:\n${output.slice(-4_000)}`);
	});
}

/** Works on all items, in as many copies at once as the machine has processors. */
async function inCopies<Item>(
	items: readonly Item[],
	work: (item: Item, folder: string) => Promise<void>,
): Promise<void> {
	const queue = [...items];
	const workOff = () =>
		inCopy(async (folder) => {
			for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item, folder);
		});
	await Promise.all(Array.from({ length: Math.min(availableParallelism(), items.length) }, workOff));
}

async function tried(mutant: Mutant, folder: string): Promise<Result> {
	const path = join(folder, mutant.file);
	const source = await readFile(path, 'utf8');
	const beganAt = performance.now();
	const of = (fault?: string): Result => ({
		mutant,
		seconds: (performance.now() - beganAt) / 1_000,
		...(fault !== undefined && { fault }),
	});
	const places = source.split(mutant.search).length - 1;
	if (places !== 1) return of(`expected to find its place once, found it ${places} times`);
	await writeFile(
		path,
		source.replace(mutant.search, () => mutant.replacement),
	);
	try {
		const { failed, output } = await run([mutant.killer], folder);
		if (!failed) return of('the test did not fail');
		return output.includes(mutant.says)
			? of()
			: of(`it failed, but did not say "${mutant.says}"\n${output.slice(-1_500)}`);
	} finally {
		await writeFile(path, source);
	}
}

/** @param killers tests of one project, or one number of schedules. */
function run(killers: readonly Killer[], folder: string): Promise<{ failed: boolean; output: string }> {
	const args = commandFor(killers);
	const { promise, resolve } = Promise.withResolvers<{ failed: boolean; output: string }>();
	const options = { cwd: folder, maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, NO_COLOR: '1' } };
	execFile(process.execPath, args, options, (error, stdout, stderr) =>
		resolve({ failed: error !== null, output: stdout + stderr }),
	);
	return promise;
}

function commandFor(killers: readonly Killer[]): string[] {
	const [first] = killers;
	if (first && 'schedules' in first)
		return ['test/simulation/run.ts', '--quick', '--runs', String(first.schedules), '--seed', SEED];
	const tests = killers.filter((killer) => 'file' in killer);
	const [project = ''] = tests.map(({ project }) => project);
	const files = [...new Set(tests.map(({ file }) => file))];
	const names = tests.map(({ name = '' }) => name.replaceAll(/[^\w ]/g, '\\$&')).join('|');
	return ['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...files, '-t', names, '--bail', '1'];
}

async function inCopy(work: (folder: string) => Promise<void>): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-mutations-'));
	try {
		const filter = (path: string) => basename(path) !== 'node_modules';
		await Promise.all(COPIED.map((name) => cp(join(ROOT, name), join(folder, name), { recursive: true, filter })));
		await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
		await work(folder);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

function report(results: readonly Result[]): void {
	table(
		results.map(({ mutant: { invariant, breaks, killer }, seconds, fault }) => [
			`${invariant} ${INVARIANTS[invariant]}`,
			breaks,
			nameOf(killer),
			`${seconds.toFixed(1)} s`,
			fault === undefined ? 'noticed' : 'NOT NOTICED',
		]),
	);
	const missed = results.filter(({ fault }) => fault !== undefined);
	for (const { mutant, fault } of missed) console.log(`\n${mutant.file}, ${mutant.breaks}: ${fault}`);
	console.log(`\n${results.length - missed.length} of ${results.length} breaks were noticed`);
	if (missed.length > 0) process.exitCode = 1;
}

function nameOf(killer: Killer): string {
	return 'file' in killer ? killer.file : `${killer.schedules} schedules`;
}

await main();
