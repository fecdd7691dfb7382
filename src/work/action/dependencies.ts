/** What bulk actions need, beyond what every attempt has. */
import type { Quotas } from '../../core/quota/quotas.ts';
import type { Lanes } from '../../queue/lanes.ts';
import type { ListTeller } from '../../rpc/list-teller.ts';
import type { Lists } from '../../rpc/lists.ts';
import type { Tenants } from '../../rpc/tenants.ts';

export interface ActionDependencies {
	readonly lists: Lists;
	/** `undefined` where the list of jobs is off. */
	readonly teller: ListTeller | undefined;
	readonly tenants: Tenants;
	readonly quotas: Quotas | undefined;
	readonly lanes: Lanes;
	readonly maxBacklog: number;
	readonly actionJobsPerSecond: number;
}
