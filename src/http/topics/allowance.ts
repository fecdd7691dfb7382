/** Gets a topic a larger share of its tenant's quota for topics, before anything is stored. */

import { QUOTA_RETRY_SECONDS } from '../../core/quota/limits.ts';
import type { Allowance, AllowanceRequest, TopicShortage } from '../../core/topic/allowance.ts';
import { tenantOf } from '../access/auth.ts';
import { item } from '../access/rate-limit.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';

/** @throws {Problem} `QuotaExceeded` */
export async function getAllowance(
	{ tenants, principal, config }: Pick<RequestContext, 'tenants' | 'principal' | 'config'>,
	topic: string,
	request: AllowanceRequest,
): Promise<Allowance> {
	const { topicQuotas: quotas } = config;
	if (!quotas) return request.wanted;
	const granted = await tenants.call(tenantOf(principal), (object) =>
		object.grantAllowance({ ...request, topic, quotas }),
	);
	if ('shortage' in granted) throw topicQuotaExceeded(granted.shortage);
	return granted.allowance;
}

const UNITS = { 'topic-bytes': 'bytes', 'topic-events': 'events' } as const;

function topicQuotaExceeded({ quota, used, limit }: TopicShortage): Problem {
	const unit = UNITS[quota];
	const detail = `The tenant's other topics have ${used} of at most ${limit} ${unit}: nothing was stored, try again later`;
	return new Problem('QuotaExceeded', detail, {
		headers: {
			'retry-after': String(QUOTA_RETRY_SECONDS.min + Math.floor(Math.random() * QUOTA_RETRY_SECONDS.spread)),
			'ratelimit-policy': item(quota, { q: limit, qu: unit === 'bytes' ? 'content-bytes' : unit }),
			ratelimit: item(quota, { r: Math.max(0, limit - used) }),
		},
	});
}
