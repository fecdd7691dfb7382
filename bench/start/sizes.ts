/** The size of a bundle, and the time of an act. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { startScripts } from '../../cli/build/bundle.ts';
import { bundleWorker } from '../../deploy/bundle.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KIB = 1_024;

export const SIZE_HEADS = ['bundle', 'at the start', 'gzipped', 'when needed', 'gzipped', 'WASM', 'gzipped'];

/** @param main the Worker's entry, relative to the root of the repository. */
export async function sizeRow({ name, main }: { readonly name: string; readonly main: string }): Promise<string[]> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bundle-'));
	try {
		const atStart = startScripts(await bundleWorker(main, folder)).map((path) => join(ROOT, path));
		const files = (await readdir(folder)).map((file) => join(folder, file));
		const late = files.filter((file) => file.endsWith('.mjs') && !atStart.includes(file));
		const wasm = files.filter((file) => file.endsWith('.wasm'));
		const sizes = await Promise.all([atStart, late, wasm].map(sizesOf));
		return [name, ...sizes.flat()];
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

async function sizesOf(paths: readonly string[]): Promise<[string, string]> {
	const all = Buffer.concat(await Promise.all(paths.map((path) => readFile(path))));
	const kibibytes = (bytes: number) => `${(bytes / KIB).toFixed(0)} KiB`;
	// Compressed together, as wrangler counts an upload.
	return [kibibytes(all.byteLength), kibibytes(gzipSync(all).byteLength)];
}

/** In milliseconds. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
	const begin = performance.now();
	await act();
	return performance.now() - begin;
}
