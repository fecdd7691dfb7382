/** What signs links and webhooks. */

/** Keys for the tokens in links. The first signs, all verify, so that keys can be rotated without breaking links. */
export type SigningKeys = ReadonlyMap<string, Uint8Array>;

/**
 * Secrets that sign webhooks: `whsec_…`, with all of a tenant's secrets. `*` is the entry for tenants without their own. A
 * tenant without a secret can't use webhooks.
 */
export type WebhookSecrets = ReadonlyMap<string, readonly string[]>;

export const EVERY_TENANT = '*';

export function secretsFor(secrets: WebhookSecrets, tenant: string): readonly string[] {
	return secrets.get(tenant) ?? secrets.get(EVERY_TENANT) ?? [];
}
