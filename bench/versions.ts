/** The two versions under comparison: an earlier one, by default 0.1.0, from this repository's history, and this tree. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalWorker, LocalWorkerOptions } from '../demo/local-worker.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The file that each worker of the benches has its classes of objects from. */
const OBJECTS = 'bench/workers/objects.ts';
/** The last commit of version 0.1.0. */
export const COMMIT_010 = 'bd30e23';

export interface Version {
	readonly name: string;
	/** The root folder of its source. */
	readonly root: string;
	readonly remove: () => void;
}

/**
 * Checks out an earlier version from this repository's history, and installs its own dependencies.
 *
 * @param workers the files of today's `bench/workers` that it also gets.
 * @param commit default: version 0.1.0.
 */
export function checkOutBefore(workers: readonly string[], commit = COMMIT_010): Version {
	const folder = mkdtempSync(join(tmpdir(), 'coatcheck-before-'));
	const root = join(folder, 'tree');
	const run = (cwd: string, command: string, ...args: string[]) =>
		execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
	run(ROOT, 'git', 'worktree', 'add', '--quiet', '--detach', root, commit);
	run(root, 'npm', 'ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error');
	for (const worker of workers) copyFileSync(join(ROOT, worker), join(root, worker));
	writeFileSync(join(root, OBJECTS), objectsIn(readFileSync(join(root, 'src/index.ts'), 'utf8')));
	const remove = () => {
		run(ROOT, 'git', 'worktree', 'remove', '--force', root);
		rmSync(folder, { recursive: true, force: true });
	};
	return { name: commit === COMMIT_010 ? '0.1.0' : commit, root, remove };
}

/** The exports of the classes of objects that a version has, for the workers of the benches. */
function objectsIn(index: string): string {
	const lines = index.split('\n').filter((line) => line.startsWith('export {'));
	return `${lines.join('\n').replaceAll("'./object/", "'../../src/object/")}\n`;
}

export function thisTree(): Version {
	return { name: 'now', root: ROOT, remove: () => {} };
}

export interface StartOptions extends Pick<LocalWorkerOptions, 'port' | 'state'> {
	/** The Worker's entry, relative to the root of the version. */
	readonly worker: string;
	/** Variables beside those of `.dev.vars`. */
	readonly variables?: Readonly<Record<string, string>>;
}

/** Starts a version under `wrangler dev`, on a port of this machine. */
export async function startVersion(
	{ root }: Version,
	{ worker, variables, port, state }: StartOptions,
): Promise<LocalWorker> {
	const { startLocalWorker } = (await import(
		join(root, 'demo/local-worker.ts')
	)) as typeof import('../demo/local-worker.ts');
	const { configWith, localVariables } = (await import(
		join(root, 'bench/configuration.ts')
	)) as typeof import('./configuration.ts');
	const config = await configWith(worker);
	const settings = Object.entries({ ...(await localVariables()), ...variables });
	const args = ['--config', config.path, ...settings.flatMap(([name, value]) => ['--var', `${name}:${value}`])];
	const running = await startLocalWorker({
		args,
		...(port !== undefined && { port }),
		...(state !== undefined && { state }),
	});
	const end = (how: () => Promise<void>) => async () => {
		await how();
		await config.remove();
	};
	return { ...running, stop: end(running.stop), kill: end(running.kill) };
}
