import { readFile, writeFile } from 'node:fs/promises';

/** Leaves equal files alone, because another wrangler may be reading them. */
export async function writeChanged(path: string, contents: Uint8Array): Promise<void> {
	const existing = await readFile(path).catch(() => undefined);
	if (!existing?.equals(contents)) await writeFile(path, contents);
}
