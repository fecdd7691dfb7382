/** What a list of scopes allows. */
import { KEY_SCOPES, type KeyScope } from '../config.ts';

/** What a key's scope `cancel` allows beside canceling, and a link's token never does. */
export const PURGE = 'purge';

/** `admin` is everything of the tenant. Words that are no scopes are passed over: they are for other services. */
export function scopesOf(listed: readonly string[]): ReadonlySet<KeyScope | typeof PURGE> {
	const scopes = listed.includes('admin') ? KEY_SCOPES : KEY_SCOPES.filter((scope) => listed.includes(scope));
	return new Set([...scopes, ...(scopes.includes('cancel') ? ([PURGE] as const) : [])]);
}
