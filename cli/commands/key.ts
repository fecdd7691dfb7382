import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { defineCommand } from 'citty';
import { EXIT } from '../exit.ts';
import { UsageError } from '../failure.ts';
import { addEntry, type KeyEntry, makeKey, SCOPES, SECRET_BYTES, signingKeys } from '../key/api-key.ts';
import { print, printJson } from '../terminal/output.ts';

export const key = defineCommand({
	meta: { name: 'key', description: 'Create an API key, or a signing key. The key is shown once and stored nowhere' },
	args: {
		tenant: { type: 'string', description: 'The tenant that the key belongs to' },
		scopes: { type: 'string', description: `Some of ${SCOPES.join(',')}` },
		id: { type: 'string', description: 'Names the key in logs. Default: generated' },
		file: { type: 'string', description: 'The list to add the SHA-256 of the key to, for example api-keys.json' },
		signing: { type: 'boolean', description: 'Print a value for the secret SIGNING_KEYS instead' },
		json: { type: 'boolean', description: 'Print JSON' },
	},
	async run({ args: { tenant, scopes, id, file, signing, json } }) {
		const random = randomBytes(SECRET_BYTES);
		if (signing) {
			if ((tenant ?? scopes ?? id ?? file) !== undefined) throw new UsageError('--signing: expected no other option');
			print(signingKeys(random));
			return EXIT.success;
		}
		const { secret, entry } = makeKey({ tenant, scopes, id }, random);
		if (file !== undefined) await writeFile(file, addEntry(await readOrEmpty(file), entry, file));
		if (json) printJson({ key: secret, entry });
		else showKey(secret, entry, file);
		return EXIT.success;
	},
});

async function readOrEmpty(file: string): Promise<string> {
	return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return '[]';
		throw error;
	});
}

function showKey(secret: string, entry: KeyEntry, file: string | undefined): void {
	print(`The key, shown only once:\n\n  ${secret}\n`);
	print(`Send it as:\n\n  Authorization: Bearer ${secret}\n`);
	print(`${file === undefined ? 'Its line for the list in' : `Added to ${file}, for`} the secret API_KEYS:\n`);
	print(`  ${JSON.stringify(entry)}\n`);
	print('Keep the list in a file: it contains no secret. After each change, upload the whole list:\n');
	print(`  npx wrangler secret put API_KEYS < ${file ?? 'api-keys.json'}\n`);
}
