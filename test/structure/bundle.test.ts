import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startScripts, staticImports } from '../../cli/build/bundle.ts';
import { bundleWorker } from '../../deploy/bundle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAX_GZIPPED_BYTES = 120 * 1_024;

/** Big, and not needed to submit or to read a job. */
const RARE = [
	'node_modules/jose/',
	'node_modules/csv-parse/',
	'node_modules/@jsquash/',
	'node_modules/imagescript/',
	'node_modules/p-map/',
	'node_modules/@modelcontextprotocol/',
	'src/http/a2a/',
	'src/http/mcp/',
	'src/http/batch/batches.ts',
	'src/http/list/',
	'src/http/serve-page.ts',
	'src/http/topics/',
	'src/queue/dead-letters.ts',
	'src/subscription/serve.ts',
	'src/work/upstream/runner.ts',
	'src/tasks/profile-csv/',
	'src/tasks/thumbnail/codec',
	'src/tasks/thumbnail/resample',
];

/** Modules that an older version has built. */
const OLD = ['old-ABCDEFGH.mjs', 'parts/old-IJKLMNOP.mjs'];

let folder: string;
let metafile: Metafile;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'coatcheck-bundle-'));
	// Of a version whose builds had no listing, and another that kept its parts in a folder.
	await mkdir(join(folder, 'parts'));
	for (const old of OLD) await writeFile(join(folder, old), 'export default {};');
	metafile = await bundleWorker('src/index.ts', folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The source files in these scripts. */
function inputsOf(scripts: readonly string[]): string[] {
	return scripts.flatMap((script) => Object.keys(metafile.outputs[script]?.inputs ?? {}));
}

describe('the bundle', () => {
	it('loads at most 120 KiB gzipped at the start', async () => {
		const scripts = await Promise.all(startScripts(metafile).map((script) => readFile(join(ROOT, script))));
		// Compressed together, as wrangler counts an upload.
		const bytes = gzipSync(Buffer.concat(scripts)).byteLength;
		expect(bytes).toBeGreaterThan(MAX_GZIPPED_BYTES / 2);
		expect(bytes).toBeLessThanOrEqual(MAX_GZIPPED_BYTES);
	});

	it('has no module that an older version has built, because wrangler uploads all that are there', async () => {
		const files = await readdir(folder, { recursive: true });
		expect(files.filter((name) => OLD.includes(name))).toEqual([]);
		expect(files).toContain('index.mjs');
	});

	it.each(RARE)('loads %s only when it is needed', (rare) => {
		const isRare = (input: string) => input.startsWith(rare);
		expect(inputsOf(startScripts(metafile)).filter(isRare)).toEqual([]);
		const others = Object.keys(metafile.outputs).filter((path) => !startScripts(metafile).includes(path));
		expect(inputsOf(others).some(isRare)).toBe(true);
	});

	it('loads the SDK for agents with no other route, and no SDK of Agent2Agent at all', () => {
		const sdk = 'node_modules/@modelcontextprotocol/';
		const scripts = Object.keys(metafile.outputs).filter((script) => script.endsWith('.mjs'));
		const isRare = (script: string) => metafile.outputs[script]?.entryPoint === 'src/http/rare-handlers.ts';
		const rare = staticImports(metafile, scripts.filter(isRare));
		expect(inputsOf(rare)).toContain('src/http/a2a/send.ts');
		expect(inputsOf(rare).filter((input) => input.startsWith(sdk))).toEqual([]);
		expect(inputsOf(scripts).some((input) => input.startsWith(sdk))).toBe(true);
		expect(inputsOf(scripts).filter((input) => input.includes('/@a2a-js/'))).toEqual([]);
	});

	it('loads no Node module at the start but three small ones', () => {
		const imports = startScripts(metafile).flatMap((script) => metafile.outputs[script]?.imports ?? []);
		const modules = imports.map(({ path }) => path).filter((path) => path.startsWith('node:'));
		expect([...new Set(modules)].sort()).toEqual(['node:async_hooks', 'node:buffer', 'node:crypto']);
	});
});
