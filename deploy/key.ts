/**
 * `npm run key -- --tenant acme --scopes submit,read,cancel [--id ci] [--file api-keys.json]` creates an API key. It shows the
 * secret once and does not store it. The deployment receives only its SHA-256.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

const SCOPES = ['submit', 'read', 'cancel', 'operate', 'admin'];
const SECRET_BYTES = 32;
/** Identifies the key to people, and to programs that search for leaked secrets. */
const PREFIX = 'ck_';
const USAGE = 'npm run key -- --tenant acme --scopes submit,read,cancel [--id ci] [--file api-keys.json]';

/** One entry of the secret `API_KEYS`. */
interface Entry {
	readonly id: string;
	readonly tenant: string;
	readonly sha256: string;
	readonly scopes: readonly string[];
}

async function main(): Promise<void> {
	if (process.argv.includes('--help')) return console.log(USAGE);
	const { tenant, scopes, id, file } = wanted();
	const secret = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
	const entry: Entry = { id, tenant, sha256: createHash('sha256').update(secret).digest('hex'), scopes };
	if (file !== undefined) await add(entry, file);
	tell(secret, entry, file);
}

function wanted() {
	const options = {
		tenant: { type: 'string' },
		scopes: { type: 'string' },
		id: { type: 'string' },
		file: { type: 'string' },
	} as const;
	const { tenant = '', scopes = '', id, file } = parseArgs({ options }).values;
	const listed = scopes.split(',').filter(Boolean);
	const unknown = listed.filter((scope) => !SCOPES.includes(scope));
	if (!/^[\x21-\x7e]{1,128}$/.test(tenant)) throw new TypeError('--tenant: expected 1 to 128 visible ASCII characters');
	if (listed.length === 0 || unknown.length > 0)
		throw new TypeError(`--scopes: expected some of ${SCOPES.join(',')}, got: "${scopes}"`);
	if (id !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(id))
		throw new TypeError('--id: expected 1 to 64 letters, digits, dots, dashes and underscores');
	return { tenant, scopes: listed, id: id ?? `key-${randomBytes(4).toString('hex')}`, file };
}

async function add(entry: Entry, file: string): Promise<void> {
	const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return '[]';
		throw error;
	});
	const entries = JSON.parse(text) as Entry[];
	if (!Array.isArray(entries)) throw new TypeError(`${file}: expected a list`);
	if (entries.some(({ id }) => id === entry.id)) throw new TypeError(`--id: "${entry.id}" is in ${file} already`);
	await writeFile(file, `[\n${[...entries, entry].map((one) => `\t${JSON.stringify(one)}`).join(',\n')}\n]\n`);
}

function tell(secret: string, entry: Entry, file: string | undefined): void {
	console.log(`The key, shown only once:\n\n  ${secret}\n`);
	console.log(`Send it as:\n\n  Authorization: Bearer ${secret}\n`);
	console.log(`${file === undefined ? 'Its line for the list in' : `Added to ${file}, for`} the secret API_KEYS:\n`);
	console.log(`  ${JSON.stringify(entry)}\n`);
	console.log('Keep the list in a file: it contains no secret. After each change, upload the whole list:\n');
	console.log(`  npx wrangler secret put API_KEYS < ${file ?? 'api-keys.json'}\n`);
}

try {
	await main();
} catch (error) {
	console.error(`${(error as Error).message}\n\n  ${USAGE}`);
	process.exitCode = 2;
}
