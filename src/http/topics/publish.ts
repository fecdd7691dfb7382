/** `POST /v1/topics/{topic}/events`: publishes an event. The 202 is sent when the event is durable. */
import { JOBS_TOPIC } from '../../core/topic/names.ts';
import type { Published } from '../../core/topic/topic-api.ts';
import { PRIVATE } from '../job-response.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { type EventDraft, readEventDraft } from './draft-event.ts';
import { topicQuotaExceeded } from './quota.ts';
import { type RequestedTopic, requestedTopic } from './topic.ts';

export async function publishEvent(context: RequestContext): Promise<Response> {
	const topic = requestedTopic(context);
	if (topic.settings.topic === JOBS_TOPIC)
		throw new Problem('Forbidden', `Only the service publishes to the topic "${JOBS_TOPIC}": choose another name`);
	const draft = await readEventDraft(context);
	if (draft.event.correlationId !== undefined) context.correlation.adopt(draft.event.correlationId);
	const published = await publishDraft(context, topic, draft);
	const headers = { ...PRIVATE, ...(published.isReplay ? { 'idempotent-replayed': 'true' } : {}) };
	return Response.json({ seq: published.seq }, { status: 202, headers });
}

/** @throws {Problem} `QuotaExceeded`, `IdempotencyKeyReused` */
async function publishDraft(
	context: RequestContext,
	{ topics, id, settings }: RequestedTopic,
	draft: EventDraft,
): Promise<Extract<Published, { published: true }>> {
	const payer = { tenants: context.tenants, quotas: context.config.topicQuotas };
	const published = await topics.publishWithin(id, { ...draft, settings }, payer);
	if (published.published) return published;
	throw published.reason === 'key-reused' ? eventKeyReused() : topicQuotaExceeded(published.shortage);
}

function eventKeyReused(): Problem {
	const message = 'expected a new key: this one belongs to a different event';
	return new Problem('IdempotencyKeyReused', 'The idempotency key was already used for another event: send a new key', {
		errors: [{ header: 'Idempotency-Key', message }],
	});
}
