/** Finds and reads the wrangler configuration of a folder. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../failure.ts';
import { type LocalVariables, parseVariables, variableFiles } from './variables.ts';

/** In the order in which wrangler looks for them. */
const NAMES = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml'];

export interface ConfigFile {
	readonly folder: string;
	/** The file's name in the folder. */
	readonly file: string;
	readonly text: string;
}

/** @returns `undefined` when the folder has none. */
export async function findConfig(folder: string): Promise<ConfigFile | undefined> {
	for (const file of NAMES) {
		const text = await readIfThere(join(folder, file));
		if (text !== undefined) return { folder: resolve(folder), file, text };
	}
	return undefined;
}

/** @param path of the file. Default: that of the current folder. @throws {UsageError} when there is none. */
export async function readConfigFile(path: string | undefined): Promise<ConfigFile> {
	const found =
		path === undefined
			? await findConfig('.')
			: { folder: resolve(dirname(path)), file: basename(path), text: await readFile(path, 'utf8') };
	if (found) return found;
	throw new UsageError('Expected wrangler.jsonc or wrangler.toml in this folder: `coatcheck init` writes one');
}

/** The environment that wrangler takes. @param given with `--env`, which comes first. */
export function chosenEnvironment(given: string | undefined): string | undefined {
	return given ?? (process.env.CLOUDFLARE_ENV || undefined);
}

/** The local variables, from the first of their files. @returns `undefined` when the folder has none. */
export async function readLocalVariables(
	folder: string,
	environment: string | undefined,
): Promise<LocalVariables | undefined> {
	for (const file of variableFiles(environment)) {
		const text = await readIfThere(join(folder, file));
		if (text !== undefined) return { file, values: parseVariables(text) };
	}
	return undefined;
}

export async function readIfThere(path: string): Promise<string | undefined> {
	return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return undefined;
		throw error;
	});
}

/** @param folder of the configuration. */
export function fileChecker(folder: string): (path: string) => Promise<boolean> {
	return async (path) => (await readIfThere(join(folder, path))) !== undefined;
}
