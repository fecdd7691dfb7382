/** What `init` changes in a folder. Pure: reads and writes nothing. */
import { posix } from 'node:path';
import {
	type Addition,
	additionsFor,
	addToConfig,
	applyAdditions,
	renderJsonc,
	renderToml,
} from '../configuration/additions.ts';
import { formatOf, parseText, readWranglerConfig, type WranglerConfig } from '../configuration/config.ts';
import { type LocalSecrets, missingVariables } from '../configuration/variables.ts';
import { COMPATIBILITY_DATE } from '../configuration/wanted.ts';
import {
	developmentPackages,
	entryFile,
	entryLines,
	GITIGNORE,
	moduleFile,
	packageFile,
	TASK_NAME,
	TSCONFIG,
	taskFile,
	workerPackages,
} from './templates.ts';

/** The files of the folder that `init` looks at, by their paths. Others may be there. */
export type Files = Readonly<Record<string, string | undefined>>;

export interface InitOptions {
	/** The name of a new Worker. */
	readonly name: string;
	/** The version of this package. */
	readonly version: string;
	readonly nodeMajor: number;
	/** The configuration that the folder has. */
	readonly configFile: string | undefined;
	readonly secrets: LocalSecrets;
}

/** A file that is made, or lines that are added to one. */
export interface Change {
	readonly path: string;
	readonly before: string | undefined;
	readonly after: string;
}

export interface Plan {
	readonly changes: readonly Change[];
	/** What a person has to do: a sentence, and the lines to add. */
	readonly steps: readonly { readonly text: string; readonly lines?: string }[];
}

const NEW_CONFIG = 'wrangler.jsonc';
/** The entry of a Worker that has none. */
const NEW_ENTRY = 'src/index.ts';
/** Only its owner may read it. */
export const SECRETS_FILE = '.dev.vars';
const SECRETS_HEADING = '# For local development only: wrangler never deploys this file.';
/** Folders of what a build writes, which is no source. */
const BUILT = /^(dist|build|out|\.output)\//;

export function planInit(files: Files, options: InitOptions): Plan {
	const { configFile } = options;
	const config = configFile === undefined ? newConfig(options.name) : extendedConfig(configFile, files, options);
	const source = sourceFiles(config.main, files);
	const packages = planPackages(files, options);
	const variables = missingVariables(files[SECRETS_FILE] ?? '', options.secrets);
	const made: Files = {
		...source.files,
		'package.json': packageFile(options.name, options),
		...(source.extension === 'ts' ? { 'tsconfig.json': TSCONFIG } : {}),
		'.gitignore': GITIGNORE,
	};
	return {
		changes: [
			...config.changes,
			...Object.entries(made).flatMap(([path, text]) => create(path, text, files)),
			...packages.changes,
			...(isIgnored(files['.gitignore']) ? [] : [append('.gitignore', [`${SECRETS_FILE}*`], files)]),
			...(variables.length > 0 ? [append(SECRETS_FILE, [SECRETS_HEADING, ...variables], files)] : []),
		],
		steps: [...config.steps, ...source.steps, ...packages.steps],
	};
}

interface ConfigPlan extends Plan {
	/** The path of the source of the Worker's entry. */
	readonly main: string;
}

/** The source of the Worker's entry: `main`, or what the build makes it of. @param config of the folder, if it has one. */
export function sourceEntry(config: Pick<WranglerConfig, 'main' | 'build'> | undefined): string {
	if (config?.main === undefined) return NEW_ENTRY;
	const main = posix.normalize(config.main);
	if (!BUILT.test(main)) return main;
	const [, named = NEW_ENTRY] = /\bcoatcheck build\s+([^\s-]\S*)/.exec(config.build?.command ?? '') ?? [];
	return posix.normalize(named);
}

/** Whether the file ignores the secrets, also those of environments (`.dev.vars.staging`). A folder without the file gets one that does. */
function isIgnored(gitignore: string | undefined): boolean {
	if (gitignore === undefined) return true;
	return gitignore.split('\n').some((line) => /^(\/|\*\*\/)?(\.dev\.vars\*|\.dev\*|\.\*)\s*$/.test(line));
}

