/** The problem of a tenant whose topics have used up its quota. */
import { QUOTA_RETRY_SECONDS } from '../../core/quota/limits.ts';
import type { TopicShortage } from '../../core/topic/allowance.ts';
import { item } from '../access/rate-limit.ts';
import { Problem } from '../problem.ts';

const UNITS = { 'topic-bytes': 'bytes', 'topic-events': 'events' } as const;

/** @param shortage left out: many events came at once. */
export function topicQuotaExceeded(shortage: TopicShortage | undefined): Problem {
	if (!shortage) return new Problem('Overloaded', 'Many events came at once, and this one found no room: try again');
	const { quota, used, limit } = shortage;
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
