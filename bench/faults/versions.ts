/** The two versions under comparison, each on a port of this machine. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The last commit of version 0.1.0. */
const BEFORE = 'bd30e23';
const WORKER = 'bench/workers/faults.ts';

export interface Version {
	readonly name: string;
	/** The root folder of its source. */
	readonly root: string;
	readonly remove: () => void;
}

/** Checks out version 0.1.0 from this repository's history. It runs with today's dependencies, which include all of its own. */
export function checkOutBefore(): Version {
	const folder = mkdtempSync(join(tmpdir(), 'coatcheck-0.1.0-'));
	const root = join(folder, 'tree');
	const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
	git('worktree', 'add', '--detach', root, BEFORE);
	symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
	copyFileSync(join(ROOT, WORKER), join(root, WORKER));
	const remove = () => {
		git('worktree', 'remove', '--force', root);
		rmSync(folder, { recursive: true, force: true });
	};
	return { name: '0.1.0', root, remove };
}

export function thisTree(): Version {
	return { name: 'now', root: ROOT, remove: () => {} };
}

export interface Running {
	readonly origin: string;
	readonly stop: () => Promise<void>;
}

/** @param upstreams the value of the variable `UPSTREAMS`. */
export async function start({ root }: Version, upstreams: object): Promise<Running> {
	const { startLocalWorker } = (await import(
		join(root, 'demo/local-worker.ts')
	)) as typeof import('../../demo/local-worker.ts');
	const { configWith, localVariables } = (await import(
		join(root, 'bench/configuration.ts')
	)) as typeof import('../configuration.ts');
	const config = await configWith(WORKER);
	const variables = { ...(await localVariables()), UPSTREAMS: JSON.stringify(upstreams) };
	const settings = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`]);
	const worker = await startLocalWorker({ args: ['--config', config.path, ...settings] });
	const stop = async () => {
		await worker.stop();
		await config.remove();
	};
	return { origin: worker.origin, stop };
}
