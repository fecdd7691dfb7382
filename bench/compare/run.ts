/**
 * Compares Coatcheck with the bare platform and with common alternatives, in one run, in turns: A, B, A, B.
 *
 *     npm run bench                      everything
 *     npm run bench -- --quick           a third of the load
 *     npm run bench -- --load=0.5        half of the load
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
const ROUNDS = 5;
const QUICK_LOAD = 0.3;

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		quick: { type: 'boolean', default: false },
		load: { type: 'string', default: '1' },
		only: { type: 'string' },
		before: { type: 'string' },
		name: { type: 'string' },
	},
});

async function main(): Promise<void> {
	const names = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
	const unknown = names.find((name) => !(name in SECTIONS));
	if (unknown !== undefined) throw new Error(`Expected some of ${Object.keys(SECTIONS).join(', ')}, got: ${unknown}`);
	const rivals = [LANE_NOW, earlierVersion(values.before), FLOOR, WORKFLOWS, PG_BOSS, BULLMQ];
	const chosen = values.only?.split(',') ?? rivals.map(({ name }) => name);
	const load = values.quick ? QUICK_LOAD : Number(values.load);
	const arena = new Arena([COATCHECK, ...rivals.filter(({ name }) => chosen.includes(name))], { rounds: ROUNDS, load });
	for (const name of names) {
		const begin = performance.now();
		await SECTIONS[name]?.(arena);
		console.log(`${name}: ${((performance.now() - begin) / 1_000).toFixed(0)} s`);
	}
	await report(arena);
}

function commandLine(): string {
	return ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
}

async function report(arena: Arena): Promise<void> {
	const { rows, skipped, failed, scale } = arena;
	const results = tableOf(rows);
	const targets = targetTableOf(rows);
	console.log(`\nMedians of ${scale.rounds} interleaved rounds; ratios are medians of the rounds' own ratios.\n`);
	table(results);
	if (targets.length > 1) {
		console.log();
		table(targets);
	}
	const name = values.name ?? 'comparison';
	const text = [
		'# Comparison',
		`\`${commandLine()}\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}. Medians of ${scale.rounds} interleaved rounds, ratios of the rounds' own ratios.`,
		...[...skipped].map(([who, why]) => `${who} is left out: ${why}.`),
		...failed.map(([who, why]) => `${who} ${why.replace(/http:\S+/, '…')}.`),
		markdown(results),
		...(targets.length > 1 ? ['## Targets', markdown(targets)] : []),
		`![ratios](${name}.svg)`,
	];
	await mkdir(RESULTS, { recursive: true });
	await writeFile(`${RESULTS}/${name}.md`, `${text.join('\n\n')}\n`);
	await writeFile(`${RESULTS}/${name}.svg`, svgOf(rows));
	console.log(`\nWritten to bench/results/${name}.md and ${name}.svg`);
}

await main();
