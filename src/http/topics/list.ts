/** `GET /v1/topics`: the topics of the tenant. */
import { defined } from '../../core/defined.ts';
import { JOBS_TOPIC, TOPIC_NAME } from '../../core/topic/names.ts';
import { tenantOf } from '../access/auth.ts';
import { PRIVATE } from '../job-response.ts';
import { readPageQuery } from '../page-query.ts';
import type { RequestContext } from '../request-context.ts';
import { requireTenants } from '../require-tenants.ts';

/** Sorted by name. The topic of the tenant's jobs comes before all others, because it is there without being made. */
export async function listTopics(context: RequestContext): Promise<Response> {
	const { tenants, principal, config, url } = context;
	requireTenants(tenants, 'a list of topics');
	const { limit, position: after } = readPageQuery(url, parseTopicCursor);
	// One more than asked for shows whether there is another page.
	const query = defined({ after, limit: limit + 1 });
	const names = await tenants.call(tenantOf(principal), (object) => object.listTopics(query));
	const page = names.slice(0, limit);
	const hasJobs = config.isListOn && after === undefined;
	// It is among the others too when it has subscriptions.
	const others = page.filter((name) => name !== JOBS_TOPIC);
	const topics = (hasJobs ? [JOBS_TOPIC, ...others] : others).map((name) => ({ name }));
	const nextCursor = names.length > limit ? page.at(-1) : undefined;
	return Response.json(defined({ topics, nextCursor }), { headers: PRIVATE });
}

function parseTopicCursor(cursor: string): string | undefined {
	return TOPIC_NAME.test(cursor) ? cursor : undefined;
}
