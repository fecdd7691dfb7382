/**
 * Delivers one event to a webhook's receiver. A queue message triggers the try, and the job records it and decides about
 * retries.
 */
import { type SigningKeys, secretsFor, type WebhookSecrets } from '../config/secrets.ts';
import { defined } from '../core/defined.ts';
import { type JobEvent, statusDocument } from '../core/job/document.ts';
import { jobLinks } from '../core/job/links.ts';
import type { DeliveryMessage } from '../core/job/message.ts';
import type { DueDelivery, Report } from '../core/job/object-api.ts';
import type { Try } from '../core/job/webhook.ts';
import { signToken } from '../token/token.ts';
import { traceSpan } from '../trace.ts';
import { callReceiver } from './call-receiver.ts';
import type { Connections } from './connections.ts';
import { publishReply, type ReplyDependencies } from './reply.ts';
import { signedMessage } from './sign.ts';

/** The dependencies of a delivery. */
export interface DeliveryDependencies extends ReplyDependencies {
	readonly webhookSecrets: WebhookSecrets;
	readonly signingKeys: SigningKeys;
	readonly allowPrivateTargets: boolean;
	/** The connections of the invocation, shared by all deliveries of a batch. */
	readonly connections: Connections;
}

/**
 * Makes the try that is due. The delivery waits for its connection first. Otherwise the platform would queue the request while
 * its timeout runs, and a receiver that was never called would count as down.
 */
export function deliver(dependencies: DeliveryDependencies, message: DeliveryMessage): Promise<Report> {
	return dependencies.connections.use(() => deliverNow(dependencies, message));
}

async function deliverNow(dependencies: DeliveryDependencies, { id, seq }: DeliveryMessage): Promise<Report> {
	const { jobs } = dependencies;
	const due = await jobs.call(id, (job) => job.delivery(seq));
	if (!due) return {};
	if (due.waitMs > 0) return { retryInMs: due.waitMs };
	const made = await makeTracedTry(dependencies, id, due);
	if (!due.isTracked) return {};
	const { attempt } = due;
	return jobs.call(id, (job) => job.delivered(seq, defined({ ...made, attempt })));
}

function makeTracedTry(dependencies: DeliveryDependencies, id: string, due: DueDelivery): Promise<Try> {
	const { event, attempt, traceparent } = due;
	const { task, correlationId } = event.job;
	const facts = { job: id, task, seq: event.seq, attempt, correlationId, traceparent };
	return traceSpan('coatcheck.delivery', facts, async (addFacts) => {
		const made = await makeTry(dependencies, id, due);
		addFacts({ status: made.code });
		return made;
	});
}

async function makeTry(dependencies: DeliveryDependencies, id: string, due: DueDelivery): Promise<Try> {
	const { url, format } = due.webhook;
	const { messageId = `${id}:${due.event.seq}` } = due;
	const event = await eventFor(dependencies, id, due);
	if (due.webhook.replyTopic !== undefined) return publishReply(dependencies, due, event);
	const secrets = secretsFor(dependencies.webhookSecrets, due.tenant);
	const { correlationId } = event.job;
	const message = signedMessage(event, { format, id: messageId, now: Date.now(), secrets });
	const call = { url, message, correlationId, isSigned: secrets.length > 0 };
	return callReceiver(call, dependencies, { job: id, seq: event.seq });
}

/** The receiver's link grants permission to read the job, and nothing else. */
async function eventFor({ signingKeys }: DeliveryDependencies, id: string, due: DueDelivery): Promise<JobEvent> {
	const { webhook, readableUntil: expiresAt, event } = due;
	const createdAt = Date.parse(event.job.createdAt);
	const token = signToken(signingKeys, { job: id, createdAt, right: 'read', expiresAt });
	const links = jobLinks(id, defined({ origin: webhook.origin, mayCancel: false, token }));
	return { ...event, job: statusDocument(event.job, links) };
}
