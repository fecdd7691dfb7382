/** Makes AsyncAPI 3 of what is sent as events: sockets, streams, topics and webhooks. Its schemas are those of OpenAPI. */
import { JSON_TYPE } from '../../core/http/media-type.ts';
import { INFO } from './openapi.ts';
import { PARAMETERS, PATH_PARAMETERS } from './parameters.ts';
import { SIGNATURE_HEADERS } from './webhooks.ts';

type Members = Readonly<Record<string, unknown>>;

const COMPONENT = '#/components/schemas/';
const MESSAGES = [
	'JobEvent',
	'JobMessage',
	'TopicEvent',
	'TopicMessage',
	'StatusDocument',
	'Status',
	'Phase',
	'JobError',
];

const schema = (name: string) => ({ $ref: COMPONENT + name });

/** The parameters of a socket's URL, as the binding writes them. */
const query = (...names: (keyof typeof PARAMETERS)[]) => ({
	type: 'object',
	properties: Object.fromEntries([
		...names.map((name) => {
			const { name: sent, description, schema: form } = PARAMETERS[name];
			return [sent, { description, ...form }] as const;
		}),
		['token', { type: 'string', description: 'The token of a link. The routes of topics take a key only' }],
	]),
});

const parameters = (...names: string[]) =>
	Object.fromEntries(names.map((name) => [name, { description: PATH_PARAMETERS[name]?.description }]));

const reference = (channel: string, ...messages: string[]) =>
	messages.map((message) => ({ $ref: `#/channels/${channel}/messages/${message}` }));

const PING = { name: 'ping', contentType: 'text/plain', payload: { type: 'string', const: 'ping' } };
const PONG = { name: 'pong', contentType: 'text/plain', payload: { type: 'string', const: 'pong' } };

const eventMessage = (name: string, of: string, summary: string) => ({
	name,
	contentType: JSON_TYPE,
	summary,
	payload: schema(of),
});

const JOB_EVENT = eventMessage(
	'jobEvent',
	'JobEvent',
	'A job changed. After the last event the server closes with 1000',
);
const TOPIC_EVENT = eventMessage(
	'topicEvent',
	'TopicEvent',
	'An event of the topic; `gap` tells which events are gone',
);

const HEADERS_SCHEMA = {
	type: 'object',
	properties: Object.fromEntries(
		Object.entries(SIGNATURE_HEADERS).map(([name, description]) => [name, { type: 'string', description }]),
	),
	required: Object.keys(SIGNATURE_HEADERS),
};

const CHANNELS: Members = {
	jobSocket: {
		address: '/v1/jobs/{id}/socket',
		title: 'The events of a job by WebSocket',
		description:
			'Subprotocol `coatcheck.v1`. Without `after`, the first event is a `snapshot`. Send `ping` once a minute.',
		servers: [{ $ref: '#/servers/sockets' }],
		parameters: parameters('id'),
		messages: { jobEvent: JOB_EVENT, ping: PING, pong: PONG },
		bindings: { ws: { method: 'GET', query: query('after') } },
	},
	jobStream: {
		address: '/v1/jobs/{id}/events',
		title: 'The events of a job as server-sent events',
		description:
			'`Accept: text/event-stream`. The id of each message is the number of its event, and its data the event.',
		servers: [{ $ref: '#/servers/http' }],
		parameters: parameters('id'),
		messages: { jobEvent: JOB_EVENT },
	},
	topicSocket: {
		address: '/v1/topics/{topic}/events',
		title: 'The events of a topic by WebSocket',
		description:
			'Without `after`, what comes from now on. A reader that is far behind is closed with 1013, and continues with its cursor. The topic `jobs` has the accepted and ended jobs of the tenant.',
		servers: [{ $ref: '#/servers/sockets' }],
		parameters: parameters('topic'),
		messages: {
			topicEvent: TOPIC_EVENT,
			topicEvents: {
				name: 'topicEvents',
				contentType: JSON_TYPE,
				summary: 'With `frames=batch`, several events in one frame',
				payload: { type: 'array', items: schema('TopicEvent') },
			},
			topicPlace: {
				name: 'topicPlace',
				contentType: JSON_TYPE,
				summary: 'With `place=true`: the cursor of a reader that has all events of its filter so far',
				payload: {
					type: 'object',
					properties: { lastSeq: { type: 'integer', minimum: 0 } },
					required: ['lastSeq'],
				},
			},
			ping: PING,
			pong: PONG,
		},
		bindings: { ws: { method: 'GET', query: query('topicAfter', 'types', 'topicCorrelationId', 'frames', 'place') } },
	},
	topicStream: {
		address: '/v1/topics/{topic}/events',
		title: 'The events of a topic over HTTP',
		description: '`GET` with `Accept: text/event-stream` reads them, as for a job; `POST` publishes one.',
		servers: [{ $ref: '#/servers/http' }],
		parameters: parameters('topic'),
		messages: {
			topicEvent: TOPIC_EVENT,
			publication: {
				name: 'publication',
				summary: 'The data of an event: JSON, or bytes with any media type',
				headers: {
					type: 'object',
					properties: { 'Coatcheck-Event-Type': PARAMETERS['Coatcheck-Event-Type'].schema },
					required: ['Coatcheck-Event-Type'],
				},
				payload: { description: 'Any value' },
			},
		},
	},
	jobWebhook: {
		title: 'The webhook of a job',
		description: 'The address is in the submission. Without a 2xx response, a message is sent again for two days.',
		messages: {
			jobMessage: { ...eventMessage('jobMessage', 'JobMessage', 'A job changed'), headers: HEADERS_SCHEMA },
		},
	},
	topicWebhook: {
		title: 'The webhook of a subscription',
		description: 'The address is in the subscription. Events come in order, each at least once.',
		messages: {
			topicMessage: { ...eventMessage('topicMessage', 'TopicMessage', 'An event'), headers: HEADERS_SCHEMA },
		},
	},
};

