/** Runs a finished job again. The new run needs a quota reservation of its own, like a new job. The caller sends the job's message. */
import { defined } from '../core/defined.ts';
import type { Change, RetryTerms } from '../core/job/object-api.ts';
import type { Quotas } from '../core/quota/quotas.ts';
import type { Reserved } from '../core/quota/tenant-api.ts';
import type { Jobs } from './jobs.ts';
import { reservationName, type Tenants } from './tenants.ts';

export interface RerunDependencies {
	readonly jobs: Jobs;
	readonly tenants: Tenants;
	/** `undefined` disables counting. */
	readonly quotas: Quotas | undefined;
}

export interface Rerun {
	/** The job's id. */
	readonly id: string;
	readonly tenant: string;
	/** Gives the command to the job, with its reservation. */
	readonly rerun: (terms: RetryTerms) => Promise<Change>;
}

/** The job's answer, or the quota that has no room. */
export type Reran =
	| { readonly type: 'answered'; readonly change: Change }
	| ({ readonly type: 'no room' } & Omit<Extract<Reserved, { reserved: false }>, 'reserved'>);

/** Releases the reservation again if the job refuses. */
export async function rerunJob(dependencies: RerunDependencies, run: Rerun): Promise<Reran> {
	const { quotas, tenants } = dependencies;
	const { tenant, rerun } = run;
	if (!quotas) return { type: 'answered', change: await rerun({}) };
	const name = reservationName(Date.now());
	const reserved = await reserveForRerun(dependencies, run, { name, quotas });
	if (!reserved.reserved) {
		const { shortage, roomAt } = reserved;
		return defined({ type: 'no room' as const, shortage, roomAt });
	}
	const change = await rerun({ reservation: name, acceptBy: reserved.acceptBy });
	if (change.found !== 'job' || change.refusal !== undefined) await tenants.release(tenant, name);
	return { type: 'answered', change };
}

/** The job's bytes are stored, and counted, already. */
async function reserveForRerun(
	{ jobs, tenants }: RerunDependencies,
	{ id, tenant }: Rerun,
	{ name, quotas }: { readonly name: string; readonly quotas: Quotas },
): Promise<Reserved> {
	const claim = await jobs.call(id, (job) => job.claim());
	const request = { name, job: id, bytes: claim?.bytes ?? 0, isStored: true };
	return tenants.call(tenant, (object) => object.reserve(request, quotas));
}
