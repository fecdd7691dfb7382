/**
 * Bundles a Worker in parts. `index.mjs` and its static imports are loaded at the start. A module that the source imports with `import()` is
 * a part of its own, and is loaded when it is needed. Wrangler's own bundler is esbuild too, but it puts all parts into one file.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { writeChanged } from './write-changed.ts';

export const START = 'index.mjs';
export const TYPES = 'index.d.ts';
/** Lists the files of a build, so that the next one deletes these and no others. */
export const LISTING = '.coatcheck-build.json';

export const BUNDLING = {
	bundle: true,
	splitting: true,
	sourcemap: 'linked',
	format: 'esm',
	outExtension: { '.js': '.mjs' },
	target: 'es2024',
	metafile: true,
	write: false,
	logLevel: 'warning',
	// Wrangler uploads these without being told.
	loader: { '.wasm': 'copy', '.txt': 'copy', '.html': 'copy', '.sql': 'copy', '.bin': 'copy' },
	external: ['cloudflare:*', 'node:*'],
	// The same as in wrangler's bundler.
	conditions: ['workerd', 'worker', 'browser'],
	define: { 'navigator.userAgent': '"Cloudflare-Workers"', 'process.env.NODE_ENV': '"production"' },
	alias: Object.fromEntries(
		builtinModules.filter((name) => !name.startsWith('node:')).map((name) => [name, `node:${name}`]),
	),
} satisfies BuildOptions;

export interface BundleOptions {
	/** An absolute path. The entry and the paths in the metafile are relative to it. */
	readonly root: string;
	readonly entry: string;
	/** An absolute path. Files that an earlier build wrote there are deleted, and no others. */
	readonly folder: string;
	/** `false` keeps the names of functions, for a profile. Default: true. */
	readonly minify?: boolean;
}

/** @throws {BuildFailure} of esbuild, which has already shown the reason. */
export async function writeBundle({ root, entry, folder, minify = true }: BundleOptions): Promise<Metafile> {
	const options = { ...BUNDLING, absWorkingDir: root, entryPoints: { index: entry }, outdir: folder, minify };
	const { outputFiles, metafile } = await build(options);
	await mkdir(folder, { recursive: true });
	const names = outputFiles.map(({ path }) => basename(path)).sort();
	for (const name of await readListing(folder))
		if (!names.includes(name)) await rm(join(folder, name), { force: true });
	await writeChanged(join(folder, LISTING), Buffer.from(`${JSON.stringify({ files: names }, undefined, '\t')}\n`));
	for (const { path, contents } of outputFiles) await writeChanged(path, contents);
	return metafile;
}

/** The files of the build before. Without a listing of it, there are none to delete. */
async function readListing(folder: string): Promise<string[]> {
	const text = await readFile(join(folder, LISTING), 'utf8').catch(() => '');
	try {
		const { files } = JSON.parse(text) as { files: unknown };
		return Array.isArray(files) ? files.filter(isFileName) : [];
	} catch {
		return [];
	}
}

/** Whether it names a file of the folder itself: a listing must not lead out of it. */
function isFileName(name: unknown): name is string {
	return typeof name === 'string' && /^[^/\\]+\.[^/\\.]+$/.test(name);
}

/** The types of the bundle's entry, for `wrangler types`. */
export async function writeTypes(folder: string, types: string): Promise<void> {
	await writeChanged(join(folder, TYPES), Buffer.from(types));
}

/** The scripts that an isolate loads before its first request: the entry, and whatever it imports statically. */
export function startScripts(metafile: Metafile): string[] {
	const entries = Object.keys(metafile.outputs).filter((path) => basename(path) === START);
	return staticImports(metafile, entries);
}

/** These scripts, and whatever they import statically. */
export function staticImports({ outputs }: Metafile, scripts: readonly string[]): string[] {
	const found = new Set(scripts);
	for (const path of found)
		for (const imported of outputs[path]?.imports ?? [])
			if (imported.kind === 'import-statement' && !imported.external) found.add(imported.path);
	return [...found];
}

/** The size of scripts in bytes, compressed together, as wrangler counts an upload. @param paths relative to `root`. */
export async function gzippedBytes(root: string, paths: readonly string[]): Promise<number> {
	return gzipSync(Buffer.concat(await Promise.all(paths.map((path) => readFile(join(root, path)))))).byteLength;
}
