/** The contenders that run in workerd: production bundles, each in a process of its own, behind wrangler's local proxy. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestHarness } from 'wrangler';
import { configWith, localVariables } from '../configuration.ts';
import { COMMIT_010, checkOutBefore, type Version } from '../versions.ts';
import { type Contender, type Dialect, OURS, ours, plain, type Running } from './contender.ts';
import { childrenOf, isListeningOn } from './processes.ts';

export type Worker = Parameters<typeof createTestHarness>[0] extends infer Options | undefined
	? Options extends { workers: (infer One)[] }
		? One
		: never
	: never;

/** Maximum size of a Workflows event. */
const MAX_EVENT_BYTES = 1_000_000;

const SUBJECT = 'bench/workers/subject.ts';
/** The files of today's benches that an earlier version also gets. */
const SUBJECT_FILES = [SUBJECT, 'bench/workers/tasks.ts'];

export const COATCHECK: Contender = {
	name: 'Coatcheck',
	async start() {
		const config = await configWith(SUBJECT);
		const worker = { configPath: config.path, secrets: await localVariables() };
		return running('Coatcheck', worker, OURS, config.remove);
	},
};

/** This deployment, with a task that runs at once in the Worker that accepted its job. */
export const LANE_NOW: Contender = {
	name: 'lane now',
	sections: ['told', 'flow'],
	async start() {
		const config = await configWith('bench/workers/now.ts');
		const worker = { configPath: config.path, secrets: await localVariables() };
		return running('lane now', worker, ours({ waits: 'wait-now' }), config.remove);
	},
};

/**
 * An earlier version of Coatcheck, built from this repository's history. It is checked out once for a whole run.
 *
 * @param commit default: version 0.1.0.
 */
export function earlierVersion(commit = COMMIT_010): Contender {
	let version: Version | undefined;
	const name = commit === COMMIT_010 ? '0.1.0' : commit;
	return {
		name,
		async start() {
			if (!version) {
				version = checkOutBefore(SUBJECT_FILES, commit);
				process.once('exit', version.remove);
			}
			const { configWith, localVariables } = (await import(
				join(version.root, 'bench/configuration.ts')
			)) as typeof import('../configuration.ts');
			const config = await configWith(SUBJECT);
			const worker = { configPath: config.path, secrets: await localVariables() };
			return running(name, worker, OURS, config.remove);
		},
	};
}

/** The same queues with the same settings, and no other part of this deployment. */
export const FLOOR: Contender = {
	name: 'floor',
	async start() {
		const config = await configWith('bench/workers/floor.ts');
		return running('floor', { configPath: config.path }, plain({ tells: true, isFloor: true }), config.remove);
	},
};

export const WORKFLOWS: Contender = {
	name: 'Workflows',
	start: () =>
		running(
			'Workflows',
			{
				config: {
					name: 'workflows',
					main: fileURLToPath(new URL('../workers/workflow.ts', import.meta.url)),
					compatibility_date: '2026-10-20',
					workflows: [{ binding: 'JOB', name: 'job', class_name: 'Job' }],
				},
			},
			plain({ maxBytes: MAX_EVENT_BYTES }),
		),
};

export async function running(
	name: string,
	worker: Worker,
	dialect: Dialect,
	clean = async () => {},
): Promise<Running> {
	const before = await childrenOf(process.pid, 'workerd');
	const harness = createTestHarness({ workers: [worker] });
	const { origin, port } = (await harness.listen()).url;
	const pid = await newRuntime(before, Number(port));
	return {
		...dialect,
		name,
		origin,
		...(pid !== undefined && { pid }),
		async stop() {
			await harness.close();
			await clean();
		},
	};
}

/** Of the processes that a harness started, the one that isn't the proxy. */
async function newRuntime(before: readonly number[], proxyPort: number): Promise<number | undefined> {
	const after = await childrenOf(process.pid, 'workerd');
	const added = after.filter((pid) => !before.includes(pid));
	const isProxy = await Promise.all(added.map((pid) => isListeningOn(pid, proxyPort)));
	const others = added.filter((_, index) => !isProxy[index]);
	return others.length === 1 ? others[0] : undefined;
}
