/** Writes a copy of the deployment's `wrangler.toml` to a temporary folder, changed only in the one respect that the bench measures. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface TemporaryConfig {
	readonly path: string;
	remove(): Promise<void>;
}

/** @param main the Worker's entry, relative to the root of the repository. */
export async function configWith(
	main: string,
	change: (toml: string) => string = (toml) => toml,
): Promise<TemporaryConfig> {
	const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bench-'));
	const path = join(folder, 'wrangler.toml');
	const toml = await readFile(join(ROOT, 'wrangler.toml'), 'utf8');
	await writeFile(path, change(toml.replace(/^main = .*$/m, `main = "${join(ROOT, main)}"`)));
	return { path, remove: () => rm(folder, { recursive: true, force: true }) };
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
