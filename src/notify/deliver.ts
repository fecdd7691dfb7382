/** Telling a webhook's receiver of one event: asked for by a message, reported to the job, tried again as the job says. */
import { type SigningKeys, secretsOf, type WebhookSecrets } from '../config.ts';
import { type JobEvent, statusDocument } from '../job/document.ts';
import { WEBHOOK_TIMEOUT_MS } from '../job/limits.ts';
import { jobLinks } from '../job/links.ts';
import type { DeliveryMessage } from '../job/message.ts';
import type { DueDelivery, Report } from '../job/object-api.ts';
import type { Try } from '../job/webhook.ts';
import { logError } from '../log.ts';
import { retryAfterMs } from '../lro/retry-after.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { refusalOf } from '../target.ts';
import { signToken } from '../token/token.ts';
import type { Connections } from './connections.ts';
import { signedMessage } from './sign.ts';

/** What a delivery needs of its deployment. */
export interface Messenger {
	readonly jobs: Jobs;
	readonly webhookSecrets: WebhookSecrets;
	readonly signingKeys: SigningKeys;
	readonly allowPrivateTargets: boolean;
	/** Those of the invocation that all of a batch's deliveries share. */
	readonly connections: Connections;
}

/**
 * Makes the try that is due. The delivery waits for its connection before anything else: the platform would let the request
 * wait with its time running out, and a receiver would count as down without having been called.
 */
export function deliver(messenger: Messenger, message: DeliveryMessage): Promise<Report> {
	return messenger.connections.use(() => deliverNow(messenger, message));
}

async function deliverNow(messenger: Messenger, { id, seq }: DeliveryMessage): Promise<Report> {
	const { jobs } = messenger;
	const due = await jobs.call(id, (job) => job.delivery(seq));
	if (!due) return {};
	if (due.waitMs > 0) return { retryInMs: due.waitMs };
	const made = await call(messenger, id, due);
	if (!due.isTracked) return {};
	const { attempt } = due;
	return jobs.call(id, (job) => job.delivered(seq, { ...made, ...(attempt !== undefined && { attempt }) }));
}

async function call(messenger: Messenger, id: string, due: DueDelivery): Promise<Try> {
	const { url, format } = due.webhook;
	const { messageId = `${id}:${due.event.seq}` } = due;
	const event = await eventFor(messenger, id, due);
	const secrets = secretsOf(messenger.webhookSecrets, due.tenant);
	const { correlationId } = event.job;
	const { headers, body } = signedMessage(format, messageId, event, Date.now(), secrets);
	try {
		const refusal = refusalOf(url, messenger.allowPrivateTargets);
		if (refusal !== undefined) throw new Error(`the address may not be called: ${refusal}`);
		if (secrets.length === 0) throw new Error('there is no secret of this tenant in WEBHOOK_SECRETS to sign with');
		// A redirect is a failure like any other: it was not there that the sender wanted its events.
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
		return { code: response.status, ...(waitMs !== undefined && { retryAfterMs: waitMs }) };
	} catch (error) {
		logError('webhook not delivered', { job: id, seq: event.seq, correlationId, error });
		return {};
	}
}

/** The receiver may read the job, and nothing more. */
async function eventFor({ signingKeys }: Messenger, id: string, due: DueDelivery): Promise<JobEvent> {
	const { webhook, readableUntil: expiresAt, event } = due;
	const createdAt = Date.parse(event.job.createdAt);
	const token = signToken(signingKeys, { job: id, createdAt, right: 'read', expiresAt });
	const links = jobLinks(id, { origin: webhook.origin, mayCancel: false, ...(token !== undefined && { token }) });
	return { ...event, job: statusDocument(event.job, links) };
}
