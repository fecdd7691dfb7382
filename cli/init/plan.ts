/** What `init` changes in a folder. Pure: reads and writes nothing. */
import {
	type Addition,
	additionsFor,
	addToConfig,
	applyAdditions,
	renderJsonc,
	renderToml,
} from '../configuration/additions.ts';
import { formatOf, parseText, readWranglerConfig } from '../configuration/config.ts';
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
export const NEW_ENTRY = 'src/index.ts';

export function planInit(files: Files, options: InitOptions): Plan {
	const { configFile } = options;
	const config = configFile === undefined ? newConfig(options.name) : extendedConfig(configFile, files, options);
	const source = sourceFiles(config.main, files);
	const packages = planPackages(files, options);
	const variables = missingVariables(files['.dev.vars'] ?? '', options.secrets);
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
			...(variables.length > 0 ? [append('.dev.vars', variables, files)] : []),
		],
		steps: [...config.steps, ...source.steps, ...packages.steps],
	};
}

interface ConfigPlan extends Plan {
	/** The path of the Worker's entry. */
	readonly main: string;
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
	const entry: Addition[] = config.main === undefined ? [{ path: ['main'], value: NEW_ENTRY }] : [];
	const additions = [...entry, ...additionsFor(config, config.name ?? options.name)];
	const { text: after, left } = addToConfig(before, file, additions);
	const text = `Add this to ${file}, which has these members in a form that only a person should change:`;
	return {
		main: config.main ?? NEW_ENTRY,
		changes: after === before ? [] : [{ path: file, before, after }],
		steps: left.length > 0 ? [{ text, lines: showAdditions(left, file) }] : [],
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
	const heading = '# For local development only: wrangler never deploys this file.';
	return { path, before, after: `${start}${[heading, ...lines].join('\n')}\n` };
}
