/** API keys: random secrets. The deployment stores only their SHA-256. */
import type { ApiKey } from '../../config/config.ts';
import type { Principal } from './auth.ts';
import { scopesOf } from './scopes.ts';

/** @returns `undefined` for an unknown secret. The comparison takes constant time, so its duration reveals nothing. */
export async function principalOfKey(keys: readonly ApiKey[], secret: string): Promise<Principal | undefined> {
	const sha256 = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret));
	const [key] = keys.filter((candidate) => crypto.subtle.timingSafeEqual(candidate.sha256, sha256));
	return key && { tenant: key.tenant, scopes: scopesOf(key.scopes), name: `key:${key.id}` };
}
