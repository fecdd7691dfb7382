/** The requests that the service sends: events of jobs and of topics. */
import { JobMessage, StatusDocument, TopicMessage } from './documents.ts';

const headerParameter = (name: string, description: string, isRequired = true) => ({
	in: 'header',
	name,
	description,
	required: isRequired,
	schema: { type: 'string' },
});

const SIGNED = [
	headerParameter('webhook-id', 'The same for each try of an event'),
	headerParameter('webhook-timestamp', 'Seconds since 1970'),
	headerParameter('webhook-signature', 'One signature for each secret (Standard Webhooks)'),
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

const jsonBody = (schema: object) => ({ required: true, content: { 'application/json': { schema } } });

/** The path item of a receiver. Operations have a name each, wherever they stand. */
const jobEventItem = (operationId: string) => ({
	post: {
		operationId,
		summary: 'An event of a job',
		description: 'Sent to the webhook of a submission. In the format `cloudevents`, the body is the status document.',
		tags: ['Submit'],
		security: [],
		parameters: [...SIGNED, ...CLOUD_EVENT],
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
			parameters: [...SIGNED, ...CLOUD_EVENT],
			requestBody: {
				required: false,
				content: {
					'application/json': {
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
