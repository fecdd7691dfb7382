/** Writes a copy of the deployment's `wrangler.toml` to a temporary folder, changed only in the one respect that the bench measures. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorker } from '../deploy/bundle.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface TemporaryConfig {
	readonly path: string;
	remove(): Promise<void>;
}

/** @param main the Worker's entry, relative to the root of the repository. It is bundled as it would be deployed. */
export async function configWith(
	main: string,
	change: (toml: string) => string = (toml) => toml,
	minify = true,
): Promise<TemporaryConfig> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bench-'));
	const path = join(folder, 'wrangler.toml');
	const toml = await readFile(join(ROOT, 'wrangler.toml'), 'utf8');
	const dist = join(folder, 'dist');
	await bundleWorker(main, dist, minify);
	await writeFile(path, change(withoutBuild(toml).replace(/^main = .*$/m, `main = "${dist}/index.mjs"`)));
	return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The configuration `toml` for a Worker that is already bundled, or that wrangler bundles. It has no dashboard, which is built, too. */
export function withoutBuild(toml: string): string {
	return toml.replace(/^\[(?:build|assets)\]\n(.+\n)+/gm, '');
}

/** The variables of `.dev.vars`, which wrangler reads only for a config in the same folder. */
export async function localVariables(): Promise<Record<string, string>> {
	const text = await readFile(join(ROOT, '.dev.vars'), 'utf8');
	const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
	return Object.fromEntries(
		lines.map((line) => [
			line.slice(0, line.indexOf('=')),
			line.slice(line.indexOf('=') + 1).replace(/^(['"])(.*)\1$/, '$2'),
		]),
	);
}
