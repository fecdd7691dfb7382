/** Sends a topic's event to the receiver of a subscription, signed like the events of jobs. */
import { Buffer } from 'node:buffer';
import { secretsFor, type WebhookSecrets } from '../config/secrets.ts';
import type { TopicEvent } from '../core/topic/event.ts';
import type { WebhookTarget } from '../core/topic/subscription.ts';
import { callReceiver } from '../webhook/call-receiver.ts';
import type { Connections } from '../webhook/connections.ts';
import { type MessageBody, type SignedMessage, signMessage } from '../webhook/sign.ts';
import type { Delivered, SubscribedEvent } from './delivered.ts';

export interface ReceiverDependencies {
	readonly webhookSecrets: WebhookSecrets;
	readonly allowPrivateTargets: boolean;
	/** The connections of the invocation, shared by all deliveries of a batch. */
	readonly connections: Connections;
}

export async function sendToReceiver(
	dependencies: ReceiverDependencies,
	subscribed: SubscribedEvent,
	target: WebhookTarget,
): Promise<Delivered> {
	const { event, topicId, claim, work } = subscribed;
	const { tenant, topic } = work.settings;
	// The same in every try, and never again for a later subscription of this name. No message of a job begins so: receivers
	// tell by it that a publisher's data is no job's.
	const id = `topic-${topicId}:${claim.createdAt}:${event.seq}`;
	const secrets = secretsFor(dependencies.webhookSecrets, tenant);
	const source = `${target.origin}/v1/topics/${topic}`;
	const unsigned: SignedMessage<MessageBody> =
		target.format === 'cloudevents' ? cloudEventMessage({ id, source }, event) : standardMessage(event);
	const made = await dependencies.connections.use(() => {
		const message = signMessage(unsigned, { id, now: Date.now(), secrets });
		const call = { url: target.url, message, correlationId: event.correlationId, isSigned: secrets.length > 0 };
		return callReceiver(call, dependencies, { topic, subscription: claim.name, seq: event.seq });
	});
	const isDelivered = made.code !== undefined && made.code >= 200 && made.code < 300;
	return isDelivered ? { type: 'delivered' } : { type: 'failed', ...made };
}

/** The Standard Webhooks envelope: its data is the whole event, as readers get it. */
function standardMessage(event: TopicEvent): SignedMessage {
	return { headers: {}, body: JSON.stringify({ type: event.type, timestamp: event.at, data: event }) };
}

/** CloudEvents 1.0, HTTP binding, binary mode: attributes in headers, the data as it was published in the body. */
function cloudEventMessage(
	name: { readonly id: string; readonly source: string },
	event: TopicEvent,
): SignedMessage<MessageBody> {
	const { type, at, data, dataBase64, mediaType = 'application/json' } = event;
	const headers = {
		'ce-specversion': '1.0',
		'ce-id': name.id,
		'ce-source': name.source,
		'ce-type': type,
		'ce-time': at,
		'content-type': mediaType,
	};
	if (dataBase64 !== undefined) return { headers, body: Uint8Array.from(Buffer.from(dataBase64, 'base64')) };
	return { headers, body: data === undefined ? '' : JSON.stringify(data) };
}
