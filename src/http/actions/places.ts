/** Limits the number of unfinished actions of a tenant. Counts them as quotas count jobs, so the limit is exact. */

import type { AcceptTerms } from '../../core/job/object-api.ts';
import { ACTION_TASK, quotaAccount } from '../../core/job/system-task.ts';
import { QUOTA_RETRY_SECONDS } from '../../core/quota/limits.ts';
import { reservationName } from '../../rpc/tenants.ts';
import { tenantOf } from '../access/auth.ts';
import { item } from '../access/rate-limit.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { requireTenants } from '../require-tenants.ts';

/** The place of an action among the unfinished ones of its tenant. */
export interface ActionPlace {
	readonly reservation?: string;
	readonly terms: AcceptTerms;
	/** Why no new action has a place. One that is there already needs none. */
	readonly noRoom?: Problem;
}

/** @param id the id of the action's job. */
export async function reserveActionPlace(context: RequestContext, id: string): Promise<ActionPlace> {
	const { tenants, config } = context;
	requireTenants(tenants, 'bulk actions');
	const name = reservationName(Date.now());
	const request = { name, job: id, bytes: 0 };
	const limit = { maxJobsInFlight: config.maxActions };
	const reserved = await tenants.call(accountOfActions(context), (object) => object.reserve(request, limit));
	if (reserved.reserved) return { reservation: name, terms: { acceptBy: reserved.acceptBy } };
	return { terms: { isReplayOnly: true }, noRoom: tooManyActions(config.maxActions) };
}

/** Call it only when no action was made with this place. */
export async function releaseActionPlace(context: RequestContext, { reservation }: ActionPlace): Promise<void> {
	if (reservation !== undefined) await context.tenants.release(accountOfActions(context), reservation);
}

export function accountOfActions({ principal }: RequestContext): string {
	return quotaAccount({ tenant: tenantOf(principal), task: ACTION_TASK });
}

function tooManyActions(limit: number): Problem {
	const detail = `The tenant has ${limit} of at most ${limit} unfinished actions: wait until one has ended, or stop one`;
	return new Problem('QuotaExceeded', detail, {
		headers: {
			'retry-after': String(QUOTA_RETRY_SECONDS.min + Math.floor(Math.random() * QUOTA_RETRY_SECONDS.spread)),
			'ratelimit-policy': item('actions', { q: limit, qu: 'concurrent-requests' }),
			ratelimit: item('actions', { r: 0 }),
		},
	});
}
