/** Expands a list of scopes. */
import { KEY_SCOPES, type KeyScope } from '../../config/config.ts';

/** The right to purge. A key's scope `cancel` includes it; a link's token never does. */
export const PURGE = 'purge';

/** `admin` includes all scopes. Unknown scopes are ignored: they are for other services. */
export function expandScopes(listed: readonly string[]): ReadonlySet<KeyScope | typeof PURGE> {
	const scopes = listed.includes('admin') ? KEY_SCOPES : KEY_SCOPES.filter((scope) => listed.includes(scope));
	return new Set([...scopes, ...(scopes.includes('cancel') ? ([PURGE] as const) : [])]);
}
