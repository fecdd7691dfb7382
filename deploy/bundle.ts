/**
 * `npm run build` bundles the Worker into `dist/`, in parts. `index.mjs` and its static imports are loaded at the start. A module that the
 * source imports with `import()`, such as an image codec, is a part of its own, and is loaded when it is needed.
 *
 * `wrangler dev` and `wrangler deploy` run this first (`[build]` in `wrangler.toml`). Wrangler's own bundler is esbuild too, but it
 * puts all parts into one file.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { buildDashboard } from './dashboard.ts';
import { writeChanged } from './write-changed.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const TYPES = 'index.d.ts';

/** How the Worker is bundled. */
export const BUNDLING = {
	absWorkingDir: ROOT,
	bundle: true,
	splitting: true,
	sourcemap: 'linked',
	format: 'esm',
	outExtension: { '.js': '.mjs' },
	target: 'es2024',
	metafile: true,
	write: false,
	logLevel: 'warning',
	loader: { '.wasm': 'copy' },
	external: ['cloudflare:*', 'node:*'],
	// The same as in wrangler's bundler.
	conditions: ['workerd', 'worker', 'browser'],
	define: { 'navigator.userAgent': '"Cloudflare-Workers"', 'process.env.NODE_ENV': '"production"' },
	alias: Object.fromEntries(
		builtinModules.filter((name) => !name.startsWith('node:')).map((name) => [name, `node:${name}`]),
	),
} satisfies BuildOptions;

/**
 * @param entry relative to the root of the repository.
 * @param folder an absolute path. Files of an earlier build are deleted.
 * @param minify `false` keeps the names of functions, for a profile.
 */
export async function bundleWorker(entry: string, folder: string, minify = true): Promise<Metafile> {
	const { outputFiles, metafile } = await build({ ...BUNDLING, entryPoints: { index: entry }, outdir: folder, minify });
	await mkdir(folder, { recursive: true });
	const names = new Set([...outputFiles.map(({ path }) => basename(path)), TYPES]);
	const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
	for (const { name } of files) if (!names.has(name)) await rm(join(folder, name));
	for (const { path, contents } of outputFiles) await writeChanged(path, contents);
	return metafile;
}

/** The scripts that an isolate loads before its first request: the entry, and whatever it imports statically. */
export function startScripts({ outputs }: Metafile): string[] {
	const found = new Set(Object.keys(outputs).filter((path) => basename(path) === 'index.mjs'));
	for (const path of found)
		for (const imported of outputs[path]?.imports ?? [])
			if (imported.kind === 'import-statement' && !imported.external) found.add(imported.path);
	return [...found];
}

/** `worker-configuration.d.ts` imports these. The tests call the objects, so their types have all methods here. */
const BUNDLE_TYPES = `export * from '../src/index.ts';
export { default } from '../src/index.ts';
export { BatchObject } from '../src/object/batch-object.ts';
export { JobObject } from '../src/object/job-object.ts';
export { TenantObject } from '../src/object/tenant-object.ts';
export { TopicObject } from '../src/object/topic-object.ts';
export { UpstreamGate } from '../src/object/upstream-gate.ts';
`;

if (import.meta.main) {
	await Promise.all([bundleWorker('src/index.ts', join(ROOT, 'dist')), buildDashboard(join(ROOT, 'dashboard/dist'))]);
	await writeChanged(join(ROOT, 'dist', TYPES), Buffer.from(BUNDLE_TYPES));
}
