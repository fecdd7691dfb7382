import { NotConfigured } from '../config/not-configured.ts';
import type { Tenants } from '../rpc/tenants.ts';

/**
 * @param feature what needs the objects of tenants, for the error.
 * @throws {NotConfigured} when the deployment has none.
 */
export function requireTenants({ isBound }: Tenants, feature: string): void {
	if (isBound) return;
	throw new NotConfigured(['TENANTS'], `Expected a binding TENANTS of the class TenantObject, for ${feature}`);
}
