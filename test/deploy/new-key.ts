/** Creates a key with `npm run key`. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPT = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** @returns the key, and its entry in `API_KEYS`. */
export async function newKey(args: readonly string[]): Promise<{ secret: string; line: string }> {
	const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, 'key', ...args]);
	const [secret = '', line = ''] = [/ck_\S+/, /\{.*\}/].map((pattern) => pattern.exec(stdout)?.[0]);
	return { secret, line };
}
