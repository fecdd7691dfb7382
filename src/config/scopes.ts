/** The scopes of callers. `admin` includes all rights in the tenant. */
export const KEY_SCOPES = ['submit', 'read', 'cancel', 'operate', 'admin'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];
