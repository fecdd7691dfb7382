import { readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Deletes the files of a folder that a build owns, except those that it has written. @param written relative to the folder. */
export async function removeOthers(folder: string, written: ReadonlySet<string>): Promise<void> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	const files = entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
	for (const path of files) if (!written.has(relative(folder, path))) await rm(path, { force: true });
}
