/** Operations on the list, on topics, and on the deployment. */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import {
	Action,
	ActionLog,
	Caller,
	Health,
	JobCounts,
	JobList,
	Lanes,
	Published,
	Subscription,
	Subscriptions,
	Tasks,
	TopicEventPage,
	Topics,
	Upstream,
	Upstreams,
} from './documents.ts';
import { FILTER_NAMES } from './parameters.ts';
import { ActionBody, CloudEvent, SubscriptionBody } from './requests.ts';
import type { Answer, Operations, Schema } from './vocabulary.ts';

const jsonAnswer = (description: string, schema: Schema): { readonly 200: Answer } => ({
	200: { description, content: { [JSON_TYPE]: schema } },
});

const ACTION_GONE = ['ActionNotFound', 'JobExpired', 'JobPurged'] as const;
const UNCHANGED: Answer = { description: 'It did not change', headers: ['ETag', 'Retry-After'] };

export const LIST: Operations = {
	'GET /v1/jobs': {
		id: 'listJobs',
		tag: 'List',
		summary: 'Find jobs',
		description: "[The tenant's jobs](finding.md) that match a filter, newest first; a key only, no link",
		parameters: [...FILTER_NAMES, 'limit', 'cursor'],
		answers: jsonAnswer('A page', JobList),
		problems: ['NotFound'],
	},
	'GET /v1/jobs/counts': {
		id: 'countJobs',
		tag: 'List',
		summary: 'Count jobs',
		description:
			'The number of jobs that match [a filter](finding.md), by status, task and error code; a key only, no link',
		parameters: FILTER_NAMES,
		answers: jsonAnswer('The counts', JobCounts),
		problems: ['NotFound'],
	},
	'POST /v1/actions': {
		id: 'createAction',
		tag: 'List',
		summary: 'Act on many jobs',
		description: '202; [cancels, retries or purges](actions.md) every job that matches a filter',
		parameters: ['X-Correlation-ID', 'Content-Encoding'],
		body: { description: 'The action and its filter', content: { [JSON_TYPE]: ActionBody } },
		answers: {
			202: {
				description: 'The action is durable',
				headers: ['Location', 'Retry-After', 'ETag', 'Idempotent-Replayed'],
				content: { [JSON_TYPE]: Action },
				links: ['ActionStatus', 'StopAction'],
			},
		},
		problems: ['NotFound', 'RequestTimeout', 'PayloadTooLarge', 'UnsupportedMediaType', 'QuotaExceeded'],
	},
	'GET /v1/actions': {
		id: 'listActions',
		tag: 'List',
		summary: 'Read the log of actions',
		description:
			'`{ "actions", "nextCursor"? }`, [the log of actions](actions.md#who-did-what), newest first; `?limit=` (1–100, 20 by default), `?cursor=`; a key only, no link',
		parameters: ['limit', 'cursor'],
		answers: jsonAnswer('A page', ActionLog),
	},
	'GET /v1/actions/:id': {
		id: 'getAction',
		tag: 'List',
		summary: 'Read an action',
		description: 'Its status and counts',
		parameters: ['If-None-Match'],
		answers: {
			200: { description: 'The action', headers: ['ETag', 'Retry-After'], content: { [JSON_TYPE]: Action } },
			304: UNCHANGED,
		},
		problems: ACTION_GONE,
	},
	'DELETE /v1/actions/:id': {
		id: 'stopAction',
		tag: 'List',
		summary: 'Stop an action',
		description: 'Stops it: 202 while its last jobs are being worked on, 200 when it has ended',
		answers: {
			200: { description: 'It has ended', headers: ['ETag', 'Retry-After'], content: { [JSON_TYPE]: Action } },
			202: {
				description: 'It is stopping',
				headers: ['ETag', 'Retry-After', 'Location'],
				content: { [JSON_TYPE]: Action },
			},
		},
		problems: ACTION_GONE,
	},
};

