/**
 * Measures the size of the Worker, the time to its first response, and how much the image codec adds to both.
 * It builds bundles as they would be deployed, with and without the task that needs the codec, and starts them in turns.
 *
 *     npm run bench:start
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { table } from '../../demo/terminal.ts';
import { OURS } from '../compare/contender.ts';
import { median } from '../compare/figures.ts';
import { hangUp, send } from '../compare/http.ts';
import { residentBytesOf } from '../compare/processes.ts';
import { running } from '../compare/workers.ts';
import { configWith, localVariables } from '../configuration.ts';

process.env.WRANGLER_LOG ??= 'error';
process.env.WRANGLER_SEND_METRICS ??= 'false';
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
const PHOTO = join(ROOT, 'demo/data/hubble-extreme-deep-field.jpg');
const ROUNDS = 5;
const WARM_REQUESTS = 50;
const KIB = 1_024;
const MIB = 1_024 * KIB;

const VARIANTS = [
	{ name: 'as shipped', main: 'src/index.ts', hasCodec: true },
	{ name: 'no image codec', main: 'bench/workers/notify.ts', hasCodec: false },
	{ name: 'floor', main: 'bench/workers/floor.ts', hasCodec: false },
] as const;

type Variant = (typeof VARIANTS)[number];

async function main(): Promise<void> {
	const sizes = [['bundle', 'JavaScript', 'gzipped', 'WASM', 'gzipped', 'asked for']];
	for (const variant of VARIANTS) sizes.push(await sizeRow(variant));
	table(sizes);
	const starts = new Map(VARIANTS.map(({ name }) => [name, [] as Start[]]));
	for (let round = 0; round < ROUNDS; round++) {
		for (const variant of VARIANTS) starts.get(variant.name)?.push(await startOf(variant));
	}
	console.log();
	table([['start', 'first answer', 'a later one', 'memory then', 'after an image'], ...[...starts].map(startRow)]);
}

async function sizeRow({ name, main }: Variant): Promise<string[]> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bundle-'));
	const config = await configWith(main);
	try {
		const args = [WRANGLER, 'deploy', '--dry-run', '--minify', '--config', config.path, '--outdir', folder];
		execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'ignore' });
		const names = await readdir(folder);
		const parts = (ending: string) =>
			Promise.all(names.filter((file) => file.endsWith(ending)).map((file) => readFile(join(folder, file))));
		const [scripts, modules] = [await parts('.js'), await parts('.wasm')];
		const text = Buffer.concat(scripts).toString();
		// A static import is loaded with the Worker. A call of `import` loads the module when it runs.
		const isLate = !/^import[^(]*\.wasm/m.test(text) && /import\(["'][^"']*\.wasm["']\)/.test(text);
		return [
			name,
			...sizesOf(scripts),
			...sizesOf(modules),
			modules.length === 0 ? '–' : isLate ? 'when run' : 'at start',
		];
	} finally {
		await config.remove();
		await rm(folder, { recursive: true, force: true });
	}
}

function sizesOf(files: readonly Buffer[]): [string, string] {
	const sum = (sizes: readonly number[]) => `${(sizes.reduce((all, size) => all + size, 0) / KIB).toFixed(0)} KiB`;
	return [sum(files.map(({ byteLength }) => byteLength)), sum(files.map((file) => gzipSync(file).byteLength))];
}

interface Start {
	readonly firstMs: number;
	readonly laterMs: number;
	readonly bytes: number;
	readonly bytesAfterImage: number | undefined;
}

async function startOf({ name, main, hasCodec }: Variant): Promise<Start> {
	const config = await configWith(main);
	const worker = { configPath: config.path, secrets: await localVariables() };
	const { origin, pid, stop } = await running(name, worker, OURS, config.remove);
	const memory = async () => (pid === undefined ? Number.NaN : ((await residentBytesOf(pid)) ?? Number.NaN));
	const answer = () => timed(() => send({ method: 'GET', url: `${origin}/v1/tasks` }));
	try {
		const firstMs = await answer();
		const later: number[] = [];
		for (let request = 0; request < WARM_REQUESTS; request++) later.push(await answer());
		const bytes = await memory();
		if (hasCodec) await makeThumbnail(origin);
		return { firstMs, laterMs: median(later), bytes, bytesAfterImage: hasCodec ? await memory() : undefined };
	} finally {
		hangUp();
		await stop();
	}
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

async function timed(act: () => Promise<unknown>): Promise<number> {
	const begin = performance.now();
	await act();
	return performance.now() - begin;
}

function startRow([name, starts]: [string, readonly Start[]]): string[] {
	const middle = (of: (start: Start) => number) => median(starts.map(of));
	const after =
		starts[0]?.bytesAfterImage === undefined ? '–' : mebibytes(middle((start) => start.bytesAfterImage ?? 0));
	const ms = (value: number) => `${value.toFixed(1)} ms`;
	return [
		name,
		ms(middle(({ firstMs }) => firstMs)),
		ms(middle(({ laterMs }) => laterMs)),
		mebibytes(middle(({ bytes }) => bytes)),
		after,
	];
}

function mebibytes(bytes: number): string {
	return `${(bytes / MIB).toFixed(0)} MiB`;
}

await main();
