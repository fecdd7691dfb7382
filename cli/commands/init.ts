import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { defineCommand } from 'citty';
import packageJson from '../../package.json' with { type: 'json' };
import { readWranglerConfig } from '../configuration/config.ts';
import { findConfig, readIfThere } from '../configuration/find.ts';
import { EXIT } from '../exit.ts';
import { UsageError } from '../failure.ts';
import { type Change, type Files, type Plan, planInit, SECRETS_FILE, sourceEntry } from '../init/plan.ts';
import { renderPlan, renderSteps } from '../init/show.ts';
import { TASK_NAME } from '../init/templates.ts';
import { SECRET_BYTES, signingKeys } from '../key/api-key.ts';
import { confirm } from '../terminal/confirm.ts';
import { note, print, printJson, style } from '../terminal/output.ts';

const LOOKED_AT = ['package.json', 'tsconfig.json', '.gitignore', '.dev.vars'];
/** As in a Worker's name. A queue's name has at most 63 characters, and the longest ending is `-dead-letters`. */
const NAME = /^[a-z][a-z0-9-]{0,48}[a-z0-9]$/;

/** For the owner only. */
const SECRET_MODE = 0o600;

export const init = defineCommand({
	meta: { name: 'init', description: 'Add Coatcheck to a Worker, or make a new one. Shows what it will do, and asks' },
	args: {
		folder: { type: 'positional', description: "The Worker's folder. Default: this one", required: false },
		name: { type: 'string', description: "The name of a new Worker. Default: the folder's" },
		yes: { type: 'boolean', alias: 'y', description: "Don't ask" },
		'dry-run': { type: 'boolean', description: 'Show what it would do, and change nothing' },
		json: { type: 'boolean', description: 'Print JSON. Needs --yes or --dry-run' },
	},
	async run({ args }) {
		const folder = resolve(args.folder ?? '.');
		const isDry = args['dry-run'] === true;
		if (args.json && !args.yes && !isDry) throw new UsageError('--json: expected --yes or --dry-run with it');
		const plan = await makePlan(folder, args.name);
		if (!args.json) for (const line of renderPlan(plan, style)) print(line);
		if (!isDry && plan.changes.length > 0) {
			if (!args.yes && !(await confirm(`Write ${plan.changes.length} files in ${folder}?`))) {
				note('Nothing was written');
				return EXIT.failed;
			}
			for (const change of plan.changes) await writeChange(folder, change);
		}
		showResult(plan, { isDry, json: args.json === true });
		return EXIT.success;
	},
});

async function makePlan(folder: string, name: string | undefined): Promise<Plan> {
	const config = await findConfig(folder);
	const known = config && readWranglerConfig(config.text, config.file);
	if (name !== undefined && known?.name !== undefined && known.name !== name)
		throw new UsageError(`--name: the Worker has the name "${known.name}" already, in ${config?.file}`);
	const entries = [...LOOKED_AT, ...sourcesOf(sourceEntry(known))].map(
		async (path) => [path, await readIfThere(join(folder, path))] as const,
	);
	const files: Files = {
		...Object.fromEntries(await Promise.all(entries)),
		...(config ? { [config.file]: config.text } : {}),
	};
	return planInit(files, {
		name: workerName(name ?? basename(folder), name !== undefined),
		version: packageJson.version,
		nodeMajor: Number.parseInt(process.versions.node, 10),
		configFile: config?.file,
		secrets: {
			signingKeys: signingKeys(randomBytes(SECRET_BYTES)),
			webhookSecret: `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`,
		},
	});
}

/** The Worker's entry, and the files that `init` would make beside it. */
function sourcesOf(main: string): string[] {
	const folder = dirname(main);
	const made = ['coatcheck.ts', 'coatcheck.js', `tasks/${TASK_NAME}.ts`, `tasks/${TASK_NAME}.js`];
	return [main, ...made.map((path) => join(folder, path))];
}

/** @throws {UsageError} for a name that was given. A folder's name is made to fit. */
function workerName(name: string, isGiven: boolean): string {
	if (NAME.test(name)) return name;
	if (isGiven) throw new UsageError('--name: expected 2 to 50 lower-case letters, digits and dashes');
	const fitted = name
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, '-')
		.replace(/^[^a-z]+|-+$/g, '')
		.slice(0, 50);
	return NAME.test(fitted) ? fitted : 'coatcheck-worker';
}

/** A new file is made only if none has appeared since. A file that is extended must not have changed. */
async function writeChange(folder: string, { path, before, after }: Change): Promise<void> {
	const file = join(folder, path);
	if (before !== undefined && (await readIfThere(file)) !== before)
		throw new UsageError(`${path} has changed meanwhile`);
	await mkdir(dirname(file), { recursive: true });
	const isSecret = path === SECRETS_FILE;
	if (isSecret && before !== undefined) await chmod(file, SECRET_MODE);
	await writeFile(file, after, { flag: before === undefined ? 'wx' : 'w', mode: isSecret ? SECRET_MODE : 0o666 });
}

function showResult(plan: Plan, { isDry, json }: { isDry: boolean; json: boolean }): void {
	const changes = plan.changes.map(({ path, before }) => ({
		path,
		change: before === undefined ? 'created' : 'extended',
	}));
	if (json) return printJson({ written: !isDry && changes.length > 0, changes, steps: plan.steps });
	if (plan.changes.length === 0) print('Nothing to add: the folder has everything.');
	else if (isDry) print('Nothing was written (--dry-run).');
	if (plan.steps.length > 0) print('Next:');
	for (const line of renderSteps(plan, style)) print(line);
	print('  npx coatcheck dev');
	print(`  npx coatcheck submit greet --input '{"name":"Ann"}' --wait`);
}
