/** Calls to tenants' objects. A deployment without quotas for jobs has them only for tenants with topics. */
import type { ClaimNews } from '../core/job/quota-usage.ts';
import type { TenantObjectApi } from '../core/quota/tenant-api.ts';
import type { Allowance } from '../core/topic/allowance.ts';
import { logError } from '../log.ts';
import { retryTransient } from './retry-transient.ts';

export class Tenants {
	readonly #namespace: DurableObjectNamespace | undefined;

	/** @param namespace `undefined` in a deployment without quotas and without the binding. */
	constructor(namespace: DurableObjectNamespace | undefined) {
		this.#namespace = namespace;
	}

	/** Whether the deployment has such objects. */
	get isBound(): boolean {
		return this.#namespace !== undefined;
	}

	/** Calls a tenant's object. Repeats a failed call, because all its calls are idempotent. */
	call<T>(tenant: string, call: (object: TenantObjectApi) => Promise<T>): Promise<T> {
		return retryTransient(() => call(this.#objectOf(tenant)));
	}

	/** Reports a job's new usage. Never rejects: the tenant's object verifies unreported jobs when a quota is exceeded. */
	async tell(tenant: string, { type, claim }: ClaimNews): Promise<void> {
		const { reservation: name, bytes, keptUntil, summary } = claim;
		if (name === undefined) return;
		if (type === 'release' || keptUntil === undefined) return this.release(tenant, name, keptUntil);
		await this.call(tenant, (object) =>
			summary ? object.settleAction({ name, bytes, keptUntil, summary }) : object.settle(name, bytes, keptUntil),
		).catch(notTold);
	}

	/** Releases a reservation. Never rejects, as above. */
	async release(tenant: string, name: string, keptUntil?: number): Promise<void> {
		await this.call(tenant, (object) => object.release(name, keptUntil)).catch(notTold);
	}

	/** Returns a topic's quota. Never rejects: the topic's next larger share replaces the one that is counted. */
	async returnAllowance(tenant: string, topic: string, allowance: Allowance): Promise<void> {
		await this.call(tenant, (object) => object.returnAllowance(topic, allowance)).catch(notTold);
	}

	#objectOf(tenant: string): TenantObjectApi {
		if (!this.#namespace) throw new Error('Expected a binding TENANTS of the class TenantObject');
		return this.#namespace.get(this.#namespace.idFromName(tenant)) as unknown as TenantObjectApi;
	}
}

/** A name for a reservation. Names sort by age. */
export function reservationName(now: number): string {
	return `${now.toString(36).padStart(9, '0')}-${crypto.randomUUID()}`;
}

function notTold(error: unknown): void {
	logError('quota usage not reported', { error });
}
