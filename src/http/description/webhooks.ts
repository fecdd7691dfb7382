/** The requests that the service sends: events of jobs and of topics. */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import { JobMessage, StatusDocument, TopicMessage } from './documents.ts';

const headerParameter = (name: string, description: string, isRequired = true) => ({
	in: 'header',
	name,
	description,
	required: isRequired,
	schema: { type: 'string' },
});

/** The headers of Standard Webhooks. */
export const SIGNATURE_HEADERS = {
	'webhook-id': 'The same for each try of an event',
	'webhook-timestamp': 'Seconds since 1970',
	'webhook-signature': 'One signature for each secret (Standard Webhooks)',
} as const;

const MESSAGE_HEADERS = [
	...Object.entries(SIGNATURE_HEADERS).map(([name, description]) => headerParameter(name, description)),
	headerParameter('X-Correlation-ID', 'That of the job, or of the event', false),
];

const CLOUD_EVENT = ['ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'ce-subject', 'ce-time'].map((name) =>
	headerParameter(name, 'Only in the format `cloudevents`', false),
);

const responses = {
	'2XX': { description: 'Delivered' },
	410: { description: 'The receiver wants no more events' },
	default: { description: 'Tried again, up to two days' },
};

const jsonBody = (schema: object) => ({ required: true, content: { [JSON_TYPE]: { schema } } });

/** The path item of a receiver. Operations have a name each, wherever they stand. */
const jobEventItem = (operationId: string) => ({
	post: {
		operationId,
		summary: 'An event of a job',
		description: 'Sent to the webhook of a submission. In the format `cloudevents`, the body is the status document.',
		tags: ['Submit'],
		security: [],
		parameters: [...MESSAGE_HEADERS, ...CLOUD_EVENT],
		requestBody: jsonBody({
			anyOf: [{ $ref: '#/components/schemas/JobMessage' }, { $ref: '#/components/schemas/StatusDocument' }],
		}),
		responses,
	},
});

/** Path items: the receiver's own URL has them. */
export const WEBHOOKS = {
	jobEvent: jobEventItem('onJobEvent'),
	topicEvent: {
		post: {
			operationId: 'onTopicEvent',
			summary: 'An event of a topic',
			description:
				'Sent to the webhook of a subscription, in order. In the format `cloudevents`, the body is the data of the event.',
			tags: ['Topics'],
			security: [],
			parameters: [...MESSAGE_HEADERS, ...CLOUD_EVENT],
			requestBody: {
				required: false,
				content: {
					[JSON_TYPE]: {
						schema: {
							anyOf: [
								{ $ref: '#/components/schemas/TopicMessage' },
								{ description: 'In the format `cloudevents`: the data of the event' },
							],
						},
					},
					'*/*': { schema: {} },
				},
			},
			responses,
		},
	},
} as const;

/** The schemas that {@link WEBHOOKS} refers to. */
export const WEBHOOK_SCHEMAS = { JobMessage, StatusDocument, TopicMessage };

/** The callbacks of submissions: the webhook that the request names. The names are OpenAPI's runtime expressions,
 * and the ids are those of components. */
export const CALLBACKS = {
	WebhookInHeader: {
		id: 'WebhookInHeader',
		'{$request.header.Coatcheck-Webhook-Url}': jobEventItem('onEventOfHeader'),
	},
	WebhookInBody: { id: 'WebhookInBody', '{$request.body#/options/webhook/url}': jobEventItem('onEventOfBody') },
} as const;
