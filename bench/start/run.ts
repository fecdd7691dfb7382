/**
 * Measures the size of the Worker, and the time to its first response, of a process and of an isolate. It builds bundles as they
 * would be deployed, with and without the task that needs the image codec, and starts them in turns with the floor.
 *
 *     npm run bench:start
 *     npm run bench:start -- --only=agents   # with and without the servers for agents at the start
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../../demo/terminal.ts';
import { OURS } from '../compare/contender.ts';
import { median } from '../compare/figures.ts';
import { hangUp, send } from '../compare/http.ts';
import { residentBytesOf } from '../compare/processes.ts';
import { running } from '../compare/workers.ts';
import { configWith, localVariables } from '../configuration.ts';
import { compareAgents } from './agents.ts';
import { SIZE_HEADS, sizeRow, timed } from './sizes.ts';

process.env.WRANGLER_LOG ??= 'error';
process.env.WRANGLER_SEND_METRICS ??= 'false';
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PHOTO = join(ROOT, 'demo/data/hubble-extreme-deep-field.jpg');
const ROUNDS = 9;
const WARM_REQUESTS = 50;
const MIB = 1_048_576;

const VARIANTS = [
	{ name: 'as shipped', main: 'src/index.ts', hasCodec: true, task: 'sleep', input: { seconds: 0 } },
	{ name: 'no image codec', main: 'bench/workers/notify.ts', hasCodec: false, task: 'stamp', input: { workMs: 0 } },
	{ name: 'floor', main: 'bench/workers/floor.ts', hasCodec: false, task: 'any', input: { ms: 0 } },
] as const;

type Variant = (typeof VARIANTS)[number];

async function main(): Promise<void> {
	const sizes = [SIZE_HEADS];
	for (const variant of VARIANTS) sizes.push(await sizeRow(variant));
	table(sizes);
	const starts = new Map(VARIANTS.map(({ name }) => [name, [] as Start[]]));
	for (let round = 0; round < ROUNDS; round++) {
		// Each is first in turn, because a start also pays for the end of the one before.
		const first = round % VARIANTS.length;
		for (const variant of [...VARIANTS.slice(first), ...VARIANTS.slice(0, first)])
			starts.get(variant.name)?.push(await startOf(variant));
	}
	const floor = starts.get('floor') ?? [];
	console.log();
	const heads = ['first answer', '÷ floor', 'first job', '÷ floor', 'a later answer', 'memory then', 'after an image'];
	table([['start', ...heads], ...[...starts].map((row) => startRow(row, floor))]);
}

interface Start {
	readonly firstMs: number;
	/** The 202 of the first job, after the answers. It is the first call to an object. */
	readonly firstJobMs: number;
	readonly laterMs: number;
	readonly bytes: number;
	readonly bytesAfterImage: number | undefined;
}

async function startOf({ name, main, hasCodec, task, input }: Variant): Promise<Start> {
	const config = await configWith(main);
	const worker = { configPath: config.path, secrets: await localVariables() };
	const { origin, pid, stop } = await running(name, worker, OURS, config.remove);
	const memory = async () => (pid === undefined ? Number.NaN : ((await residentBytesOf(pid)) ?? Number.NaN));
	const answer = () => timed(() => send({ method: 'GET', url: `${origin}/v1/tasks` }));
	try {
		const firstMs = await answer();
		const later: number[] = [];
		for (let request = 0; request < WARM_REQUESTS; request++) later.push(await answer());
		const firstJobMs = await timed(() => submit(`${origin}/v1/tasks/${task}/jobs`, input));
		const bytes = await memory();
		if (hasCodec) await makeThumbnail(origin);
		return {
			firstMs,
			firstJobMs,
			laterMs: median(later),
			bytes,
			bytesAfterImage: hasCodec ? await memory() : undefined,
		};
	} finally {
		hangUp();
		await stop();
	}
}

async function submit(url: string, input: object): Promise<void> {
	const headers = { 'content-type': 'application/json' };
	const { status } = await send({ method: 'POST', url, headers, body: Buffer.from(JSON.stringify(input)) });
	if (status !== 202) throw new Error(`Expected 202 for a job, got ${status}`);
}

async function makeThumbnail(origin: string): Promise<void> {
	const { status } = await send({
		method: 'POST',
		url: `${origin}/v1/tasks/thumbnail/jobs?width=320`,
		headers: { 'content-type': 'image/jpeg', prefer: 'wait=20' },
		body: await readFile(PHOTO),
	});
	if (status !== 200) throw new Error(`Expected 200 for an image, got ${status}`);
}

function startRow([name, starts]: [string, readonly Start[]], floor: readonly Start[]): string[] {
	const middle = (of: (start: Start) => number) => median(starts.map(of));
	// A round's starts ran one after the other, on a machine in the same state.
	const overFloor = (of: (start: Start) => number) =>
		median(starts.map((start, round) => of(start) / of(floor[round] ?? start))).toFixed(2);
	const ms = (of: (start: Start) => number) => `${middle(of).toFixed(1)} ms`;
	const firstMs = (start: Start) => start.firstMs;
	const firstJobMs = (start: Start) => start.firstJobMs;
	return [
		name,
		ms(firstMs),
		overFloor(firstMs),
		ms(firstJobMs),
		overFloor(firstJobMs),
		ms(({ laterMs }) => laterMs),
		mebibytes(middle(({ bytes }) => bytes)),
		starts[0]?.bytesAfterImage === undefined ? '–' : mebibytes(middle(({ bytesAfterImage = 0 }) => bytesAfterImage)),
	];
}

function mebibytes(bytes: number): string {
	return `${(bytes / MIB).toFixed(0)} MiB`;
}

const { values: only } = parseArgs({ options: { only: { type: 'string' } } });
await (only.only === 'agents' ? compareAgents() : main());
