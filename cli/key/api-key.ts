/** API keys and signing keys. The deployment gets only an API key's SHA-256. Pure: randomness comes from the caller. */
import { createHash } from 'node:crypto';
import { UsageError } from '../failure.ts';

export const SCOPES = ['submit', 'read', 'cancel', 'operate', 'admin'] as const;
/** Bytes of randomness in an API key and in a signing key. */
export const SECRET_BYTES = 32;
/** Identifies the key to people, and to programs that search for leaked secrets. */
const PREFIX = 'ck_';

/** One entry of the secret `API_KEYS`. */
export interface KeyEntry {
	readonly id: string;
	readonly tenant: string;
	readonly sha256: string;
	readonly scopes: readonly string[];
}

export interface KeyOptions {
	readonly tenant?: string | undefined;
	/** Separated by commas. */
	readonly scopes?: string | undefined;
	/** Default: made of the random bytes. */
	readonly id?: string | undefined;
}

/** @throws {UsageError} */
export function makeKey(
	{ tenant = '', scopes = '', id }: KeyOptions,
	random: Buffer,
): { readonly secret: string; readonly entry: KeyEntry } {
	const listed = scopes.split(',').filter(Boolean);
	const isKnown = (scope: string) => (SCOPES as readonly string[]).includes(scope);
	if (!/^[\x21-\x7e]{1,128}$/.test(tenant))
		throw new UsageError('--tenant: expected 1 to 128 visible ASCII characters');
	if (listed.length === 0 || !listed.every(isKnown))
		throw new UsageError(`--scopes: expected some of ${SCOPES.join(',')}, got: "${scopes}"`);
	if (id !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(id))
		throw new UsageError('--id: expected 1 to 64 letters, digits, dots, dashes and underscores');
	const secret = PREFIX + random.toString('base64url');
	const sha256 = createHash('sha256').update(secret).digest('hex');
	// The first digits of the hash tell two keys apart, and nothing about the key.
	return { secret, entry: { id: id ?? `key-${sha256.slice(0, 8)}`, tenant, sha256, scopes: listed } };
}

/** The list with the entry added, one entry a line. @throws {UsageError} */
export function addEntry(text: string, entry: KeyEntry, file: string): string {
	const entries = readEntries(text, file);
	if (entries.some(({ id }) => id === entry.id)) throw new UsageError(`--id: "${entry.id}" is in ${file} already`);
	return `[\n${[...entries, entry].map((one) => `\t${JSON.stringify(one)}`).join(',\n')}\n]\n`;
}

/** The value of the secret `SIGNING_KEYS`. */
export function signingKeys(random: Buffer): string {
	return JSON.stringify({ k1: random.toString('base64') });
}

function readEntries(text: string, file: string): readonly KeyEntry[] {
	try {
		const entries: unknown = JSON.parse(text);
		if (Array.isArray(entries)) return entries as KeyEntry[];
	} catch {
		// Reported below.
	}
	throw new UsageError(`${file}: expected a JSON list of keys`);
}
