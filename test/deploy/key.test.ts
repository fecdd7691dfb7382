import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

async function key(...args: string[]): Promise<{ stdout: string; secret: string; entry: Record<string, unknown> }> {
	const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, 'key', ...args]);
	const secret = /ck_[\w-]+/.exec(stdout)?.[0] ?? '';
	return { stdout, secret, entry: JSON.parse(/^ {2}(\{.*\})$/m.exec(stdout)?.[1] ?? '') };
}

describe('npm run key', () => {
	it('shows a secret of 256 bits and the line that knows it by its SHA-256 only', async () => {
		const { secret, entry, stdout } = await key('--tenant', 'acme', '--scopes', 'submit,read', '--id', 'ci');
		expect(Buffer.from(secret.slice(3), 'base64url')).toHaveLength(32);
		const sha256 = createHash('sha256').update(secret).digest('hex');
		expect(entry).toEqual({ id: 'ci', tenant: 'acme', sha256, scopes: ['submit', 'read'] });
		expect(stdout).toContain('wrangler secret put API_KEYS');
	});

	it('makes another secret and another id each time', async () => {
		const [one, two] = await Promise.all([1, 2].map(() => key('--tenant', 'acme', '--scopes', 'read')));
		expect(one?.secret).not.toBe(two?.secret);
		expect(one?.entry.id).not.toBe(two?.entry.id);
	});

	it('adds the line to a file, but never the secret, and no id twice', async () => {
		const folder = await mkdtemp(join(tmpdir(), 'coatcheck-key-'));
		onTestFinished(() => rm(folder, { recursive: true }));
		const file = join(folder, 'api-keys.json');
		const args = ['--tenant', 'acme', '--scopes', 'read', '--file', file];
		const first = await key(...args, '--id', 'old');
		const second = await key(...args, '--id', 'new');
		const text = await readFile(file, 'utf8');
		expect(JSON.parse(text)).toEqual([first.entry, second.entry]);
		expect(text).not.toContain('ck_');
		await expect(key(...args, '--id', 'new')).rejects.toThrow('"new" is in');
	});

	it.each([
		[['--scopes', 'read'], '--tenant'],
		[['--tenant', 'acme'], '--scopes'],
		[['--tenant', 'acme', '--scopes', 'read,write'], '--scopes'],
		[['--tenant', 'acme', '--scopes', 'read', '--id', 'a b'], '--id'],
		[['--tenants', 'acme'], '--tenants'],
	])('refuses %j, and names what is wrong', async (args, name) => {
		await expect(key(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(name) });
	});
});
