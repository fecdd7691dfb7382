/** The files of a new Worker. Pure. */
import { MIN_NODE_MAJOR } from '../configuration/wanted.ts';

export const TASK_NAME = 'greet';

export function taskFile(): string {
	return `import { defineTask } from 'coatcheck';
import * as z from 'zod';

/** A task is a name, a schema of its input, and the work. Write your own beside it. */
export const ${TASK_NAME} = defineTask({
	name: '${TASK_NAME}',
	description: 'Says hello, slowly.',
	input: z.strictObject({ name: z.string() }),
	async run({ name }, job) {
		job.progress(50, 'thinking');
		await scheduler.wait(2_000, { signal: job.signal });
		return { greeting: \`Hello, \${name}\` };
	},
});
`;
}

/** The entry of a Worker that has none. @param extension of the Worker's source: `ts` or `js`. */
export function entryFile(extension: string): string {
	return `import { coatcheck } from 'coatcheck';
import { ${TASK_NAME} } from './tasks/${TASK_NAME}.${extension}';

export { BatchObject, JobObject, TenantObject, TopicObject, UpstreamGate } from 'coatcheck';
export default coatcheck({ tasks: [${TASK_NAME}] });
`;
}

/** Beside the entry of an existing Worker. */
export function moduleFile(extension: string): string {
	return `import { coatcheck } from 'coatcheck';
import { ${TASK_NAME} } from './tasks/${TASK_NAME}.${extension}';

export { BatchObject, JobObject, TenantObject, TopicObject, UpstreamGate } from 'coatcheck';
export const jobs = coatcheck({ tasks: [${TASK_NAME}] });
`;
}

/** What an existing entry has to do. */
export function entryLines(extension: string): string {
	return `import { jobs } from './coatcheck.${extension}';

export * from './coatcheck.${extension}';
export default {
	async fetch(request, env, ctx) {
		const { pathname } = new URL(request.url);
		if (pathname === '/healthz' || pathname.startsWith('/v1/')) return jobs.fetch(request, env, ctx);
		// … what it answers now
	},
	queue: jobs.queue,
};
`;
}

export const TSCONFIG = `{
	"compilerOptions": {
		"target": "ES2024",
		"lib": ["ES2024"],
		"module": "ESNext",
		"moduleResolution": "bundler",
		"types": ["@cloudflare/workers-types"],
		"strict": true,
		"skipLibCheck": true,
		"allowImportingTsExtensions": true,
		"noEmit": true
	},
	"include": ["src"]
}
`;

export const GITIGNORE = `node_modules
.wrangler
.dev.vars*
api-keys.json
signing-keys.json
`;

/** What `npm run` starts. */
const SCRIPTS = { dev: 'coatcheck dev', deploy: 'wrangler deploy', doctor: 'coatcheck doctor' };

/** @param nodeMajor of the Node that runs this. An older one than wrangler's gets a Node of the project's own. */
export function packageFile(name: string, { version, nodeMajor }: { version: string; nodeMajor: number }): string {
	const manifest = {
		name,
		private: true,
		type: 'module',
		scripts: SCRIPTS,
		dependencies: workerPackages(version),
		devDependencies: developmentPackages(nodeMajor),
	};
	return `${JSON.stringify(manifest, undefined, '\t')}\n`;
}

/** The packages that development needs, with the ranges of their versions. */
export function developmentPackages(nodeMajor: number): Readonly<Record<string, string>> {
	const packages = { '@cloudflare/workers-types': '^5.20261026.1', wrangler: '^4.155.0' };
	return nodeMajor < MIN_NODE_MAJOR ? { ...packages, node: '^24.21.0' } : packages;
}

/** The packages that the Worker needs. @param version of this one. */
export function workerPackages(version: string): Readonly<Record<string, string>> {
	return { coatcheck: `^${version}`, zod: '^4.6.6' };
}
