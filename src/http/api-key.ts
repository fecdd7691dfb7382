/** API keys: random secrets that are known here only by their SHA-256. */
import type { ApiKey } from '../config.ts';
import type { Principal } from './auth.ts';
import { scopesOf } from './scopes.ts';

/** @returns `undefined` for a secret that is none of the keys. How long that takes says nothing of how near it was. */
export async function principalOfKey(keys: readonly ApiKey[], secret: string): Promise<Principal | undefined> {
	const sha256 = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret));
	const [key] = keys.filter((candidate) => crypto.subtle.timingSafeEqual(candidate.sha256, sha256));
	return key && { tenant: key.tenant, scopes: scopesOf(key.scopes), name: `key:${key.id}` };
}
