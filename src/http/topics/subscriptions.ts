/** `/v1/topics/{topic}/subscriptions`: the subscribers of a topic, each a webhook or a task. */
import { SUBSCRIPTION_NAME, subscriptionNameError } from '../../core/topic/names.ts';
import { subscriptionDocument } from '../../core/topic/subscription-document.ts';
import type { SubscriptionRequest, SubscriptionView } from '../../core/topic/topic-api.ts';
import { grantAllowance } from '../../rpc/topics.ts';
import { PRIVATE } from '../job-response.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { readSubscription } from './draft-subscription.ts';
import { topicQuotaExceeded } from './quota.ts';
import { invalidName, type RequestedTopic, requestedTopic } from './topic.ts';

/** `PUT`: 201 for a new subscription, 200 for one that was there and keeps its cursor. */
export async function putSubscription(context: RequestContext): Promise<Response> {
	const topic = requestedTopic(context);
	const name = subscriptionName(context);
	const terms = await readSubscription(context, topic.settings.topic);
	const { isNew, view } = await put(context, topic, { ...terms, name, settings: topic.settings });
	return viewResponse(topic, view, isNew ? 201 : 200);
}

export async function getSubscription(context: RequestContext): Promise<Response> {
	const topic = requestedTopic(context);
	const name = subscriptionName(context);
	const view = (await readViews(topic)).find(({ record }) => record.name === name);
	if (!view) throw subscriptionNotFound();
	return viewResponse(topic, view, 200);
}

export async function listSubscriptions(context: RequestContext): Promise<Response> {
	const topic = requestedTopic(context);
	const views = await readViews(topic);
	const subscriptions = views.map((view) => subscriptionDocument(topic.settings.topic, view));
	return Response.json({ subscriptions }, { headers: PRIVATE });
}

/** `DELETE`: 204. What its consumer is delivering just now may still arrive. */
export async function deleteSubscription(context: RequestContext): Promise<Response> {
	const { topics, id } = requestedTopic(context);
	const name = subscriptionName(context);
	if (!(await topics.call(id, (topic) => topic.deleteSubscription(name)))) throw subscriptionNotFound();
	return new Response(null, { status: 204, headers: PRIVATE });
}

function subscriptionName({ params: { name = '' } }: RequestContext): string {
	if (SUBSCRIPTION_NAME.test(name)) return name;
	throw invalidName('subscription', name, subscriptionNameError);
}

function readViews({ topics, id }: RequestedTopic): Promise<readonly SubscriptionView[]> {
	return topics.call(id, (topic) => topic.listSubscriptions());
}

/** @throws {Problem} `QuotaExceeded` */
async function put(
	{ tenants, config }: RequestContext,
	{ topics, id, settings }: RequestedTopic,
	request: SubscriptionRequest,
): Promise<{ readonly isNew: boolean; readonly view: SubscriptionView }> {
	const quotas = config.topicQuotas;
	const first = quotas ? request : { ...request, isUnlimited: true as const };
	let change = await topics.call(id, (topic) => topic.putSubscription(first));
	if (!change.done && change.reason === 'no-allowance') {
		const granted = await grantAllowance({ tenants, quotas }, { ...settings, request: change.request });
		if ('shortage' in granted) throw topicQuotaExceeded(granted.shortage);
		change = await topics.call(id, (topic) => topic.putSubscription({ ...request, ...granted }));
	}
	if (change.done) return change;
	if (change.reason === 'no-allowance') throw topicQuotaExceeded(undefined);
	throw new Problem('QuotaExceeded', 'The topic has the maximum number of subscriptions: delete one first', {
		headers: { 'retry-after': '3600' },
	});
}

function viewResponse({ settings }: RequestedTopic, view: SubscriptionView, status: number): Response {
	return Response.json(subscriptionDocument(settings.topic, view), { status, headers: PRIVATE });
}

function subscriptionNotFound(): Problem {
	return new Problem('NotFound', 'The topic has no subscription of this name');
}
