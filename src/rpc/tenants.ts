/** How the rest of the Worker reaches a tenant's object. There are none where nothing is counted. */
import type { ClaimNews } from '../job/claim.ts';
import { logError } from '../log.ts';
import type { TenantObjectApi } from '../quota/tenant-api.ts';
import { repeatedly } from './repeatedly.ts';

export class Tenants {
	readonly #namespace: DurableObjectNamespace | undefined;

	/** @param namespace `undefined` in a deployment without quotas that has none. */
	constructor(namespace: DurableObjectNamespace | undefined) {
		this.#namespace = namespace;
	}

	/** Calls a tenant's object, again when that may help: none of its calls does harm twice. */
	call<T>(tenant: string, call: (object: TenantObjectApi) => Promise<T>): Promise<T> {
		return repeatedly(() => call(this.#objectOf(tenant)));
	}

	/** Tells what has become of a job. Never rejects: what the tenant's object wasn't told, it asks for when room is short. */
	async tell(tenant: string, { type, claim }: ClaimNews): Promise<void> {
		const { reservation: name, bytes, keptUntil } = claim;
		if (name === undefined) return;
		if (type === 'release' || keptUntil === undefined) return this.release(tenant, name, keptUntil);
		await this.call(tenant, (object) => object.settle(name, bytes, keptUntil)).catch(notTold);
	}

	/** Gives room back. Never rejects, as above. */
	async release(tenant: string, name: string, keptUntil?: number): Promise<void> {
		await this.call(tenant, (object) => object.release(name, keptUntil)).catch(notTold);
	}

	#objectOf(tenant: string): TenantObjectApi {
		if (!this.#namespace) throw new Error('There is no binding TENANTS');
		return this.#namespace.get(this.#namespace.idFromName(tenant)) as unknown as TenantObjectApi;
	}
}

function notTold(error: unknown): void {
	logError('quota not told', { error });
}
