/** Expands a list of scopes. */
import { KEY_SCOPES, type KeyScope } from '../../config/scopes.ts';

/** The right to purge. A key's scope `cancel` includes it; a link's token never does. */
export const PURGE = 'purge';

/** The right to read a job's input. A key's scope `read` includes it; a link's token never does. */
export const INPUT = 'input';
/** The right of every key, whatever its scopes. No link's token has it. */
export const ANY_KEY = 'key';

/** A right that a route can require of a key. */
export type KeyRight = KeyScope | typeof PURGE | typeof INPUT | typeof ANY_KEY;

/** `admin` includes all scopes. Unknown scopes are ignored: they are for other services. */
export function expandScopes(listed: readonly string[]): ReadonlySet<KeyRight> {
	const scopes = listedScopes(new Set(listed));
	const rights: KeyRight[] = [...scopes, ANY_KEY];
	if (scopes.includes('cancel')) rights.push(PURGE);
	if (scopes.includes('read')) rights.push(INPUT);
	return new Set(rights);
}

/** The scopes among a caller's rights. */
export function listedScopes(rights: ReadonlySet<string>): readonly KeyScope[] {
	return rights.has('admin') ? KEY_SCOPES : KEY_SCOPES.filter((scope) => rights.has(scope));
}

/** The scope that a key needs for a right. */
export function keyScopeFor(right: string): string {
	if (right === PURGE) return 'cancel';
	return right === INPUT ? 'read' : right;
}
