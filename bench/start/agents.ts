/**
 * What the servers for agents would cost if they were loaded at the start. Fresh isolates of this deployment, as it is and with these
 * servers at the start, give their first answer in turns: to a list of the tasks, or to a job.
 */
import { table } from '../../demo/terminal.ts';
import { OURS } from '../compare/contender.ts';
import { median } from '../compare/figures.ts';
import { type Call, hangUp, send } from '../compare/http.ts';
import { cpuMsOf } from '../compare/processes.ts';
import { running } from '../compare/workers.ts';
import { configWith, localVariables } from '../configuration.ts';
import { SIZE_HEADS, sizeRow, timed } from './sizes.ts';

const ROUNDS = 9;

const SHIPPED = { name: 'as shipped', main: 'src/index.ts' };
const AGENTS = { name: 'agents at the start', main: 'bench/workers/agents.ts' };
/** The same twice shows what the machine itself changes. */
const VARIANTS = [SHIPPED, { ...SHIPPED, name: 'as shipped, again' }, AGENTS];

type Variant = (typeof VARIANTS)[number];

interface First {
	readonly name: string;
	readonly status: number;
	readonly call: (origin: string) => Call;
}

const FIRSTS: readonly First[] = [
	{ name: 'GET /v1/tasks', status: 200, call: (origin) => ({ method: 'GET', url: `${origin}/v1/tasks` }) },
	{
		name: 'POST /v1/jobs',
		status: 202,
		call: (origin) => ({
			method: 'POST',
			url: `${origin}/v1/jobs`,
			headers: { 'content-type': 'application/json' },
			body: Buffer.from('{"task":"sleep","input":{"seconds":0}}'),
		}),
	},
];

export async function compareAgents(): Promise<void> {
	table([SIZE_HEADS, await sizeRow(SHIPPED), await sizeRow(AGENTS)]);
	const rows = [];
	for (const first of FIRSTS) rows.push(...(await compareFirst(first)));
	console.log();
	table([['first answer', ...VARIANTS.flatMap(({ name }) => [name, '÷ as shipped'])], ...rows]);
}

interface Start {
	readonly firstMs: number;
	/** Of the process, from its start to the first answer, with a precision of ten. A busy machine changes it least. */
	readonly cpuMs: number;
}

async function compareFirst(first: First): Promise<string[][]> {
	const starts = new Map<Variant, Start[]>(VARIANTS.map((variant) => [variant, []]));
	for (let round = 0; round < ROUNDS; round++) {
		// Each is first in turn, because a start also pays for the end of the one before.
		const turn = round % VARIANTS.length;
		for (const variant of [...VARIANTS.slice(turn), ...VARIANTS.slice(0, turn)])
			starts.get(variant)?.push(await startWith(variant, first));
	}
	const all = [...starts.values()];
	return [
		[first.name, ...columns(all, ({ firstMs }) => firstMs)],
		[`${first.name}, CPU`, ...columns(all, ({ cpuMs }) => cpuMs)],
	];
}

/** @param all the starts of each variant. */
function columns([shipped = [], ...others]: readonly Start[][], figure: (start: Start) => number): string[] {
	return [shipped, ...others].flatMap((starts) => {
		const ratios = starts.map((start, round) => figure(start) / figure(shipped[round] ?? start));
		return [`${median(starts.map(figure)).toFixed(0)} ms`, median(ratios).toFixed(2)];
	});
}

async function startWith({ name, main }: Variant, first: First): Promise<Start> {
	const config = await configWith(main);
	const worker = { configPath: config.path, secrets: await localVariables() };
	const { origin, pid, stop } = await running(name, worker, OURS, config.remove);
	try {
		const firstMs = await timed(async () => {
			const { status } = await send(first.call(origin));
			if (status !== first.status) throw new Error(`Expected ${first.status} for ${first.name}, got ${status}`);
		});
		return { firstMs, cpuMs: (pid === undefined ? undefined : await cpuMsOf(pid)) ?? Number.NaN };
	} finally {
		hangUp();
		await stop();
	}
}