function newConfig(name: string): ConfigPlan {
	const base = {
		$schema: 'node_modules/wrangler/config-schema.json',
		name,
		main: NEW_ENTRY,
		compatibility_date: COMPATIBILITY_DATE,
	};
	const additions = additionsFor(readWranglerConfig(JSON.stringify(base), NEW_CONFIG), name);
	const after = `${renderJsonc(applyAdditions(base, additions))}\n`;
	return { main: NEW_ENTRY, changes: [{ path: NEW_CONFIG, before: undefined, after }], steps: [] };
}

function extendedConfig(file: string, files: Files, options: InitOptions): ConfigPlan {
	const before = files[file] ?? '';
	const config = readWranglerConfig(before, file);
	const main = sourceEntry(config);
	const missing = { name: options.name, main };
	const entry = Object.entries(missing).flatMap(([name, value]): Addition[] =>
		config[name as keyof typeof missing] === undefined ? [{ path: [name], value }] : [],
	);
	const additions = [...entry, ...additionsFor(config, config.name ?? options.name)];
	const { text: after, left } = addToConfig(before, file, additions);
	const text = `Let ${file} have these members, which it has in a form that only a person should change:`;
	const isBuilt = config.main !== undefined && BUILT.test(posix.normalize(config.main));
	const build = isBuilt ? [{ text: `Let the build make ${config.main} of ${main}` }] : [];
	return {
		main,
		changes: after === before ? [] : [{ path: file, before, after }],
		steps: [...(left.length > 0 ? [{ text, lines: showAdditions(left, file) }] : []), ...build],
	};
}

function showAdditions(additions: readonly Addition[], file: string): string {
	return formatOf(file) === 'toml' ? renderToml(additions) : `${renderJsonc(applyAdditions({}, additions))}\n`;
}

/** The entry of a new Worker, or a module beside the entry of an existing one, which stays as it is. */
function sourceFiles(main: string, files: Files) {
	const extension = /\.[cm]?js$/.test(main) ? 'js' : 'ts';
	const folder = main.includes('/') ? main.slice(0, main.lastIndexOf('/') + 1) : '';
	const task = { [`${folder}tasks/${TASK_NAME}.${extension}`]: taskFile() };
	const entry = files[main];
	if (entry === undefined) return { extension, files: { ...task, [main]: entryFile(extension) }, steps: [] };
	const module = { ...task, [`${folder}coatcheck.${extension}`]: moduleFile(extension) };
	if (/['"](coatcheck|\.\/coatcheck\.[jt]s)['"]/.test(entry)) return { extension, files: {}, steps: [] };
	const step = { text: `Let ${main} pass requests and queues on:`, lines: entryLines(extension) };
	return { extension, files: module, steps: [step] };
}

/** A manifest that is there gets the packages that it lacks. */
function planPackages(files: Files, { version, nodeMajor }: InitOptions): Plan {
	const text = files['package.json'];
	const install = { text: 'npm install' };
	if (text === undefined) return { changes: [], steps: [install] };
	const { dependencies = {}, devDependencies = {} } = readManifest(text);
	const there = new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
	const additions = [
		...Object.entries(workerPackages(version)).map(([name, range]) => ({ path: ['dependencies', name], value: range })),
		...Object.entries(developmentPackages(nodeMajor)).map(([name, range]) => ({
			path: ['devDependencies', name],
			value: range,
		})),
	].filter(({ path: [, name = ''] }) => !there.has(name));
	if (additions.length === 0) return { changes: [], steps: [] };
	const { text: after } = addToConfig(text, 'package.json', additions);
	return { changes: [{ path: 'package.json', before: text, after }], steps: [install] };
}

function readManifest(text: string): { readonly dependencies?: object; readonly devDependencies?: object } {
	return parseText(text, 'package.json');
}

function create(path: string, after: string | undefined, files: Files): Change[] {
	return files[path] === undefined && after !== undefined ? [{ path, before: undefined, after }] : [];
}

function append(path: string, lines: readonly string[], files: Files): Change {
	const before = files[path];
	const start = before === undefined || before === '' || before.endsWith('\n') ? (before ?? '') : `${before}\n`;
	return { path, before, after: `${start}${lines.join('\n')}\n` };
}
