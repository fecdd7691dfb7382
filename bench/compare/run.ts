/**
 * Compares Coatcheck with the bare platform and with common alternatives, in one run, in turns: A, B, A, B.
 *
 *     npm run bench                      everything
 *     npm run bench -- --quick           a third of the load
 *     npm run bench -- --load=0.5        half of the load
 *     npm run bench -- --rounds=3        three rounds instead of five
 *     npm run bench -- submit poll       these sections only
 *     npm run bench -- --only=floor      against these contenders only
 *     npm run bench -- --before=6dced51  against this commit instead of version 0.1.0
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../../demo/terminal.ts';
import { Arena } from './arena.ts';
import { BULLMQ, PG_BOSS } from './peers.ts';
import { svgOf } from './plot.ts';
import { machine, markdown, tableOf, targetTableOf } from './report.ts';
import { SECTIONS } from './sections.ts';
import { COATCHECK, earlierVersion, FLOOR, LANE_NOW, WORKFLOWS } from './workers.ts';

// Without this, one line for each batch of a queue would hide the table.
process.env.WRANGLER_LOG ??= 'error';
process.env.WRANGLER_SEND_METRICS ??= 'false';
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';

const RESULTS = fileURLToPath(new URL('../results', import.meta.url));
const QUICK_LOAD = 0.3;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		quick: { type: 'boolean', default: false },
		load: { type: 'string', default: '1' },
		rounds: { type: 'string', default: '5' },
		only: { type: 'string' },
		before: { type: 'string' },
		name: { type: 'string' },
	},
});

/** The name of the files with the results. */
const NAME = values.name ?? 'comparison';

async function main(): Promise<void> {
	const names = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
	const unknown = names.find((name) => !(name in SECTIONS));
	if (unknown !== undefined) throw new Error(`Expected some of ${Object.keys(SECTIONS).join(', ')}, got: ${unknown}`);
	const rivals = [LANE_NOW, earlierVersion(values.before), FLOOR, WORKFLOWS, PG_BOSS, BULLMQ];
	const chosen = values.only?.split(',') ?? rivals.map(({ name }) => name);
	const load = values.quick ? QUICK_LOAD : Number(values.load);
	const arena = new Arena([COATCHECK, ...rivals.filter(({ name }) => chosen.includes(name))], {
		rounds: Number(values.rounds),
		load,
	});
	for (const name of names) {
		const begin = performance.now();
		await SECTIONS[name]?.(arena);
		console.log(`${name}: ${((performance.now() - begin) / 1_000).toFixed(0)} s`);
		// A run that is interrupted leaves the sections that it finished.
		await writeResults(arena);
	}
	printResults(arena);
}

function commandLine(): string {
	return ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
}

function printResults({ rows, scale }: Arena): void {
	const targets = targetTableOf(rows);
	console.log(`\nMedians of ${scale.rounds} interleaved rounds; ratios are medians of the rounds' own ratios.\n`);
	table(tableOf(rows));
	if (targets.length > 1) {
		console.log();
		table(targets);
	}
	console.log(`\nWritten to bench/results/${NAME}.md and ${NAME}.svg`);
}

async function writeResults({ rows, skipped, failed, scale }: Arena): Promise<void> {
	const targets = targetTableOf(rows);
	const text = [
		'# Comparison',
		`\`${commandLine()}\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}. Medians of ${scale.rounds} interleaved rounds, ratios of the rounds' own ratios.`,
		...[...skipped].map(([who, why]) => `${who} is left out: ${why}.`),
		...failed.map(([who, why]) => `${who} ${why.replace(/http:\S+/, '…')}.`),
		markdown(tableOf(rows)),
		...(targets.length > 1 ? ['## Targets', markdown(targets)] : []),
		`![ratios](${NAME}.svg)`,
	];
	await mkdir(RESULTS, { recursive: true });
	await writeFile(`${RESULTS}/${NAME}.md`, `${text.join('\n\n')}\n`);
	await writeFile(`${RESULTS}/${NAME}.svg`, svgOf(rows));
}

await main();
