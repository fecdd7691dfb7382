/** What a list of scopes allows. */
import { KEY_SCOPES, type KeyScope } from '../config.ts';

/** `admin` is everything of the tenant; what is no scope of ours is somebody else's. */
export function scopesOf(listed: readonly string[]): ReadonlySet<KeyScope> {
	return new Set(listed.includes('admin') ? KEY_SCOPES : KEY_SCOPES.filter((scope) => listed.includes(scope)));
}