export const TOPICS: Operations = {
	'GET /v1/topics': {
		id: 'listTopics',
		tag: 'Topics',
		summary: 'List the topics',
		description:
			'`{ "topics": [{ "name" }], "nextCursor"? }`: the topics that have events or subscriptions, by name, after the topic `jobs`; `?limit=` (1–100, 20 by default), `?cursor=`; a key only, no link',
		parameters: ['limit', 'cursor'],
		answers: jsonAnswer('A page', Topics),
	},
	'POST /v1/topics/:topic/events': {
		id: 'publishEvent',
		tag: 'Topics',
		summary: 'Publish an event',
		description:
			'202 `{ "seq" }`; the body is the data of [an event](topics.md), `Coatcheck-Event-Type` its type. CloudEvents are understood in both modes',
		parameters: [
			'Coatcheck-Event-Type',
			'Idempotency-Key',
			'X-Correlation-ID',
			'ce-specversion',
			'ce-type',
			'ce-source',
			'ce-id',
			'Content-Encoding',
		],
		body: {
			description: 'JSON, a CloudEvent, or any bytes',
			content: { [JSON_TYPE]: {}, 'application/cloudevents+json': CloudEvent, '*/*': {} },
			isOptional: true,
		},
		answers: {
			202: {
				description: 'The event is durable',
				headers: ['Idempotent-Replayed'],
				content: { [JSON_TYPE]: Published },
			},
		},
		problems: ['RequestTimeout', 'PayloadTooLarge', 'UnsupportedMediaType', 'IdempotencyKeyReused', 'QuotaExceeded'],
	},
	'GET /v1/topics/:topic/events': {
		id: 'getTopicEvents',
		tag: 'Topics',
		summary: 'Read the events, or watch them',
		description:
			'`{ "events", "lastSeq", "hasMore"? }`, a stream, or a WebSocket; `?after=` (a number or `now`), `?limit=`, `?types=`, `?correlationId=`, `?frames=`, `?place=`',
		parameters: [
			'topicAfter',
			'topicLimit',
			'types',
			'topicCorrelationId',
			'frames',
			'place',
			'Last-Event-ID',
			'Upgrade',
			'Sec-WebSocket-Protocol',
		],
		answers: {
			101: { description: 'A socket (`/asyncapi.json`)', headers: ['Sec-WebSocket-Protocol', 'Upgrade'] },
			200: {
				description: 'A page, or a stream whose messages have a `TopicEvent` as data (`/asyncapi.json`)',
				headers: ['Vary'],
				content: { [JSON_TYPE]: TopicEventPage, 'text/event-stream': { type: 'string' } },
			},
		},
		problems: ['NotAcceptable'],
	},
	'GET /v1/topics/:topic/subscriptions': {
		id: 'listSubscriptions',
		tag: 'Topics',
		summary: 'List the subscriptions',
		description: '`{ "subscriptions" }`',
		answers: jsonAnswer('The subscriptions', Subscriptions),
	},
	'PUT /v1/topics/:topic/subscriptions/:name': {
		id: 'putSubscription',
		tag: 'Topics',
		summary: 'Subscribe a webhook or a task',
		description: '201 or 200: [a webhook or a task](topics.md#subscriptions) that gets the events',
		parameters: ['Content-Encoding'],
		body: { description: 'The subscriber', content: { [JSON_TYPE]: SubscriptionBody } },
		answers: {
			...jsonAnswer('It was there, and keeps its cursor', Subscription),
			201: { description: 'A new subscription', content: { [JSON_TYPE]: Subscription } },
		},
		problems: ['PayloadTooLarge', 'UnsupportedMediaType', 'QuotaExceeded'],
	},
	'GET /v1/topics/:topic/subscriptions/:name': {
		id: 'getSubscription',
		tag: 'Topics',
		summary: 'Read a subscription',
		description: 'Its cursor, its lag and its failures',
		answers: jsonAnswer('The subscription', Subscription),
		problems: ['NotFound'],
	},
	'DELETE /v1/topics/:topic/subscriptions/:name': {
		id: 'deleteSubscription',
		tag: 'Topics',
		summary: 'Delete a subscription',
		description: '204',
		answers: { 204: { description: 'It gets no more events' } },
		problems: ['NotFound'],
	},
};

