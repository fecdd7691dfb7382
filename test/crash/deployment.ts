/** The deployment with an entry file of its own, in a folder for its state. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { localVariables, withoutBuild } from '../../bench/configuration.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The arguments of a `wrangler dev` whose code `reload` can change while it runs. */
export async function argumentsFor(folder: string): Promise<string[]> {
	const entry = join(folder, 'entry.ts');
	await writeFile(entry, entryText(0));
	const toml = await readFile(join(ROOT, 'wrangler.toml'), 'utf8');
	const config = join(folder, 'wrangler.toml');
	// Wrangler bundles the entry, so that it also notices its changes.
	const bundled = withoutBuild(toml)
		.replace(/^no_bundle = .*$/m, '')
		.replace(/^main = .*$/m, `main = "${entry}"`);
	await writeFile(config, bundled);
	const variables = Object.entries(await localVariables());
	return ['--config', config, ...variables.flatMap(([name, value]) => ['--var', `${name}:${value}`])];
}

/** Deploys the code anew: objects are moved to it, and attempts in progress end. */
export async function reload(folder: string, version: number): Promise<void> {
	await writeFile(join(folder, 'entry.ts'), entryText(version));
	console.log('code reloaded');
}

function entryText(version: number): string {
	const source = join(ROOT, 'src/index.ts');
	return `export * from '${source}';\nexport { default } from '${source}';\nconsole.debug('version ${version}');\n`;
}
