/** `GET /v1/topics`: the topics of the tenant. */
import { defined } from '../../core/defined.ts';
import { JOBS_TOPIC, TOPIC_NAME } from '../../core/topic/names.ts';
import { tenantOf } from '../access/auth.ts';
import { PRIVATE } from '../job-response.ts';
import { readPageQuery } from '../page-query.ts';
import type { RequestContext } from '../request-context.ts';
import { requireTenants } from '../require-tenants.ts';

/** The cursor behind the topic of the jobs, before all other names. No topic has this name. */
const BEHIND_JOBS = '~';

/** Sorted by name. The topic of the tenant's jobs comes before all others, because it is there without being made. */
export async function listTopics(context: RequestContext): Promise<Response> {
	const { tenants, principal, config, url } = context;
	requireTenants(tenants, 'a list of topics');
	const { limit, position: after } = readPageQuery(url, parseTopicCursor);
	const first = config.isListOn && after === undefined ? [JOBS_TOPIC] : [];
	const places = limit - first.length;
	// One more than there are places shows whether there is another page.
	const query = defined({ after, limit: places + 1 });
	const names = await tenants.call(tenantOf(principal), (object) => object.listTopics(query));
	const page = names.slice(0, places);
	// The topic of the jobs is among the others, too, when it has subscriptions.
	const topics = [...first, ...page.filter((name) => name !== JOBS_TOPIC)].map((name) => ({ name }));
	const nextCursor = names.length > places ? (page.at(-1) ?? BEHIND_JOBS) : undefined;
	return Response.json(defined({ topics, nextCursor }), { headers: PRIVATE });
}

/** @returns the name after which the page begins. */
function parseTopicCursor(cursor: string): string | undefined {
	if (cursor === BEHIND_JOBS) return '';
	return TOPIC_NAME.test(cursor) ? cursor : undefined;
}