const DOCUMENT: Schema = { type: 'object' };
const descriptionAnswers = (what: string) => ({
	200: { description: what, headers: ['ETag'] as const, content: { [JSON_TYPE]: DOCUMENT } },
	304: { description: 'It did not change', headers: ['ETag'] as const },
});

export const SERVICE: Operations = {
	'GET /v1/tasks': {
		id: 'listTasks',
		tag: 'Service',
		summary: 'List the tasks',
		description: 'The tasks that you can submit, with JSON Schemas',
		answers: jsonAnswer('The tasks', Tasks),
	},
	'GET /v1/me': {
		id: 'getCaller',
		tag: 'Service',
		summary: 'Read what your credentials allow',
		description: '`{ "tenant", "scopes", "keyId"? }` of the caller',
		answers: jsonAnswer('The caller', Caller),
	},
	'GET /v1/lanes': {
		id: 'listLanes',
		tag: 'Service',
		summary: 'Read the queues',
		description:
			'`{ "lanes": [{ "name", "backlog", "backlogBytes", "oldestMessageAt"? }] }`: the messages in the deployment\'s queues, those at work included, at most 10 s old. A lane whose queues don\'t answer is left out',
		answers: jsonAnswer('The lanes', Lanes),
	},
	'GET /v1/upstreams': {
		id: 'listUpstreams',
		tag: 'Service',
		summary: 'Read the circuit breakers',
		description:
			'`{ "upstreams": [{ "name", "breaker", "openUntil"?, "recentFailures", "running"?, "limit"? }] }`: the [circuit breaker](upstreams.md) of each is `closed` (healthy), `open` or `half-open` (one request at a time tries it); `running` and `limit` only with a limit of concurrent requests',
		answers: jsonAnswer('The upstreams that you may use', Upstreams),
	},
	'POST /v1/operator/upstreams/:upstream/reset': {
		id: 'resetUpstream',
		tag: 'Service',
		summary: 'Close a circuit breaker',
		description: "200 and the upstream's item; its breaker is closed, so that jobs are sent again at once",
		answers: jsonAnswer('The upstream', Upstream),
		problems: ['NotFound'],
	},
	'GET /metrics': {
		id: 'getMetrics',
		tag: 'Service',
		summary: 'Read the metrics',
		description:
			"Prometheus text: queues, upstreams, and the jobs of the key's tenant ([what to watch](operating.md)); at most 10 s old",
		answers: { 200: { description: 'Text for Prometheus', content: { 'text/plain': { type: 'string' } } } },
	},
	'GET /openapi.json': {
		id: 'getOpenApi',
		tag: 'Service',
		summary: 'Read this description',
		description: 'This API as [OpenAPI 3.1](openapi.md), with a path for each task; 404 with `OPENAPI=off`',
		parameters: ['If-None-Match'],
		answers: descriptionAnswers('OpenAPI 3.1'),
		problems: ['NotFound'],
	},
	'GET /asyncapi.json': {
		id: 'getAsyncApi',
		tag: 'Service',
		summary: 'Read the description of the events',
		description: 'Sockets, streams, topics and webhooks as [AsyncAPI 3](openapi.md); 404 with `OPENAPI=off`',
		parameters: ['If-None-Match'],
		answers: descriptionAnswers('AsyncAPI 3'),
		problems: ['NotFound'],
	},
	'GET /healthz': {
		id: 'getHealth',
		tag: 'Service',
		summary: 'Check that the service is alive',
		description: '200, even without configuration',
		answers: jsonAnswer('It is alive', Health),
	},
};