const SECURITY_SCHEMES = {
	apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, or a JWT' },
	linkToken: {
		type: 'httpApiKey',
		in: 'query',
		name: 'token',
		description: 'The token of a link, for the routes of a job',
	},
};

const securityReference = (name: string) => ({ $ref: `#/components/securitySchemes/${name}` });

const operation = (action: 'send' | 'receive', channel: string, ...messages: string[]) => ({
	action,
	channel: { $ref: `#/channels/${channel}` },
	messages: reference(channel, ...messages),
	security: channel.endsWith('Webhook') ? [] : Object.keys(SECURITY_SCHEMES).map(securityReference),
});

const POST = { bindings: { http: { method: 'POST' } } };

/** The service sends, or receives. */
const OPERATIONS_OF_CHANNELS: Members = {
	sendJobEvents: operation('send', 'jobSocket', 'jobEvent', 'pong'),
	receiveJobPings: operation('receive', 'jobSocket', 'ping'),
	streamJobEvents: { ...operation('send', 'jobStream', 'jobEvent'), bindings: { http: { method: 'GET' } } },
	sendTopicEvents: operation('send', 'topicSocket', 'topicEvent', 'topicEvents', 'topicPlace', 'pong'),
	receiveTopicPings: operation('receive', 'topicSocket', 'ping'),
	streamTopicEvents: { ...operation('send', 'topicStream', 'topicEvent'), bindings: { http: { method: 'GET' } } },
	receivePublications: { ...operation('receive', 'topicStream', 'publication'), ...POST },
	deliverJobEvents: { ...operation('send', 'jobWebhook', 'jobMessage'), ...POST },
	deliverTopicEvents: { ...operation('send', 'topicWebhook', 'topicMessage'), ...POST },
};

/** The description without its servers. @param schemas those of OpenAPI. */
export function asyncApiDocument(schemas: Members = {}): Members {
	return {
		asyncapi: '3.0.0',
		info: {
			title: INFO.title,
			version: INFO.version,
			description: 'What Coatcheck sends as events. `/openapi.json` has the requests.',
		},
		channels: CHANNELS,
		operations: OPERATIONS_OF_CHANNELS,
		components: {
			securitySchemes: SECURITY_SCHEMES,
			schemas: Object.fromEntries(MESSAGES.map((name) => [name, schemas[name]])),
		},
	};
}

/** The servers of AsyncAPI: the same host by two protocols. */
export function asyncApiServers(origin: string): Members {
	const { protocol, host, pathname } = new URL(origin);
	const isSecure = protocol === 'https:';
	const pathed = pathname === '/' ? { host } : { host, pathname };
	return {
		sockets: { ...pathed, protocol: isSecure ? 'wss' : 'ws' },
		http: { ...pathed, protocol: isSecure ? 'https' : 'http' },
	};
}
