/**
 * The message to a webhook's receiver: the event in the requested format, signed as Standard Webhooks (standardwebhooks.com).
 * It has one signature for each configured secret, so that a receiver can rotate its secret without missing an event.
 */
import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import type { JobEvent } from '../core/job/document.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';
import type { WebhookFormat } from '../core/job/record.ts';

export type MessageBody = string | Uint8Array<ArrayBuffer>;

export interface SignedMessage<Body extends MessageBody = string> {
	readonly headers: Record<string, string>;
	readonly body: Body;
}

const SECRET_PREFIX = 'whsec_';

/** Both formats name a job's event `job.<type>`. */
const TYPE_PREFIX = 'job.';

export interface SigningOptions {
	readonly format: WebhookFormat;
	/** The message's id: the same in every try, so that a receiver can detect repeated deliveries. */
	readonly id: string;
	/** The time of sending, in milliseconds since the epoch: a receiver rejects messages that are too old. */
	readonly now: number;
	/** `whsec_…`. Without a secret, the message has no signature. */
	readonly secrets: readonly string[];
}

/** The message about a job's event. */
export function signedMessage(event: JobEvent, options: SigningOptions): SignedMessage {
	return signMessage(options.format === 'cloudevents' ? cloudEvent(options.id, event) : standard(event), options);
}

/** Signs a message: the bytes of its body, whatever they are. Its own headers take precedence. */
export function signMessage<Body extends MessageBody>(
	{ headers, body }: SignedMessage<Body>,
	{ id, now, secrets }: Omit<SigningOptions, 'format'>,
): SignedMessage<Body> {
	const timestamp = String(Math.floor(now / MS_PER_SECOND));
	const signatures = secrets.map((secret) => {
		const hmac = createHmac('sha256', Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64'));
		return `v1,${hmac.update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
	});
	return {
		body,
		headers: {
			'content-type': 'application/json',
			...headers,
			'user-agent': 'Coatcheck-Webhook/1',
			'webhook-id': id,
			'webhook-timestamp': timestamp,
			'webhook-signature': signatures.join(' '),
		},
	};
}

function standard({ type, at, job }: JobEvent): SignedMessage {
	return { headers: {}, body: JSON.stringify({ type: TYPE_PREFIX + type, timestamp: at, data: job }) };
}

/** CloudEvents 1.0, HTTP binding, binary mode: attributes in headers, the status document in the body. */
function cloudEvent(id: string, { type, at, job }: JobEvent): SignedMessage {
	const { self } = job.links;
	const headers = {
		'ce-specversion': '1.0',
		'ce-id': id,
		'ce-source': self.replace(/\?.*$/, ''),
		'ce-type': TYPE_PREFIX + type,
		'ce-subject': job.id,
		'ce-time': at,
	};
	return { headers, body: JSON.stringify(job) };
}
