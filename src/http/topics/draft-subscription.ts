/** Reads the request for a subscription. */
import { secretsFor } from '../../config/secrets.ts';
import { defined } from '../../core/defined.ts';
import { isObject } from '../../core/http/json.ts';
import { isJson } from '../../core/http/media-type.ts';
import { targetRefusal } from '../../core/http/target.ts';
import { MAX_SUBSCRIPTION_BYTES } from '../../core/topic/limits.ts';
import { JOBS_TOPIC } from '../../core/topic/names.ts';
import type { Target } from '../../core/topic/subscription.ts';
import { TaskSubscription, WebhookSubscription } from '../../core/topic/subscription-options.ts';
import type { SubscriptionRequest } from '../../core/topic/topic-api.ts';
import { tenantOf } from '../access/auth.ts';
import { readBytes, refuseEncoded, requestMediaType } from '../body.ts';
import { inBody, zodFaults } from '../faults.ts';
import { parseJson } from '../json-text.ts';
import type { Problem } from '../problem.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';
import { unsupported } from '../submit/draft.ts';
import { invalidRequest } from '../submit/options.ts';

type Draft = Pick<SubscriptionRequest, 'target' | 'types' | 'from'>;

/** @throws {Problem} `InvalidRequest` with the position of each fault. */
export async function readSubscription(context: RequestContext, topic: string): Promise<Draft> {
	const { request } = context;
	refuseEncoded(request);
	if (!isJson(requestMediaType(request))) throw unsupported(request, ['application/json']);
	const body = parseJson(await readBytes(request, MAX_SUBSCRIPTION_BYTES));
	const isWebhook = isObject(body) && 'webhook' in body;
	if (!isWebhook && !(isObject(body) && 'task' in body)) throw fault('', 'expected an object with "webhook" or "task"');
	return isWebhook ? readWebhook(context, body) : readTask(context, body, topic);
}

function readWebhook(context: RequestContext, body: unknown): Draft {
	const parsed = WebhookSubscription().safeParse(body);
	if (!parsed.success) throw invalidRequest('The subscription is not valid', zodFaults(parsed.error, inBody()));
	const { webhook, types, from } = parsed.data;
	const { config, principal } = context;
	const reason =
		secretsFor(config.webhookSecrets, tenantOf(principal)).length === 0
			? 'webhooks are not configured: WEBHOOK_SECRETS has no secret for this tenant'
			: targetRefusal(webhook.url, config.allowPrivateTargets);
	if (reason !== undefined) throw fault('/webhook/url', reason);
	const { url, format = 'standard' } = webhook;
	const target: Target = { type: 'webhook', url, format, origin: linkOrigin(context) };
	return { target, from, ...defined({ types }) };
}

function readTask(context: RequestContext, body: unknown, topic: string): Draft {
	const parsed = TaskSubscription().safeParse(body);
	if (!parsed.success) throw invalidRequest('The subscription is not valid', zodFaults(parsed.error, inBody()));
	const { task, input, parameters, replyTopic, types, from } = parsed.data;
	const known = context.tasks.get(task);
	// Each job would be the cause of the next.
	if (topic === JOBS_TOPIC)
		throw fault('/task', `expected a webhook: jobs for the events of "${JOBS_TOPIC}" would never end`);
	if (replyTopic === topic)
		throw fault('/replyTopic', 'expected another topic: each reply would be the cause of the next job');
	if (!known) throw fault('/task', `expected one of: ${[...context.tasks.keys()].join(', ')}`);
	if (input !== undefined && !known.json) throw fault('/input', `task "${task}" takes bytes: leave the template out`);
	const target = defined({ type: 'task', task, input, parameters, replyTopic, origin: linkOrigin(context) });
	return { target: target as Target, from, ...defined({ types }) };
}

function fault(pointer: string, message: string): Problem {
	return invalidRequest(`The subscription is not valid: ${message}`, [{ pointer, message }]);
}
