/** What `init` changes in a folder. Pure: reads and writes nothing. */
import {
	type Addition,
	additionsFor,
	addToConfig,
	applyAdditions,
	renderJsonc,
	renderToml,
} from '../configuration/additions.ts';
import { formatOf, readWranglerConfig } from '../configuration/config.ts';
import { type LocalSecrets, missingVariables } from '../configuration/variables.ts';
import { COMPATIBILITY_DATE } from '../configuration/wanted.ts';
import {
	developmentPackages,
	entryFile,
	entryLines,
	GITIGNORE,
	moduleFile,
	PACKAGES,
	packageFile,
	TASK_NAME,
	TSCONFIG,
	taskFile,
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
const NEW_ENTRY = 'src/index.ts';

export function planInit(files: Files, options: InitOptions): Plan {
	const { configFile } = options;
	const config = configFile === undefined ? newConfig(options.name) : extendedConfig(configFile, files, options);
	const source = sourceFiles(config.main, files);
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
			...(variables.length > 0 ? [append('.dev.vars', variables, files)] : []),
		],
		steps: [...config.steps, ...source.steps, ...packageSteps(files, options)],
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

/** A manifest that is there stays as it is. */
function packageSteps(files: Files, { nodeMajor }: InitOptions): Plan['steps'] {
	const text = files['package.json'];
	if (text === undefined) return [{ text: 'npm install' }];
	const { dependencies = {}, devDependencies = {} } = readManifest(text);
	const isThere = (spec: string) =>
		Object.hasOwn({ ...dependencies, ...devDependencies }, spec.replace(/(?<=.)@.*$/, ''));
	const missing = PACKAGES.filter((spec) => !isThere(spec));
	const missingTools = developmentPackages(nodeMajor).filter((spec) => !isThere(spec));
	return [
		...(missing.length > 0 ? [{ text: `npm install ${missing.join(' ')}` }] : []),
		...(missingTools.length > 0 ? [{ text: `npm install --save-dev ${missingTools.join(' ')}` }] : []),
	];
}

function readManifest(text: string): { dependencies?: object; devDependencies?: object } {
	try {
		return (JSON.parse(text) as object | null) ?? {};
	} catch {
		return {};
	}
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
