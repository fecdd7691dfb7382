/**
 * Delivers one event to a webhook's receiver. A queue message triggers the try, and the job records it and decides about
 * retries.
 */
import { type SigningKeys, secretsFor, type WebhookSecrets } from '../config/config.ts';
import { defined } from '../core/defined.ts';
import { targetRefusal } from '../core/http/target.ts';
import { type JobEvent, statusDocument } from '../core/job/document.ts';
import { WEBHOOK_TIMEOUT_MS } from '../core/job/limits.ts';
import { jobLinks } from '../core/job/links.ts';
import type { DeliveryMessage } from '../core/job/message.ts';
import type { DueDelivery, Report } from '../core/job/object-api.ts';
import type { Try } from '../core/job/webhook.ts';
import { retryAfterMs } from '../core/operation/retry-after.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { signToken } from '../token/token.ts';
import type { Connections } from './connections.ts';
import { signedMessage } from './sign.ts';

/** The dependencies of a delivery. */
export interface DeliveryDependencies {
	readonly jobs: Jobs;
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
	const made = await callReceiver(dependencies, id, due);
	if (!due.isTracked) return {};
	const { attempt } = due;
	return jobs.call(id, (job) => job.delivered(seq, defined({ ...made, attempt })));
}

async function callReceiver(dependencies: DeliveryDependencies, id: string, due: DueDelivery): Promise<Try> {
	const { url, format } = due.webhook;
	const { messageId = `${id}:${due.event.seq}` } = due;
	const event = await eventFor(dependencies, id, due);
	const secrets = secretsFor(dependencies.webhookSecrets, due.tenant);
	const { correlationId } = event.job;
	const { headers, body } = signedMessage(event, { format, id: messageId, now: Date.now(), secrets });
	try {
		const refusal = targetRefusal(url, dependencies.allowPrivateTargets);
		if (refusal !== undefined) throw new Error(`the webhook's URL is not allowed: ${refusal}`);
		if (secrets.length === 0) throw new Error('WEBHOOK_SECRETS has no secret of this tenant to sign with');
		// A redirect is a failure: the sender registered this URL and no other.
		const signal = AbortSignal.timeout(WEBHOOK_TIMEOUT_MS);
		const response = await fetch(url, {
			method: 'POST',
			headers: { ...headers, 'x-correlation-id': correlationId },
			body,
			redirect: 'manual',
			signal,
		});
		await response.body?.cancel();
		const waitMs = retryAfterMs(response.headers.get('retry-after'), Date.now());
		return defined({ code: response.status, retryAfterMs: waitMs });
	} catch (error) {
		logError('webhook not delivered', { job: id, seq: event.seq, correlationId, error });
		return {};
	}
}

/** The receiver's link grants permission to read the job, and nothing else. */
async function eventFor({ signingKeys }: DeliveryDependencies, id: string, due: DueDelivery): Promise<JobEvent> {
	const { webhook, readableUntil: expiresAt, event } = due;
	const createdAt = Date.parse(event.job.createdAt);
	const token = signToken(signingKeys, { job: id, createdAt, right: 'read', expiresAt });
	const links = jobLinks(id, defined({ origin: webhook.origin, mayCancel: false, token }));
	return { ...event, job: statusDocument(event.job, links) };
}
