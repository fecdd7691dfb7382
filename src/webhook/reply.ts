/** Publishes the end of a job to the reply topic of the subscription that made it: in place of a call to a receiver. */
import { defined } from '../core/defined.ts';
import { essence, isJson } from '../core/http/media-type.ts';
import type { JobEvent } from '../core/job/document.ts';
import type { DueDelivery, Reading } from '../core/job/object-api.ts';
import type { Try } from '../core/job/webhook.ts';
import type { TopicQuotas } from '../core/topic/allowance.ts';
import { MAX_INLINE_RESULT_BYTES } from '../core/topic/limits.ts';
import type { Retention } from '../core/topic/retention.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import type { Tenants } from '../rpc/tenants.ts';
import type { Topics } from '../rpc/topics.ts';

export interface ReplyDependencies {
	readonly jobs: Jobs;
	readonly tenants: Tenants;
	/** Absent in a Worker without a binding for topics. */
	readonly topics?: Topics;
	readonly topicRetention: Retention;
	readonly topicQuotas: TopicQuotas | undefined;
}

/** The statuses that stand for the outcome, as if a receiver had answered. */
const PUBLISHED = 202;
const NO_ROOM = 429;

/** @param event with the links of a reader. */
export async function publishReply(dependencies: ReplyDependencies, due: DueDelivery, event: JobEvent): Promise<Try> {
	const { topics, tenants, topicRetention: retention, topicQuotas: quotas } = dependencies;
	const { tenant, webhook, messageId = '' } = due;
	const { replyTopic: topic = '' } = webhook;
	if (!topics) return {};
	try {
		const { id, correlationId } = event.job;
		const result = await inlineResult(dependencies, id, due);
		const data = JSON.stringify({ ...event.job, ...(result === undefined ? {} : { result }) });
		const publication = {
			event: defined({ type: event.type, correlationId, data, hops: webhook.replyHops }),
			// A repeated delivery is the same event, whatever the job's document says by then.
			idempotency: { key: `reply:${messageId}`, digest: messageId },
			settings: { tenant, topic, retention },
		};
		const published = await topics.publishWithin(topics.idFor(tenant, topic), publication, { tenants, quotas });
		return { code: published.published ? PUBLISHED : NO_ROOM };
	} catch (error) {
		logError('reply not published', { job: event.job.id, seq: event.seq, topic, error });
		return {};
	}
}

/** The result of a job that succeeded, if it is small JSON. */
async function inlineResult({ jobs }: ReplyDependencies, id: string, { tenant, event }: DueDelivery): Promise<unknown> {
	if (event.type !== 'succeeded') return undefined;
	const reading = await jobs.call<Reading>(id, (job) => job.readJob({ tenant }, { withOutcome: true }));
	// The job may have been run again since.
	if (reading.found !== 'job' || reading.view.facts.seq !== event.seq) return undefined;
	if (reading.outcome?.kind !== 'reply') return undefined;
	const { body } = reading.outcome.reply;
	if (!body || !('inline' in body) || body.sizeBytes > MAX_INLINE_RESULT_BYTES || !isJson(essence(body.mediaType)))
		return undefined;
	return JSON.parse(new TextDecoder().decode(body.inline)) as unknown;
}
