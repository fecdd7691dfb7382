/** The parameters of requests, in the query, in headers and in paths. The schemas are those that check them. */
import type * as z from 'zod';
import { PAGE_TASKS } from '../../core/a2a/limits.ts';
import { LONG_POLL_SECONDS } from '../../core/job/limits.ts';
import { StatusFlags, WireOptions } from '../../core/job/options.ts';
import { PAGE_ITEMS } from '../../core/list/limits.ts';
import { WireFilter } from '../../core/list/wire-filter.ts';
import { EVENT_TYPE_CHARS, MAX_FILTER_TYPES, PAGE_EVENTS, TOPIC_NAME_CHARS } from '../../core/topic/limits.ts';
import { SUBSCRIPTION_NAME, TOPIC_NAME } from '../../core/topic/names.ts';
import { OPTION_HEADERS } from '../submit/options.ts';
import { inlineSchema } from './json-schema.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const TEXT: JsonSchema = { type: 'string' };
const CURSOR: JsonSchema = { type: 'integer', minimum: 0 };

/** One parameter, as OpenAPI writes it. */
export interface Parameter {
	readonly in: 'query' | 'header' | 'path';
	readonly name: string;
	readonly description: string;
	readonly schema: JsonSchema;
	readonly required?: true;
}

const queryParameter = (name: string, description: string, schema: JsonSchema = TEXT): Parameter => ({
	in: 'query',
	name,
	description,
	schema,
});
const headerOption = (name: string, description: string, schema: JsonSchema = TEXT): Parameter => ({
	in: 'header',
	name,
	description,
	schema,
});

/** What each option does. The names are those of the headers. */
const OPTIONS = {
	'Idempotency-Key':
		'The same key and task return the same job while it is kept. A structured-field string; quotes may be left out',
	'X-Correlation-ID':
		'Stored, echoed, logged with each attempt, passed to the task and to the webhook. Generated if left out',
	'Coatcheck-Delay-Seconds': 'Start no earlier. Default: 0',
	'Coatcheck-Start-Within-Seconds': 'Fail if not started by then',
	'Coatcheck-Timeout-Seconds': "Time limit of one attempt. Default: the task's",
	'Coatcheck-Max-Attempts': "Maximum number of attempts. Default: the task's",
	'Coatcheck-Retain-Seconds': 'How long a finished job is kept. Default: one day',
	'Coatcheck-Tags': 'Tags, separated by commas',
	'Coatcheck-Webhook-Url': "The receiver of the job's events",
	'Coatcheck-Webhook-Events': 'The events that it gets. Default: the three ends',
	'Coatcheck-Webhook-Format': 'Default: `standard` (Standard Webhooks)',
	'Coatcheck-On-Pending': '`accepted`: the status answers 202 instead of 200 while the job is unfinished',
	'Coatcheck-On-Complete': '`inline`: the status answers with the result itself; `status`: with 200 and the document',
	'Coatcheck-On-Failed': '`error`: the status answers with the stored failure and its own status',
} as const;

function optionSchema(path: readonly string[]): JsonSchema {
	let schema: unknown = WireOptions();
	for (const key of path) schema = (unwrapped(schema) as z.ZodObject).shape[key];
	return inlineSchema(unwrapped(schema));
}

function unwrapped(schema: unknown): z.ZodType {
	const outer = schema as z.ZodType;
	return outer.def.type === 'optional' ? ((outer as z.ZodOptional).unwrap() as z.ZodType) : outer;
}

function optionParameters(): Record<keyof typeof OPTIONS, Parameter> {
	const entries = OPTION_HEADERS.map(([name, path]) => {
		const description = OPTIONS[name as keyof typeof OPTIONS];
		return [name, headerOption(name, description, optionSchema(path))] as const;
	});
	return Object.fromEntries(entries) as Record<keyof typeof OPTIONS, Parameter>;
}

const FLAGS = {
	onPending: 'Overrides the option of the submission: `accepted` answers 202 while the job is unfinished',
	onComplete: '`inline` answers with the result itself, `status` with 200 and the document',
	onFailed: '`error` answers with the stored failure and its own status',
} as const;

/** What each filter of the list matches. */
const FILTERS = {
	status: 'Jobs with this status',
	phase: 'Jobs in this phase',
	task: 'Jobs of this task',
	tag: 'Jobs with this tag; repeat it for several',
	correlationId: 'Jobs with this correlation id',
	errorCode: 'Jobs whose error has this code',
	createdAfter: 'Jobs created at this time or later',
	createdBefore: 'Jobs created before this time',
	id: 'The job with this id',
	idempotencyKey: 'The jobs of this key',
} as const;

function filterParameter(name: keyof typeof FILTERS): Parameter {
	const { shape } = WireFilter();
	const schema =
		name === 'tag' ? { type: 'array', items: { type: 'string', minLength: 1 } } : inlineSchema(unwrapped(shape[name]));
	return queryParameter(name, FILTERS[name], schema);
}

const createEach = <Name extends string>(names: readonly Name[], make: (name: Name) => Parameter) =>
	Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Parameter>;

const listKeys = <Key extends string>(record: Readonly<Record<Key, unknown>>) => Object.keys(record) as Key[];

const limit = ({ min, max, default: usual }: { min: number; max: number; default: number }) =>
	queryParameter('limit', 'Number of items of a page', { type: 'integer', minimum: min, maximum: max, default: usual });

export const PARAMETERS = {
	...optionParameters(),
	...createEach(listKeys(FLAGS), (name) =>
		queryParameter(name, FLAGS[name], inlineSchema(unwrapped(StatusFlags().shape[name]))),
	),
	...createEach(listKeys(FILTERS), filterParameter),
	limit: limit(PAGE_ITEMS),
	cursor: queryParameter('cursor', 'The `nextCursor` of an earlier page with the same filter'),
	Prefer: headerOption(
		'Prefer',
		`\`wait=N\` holds the response for up to N seconds, ${LONG_POLL_SECONDS.max} at most. With \`If-None-Match\`, until the document changes`,
		{ type: 'string', examples: ['wait=20'] },
	),
	traceparent: headerOption('traceparent', 'W3C Trace Context, passed to the task and to the upstream'),
	'If-None-Match': headerOption('If-None-Match', 'Answers 304 for an unchanged document or result'),
	'If-Match': headerOption(
		'If-Match',
		'On a command only `*`: the ETags of documents are weak. On a result its own ETag',
	),
	'If-Modified-Since': headerOption('If-Modified-Since', 'Answers 304 for an unchanged result'),
	'If-Unmodified-Since': headerOption('If-Unmodified-Since', 'Answers 412 for a changed result'),
	'Last-Event-ID': headerOption(
		'Last-Event-ID',
		'Sent by an `EventSource` when it reconnects; takes precedence over `after`',
		CURSOR,
	),
	'Content-Encoding': headerOption('Content-Encoding', 'Bodies must not be compressed', {
		type: 'string',
		const: 'identity',
	}),
	Upgrade: headerOption('Upgrade', 'Opens a WebSocket', { type: 'string', const: 'websocket' }),
	'Sec-WebSocket-Protocol': headerOption(
		'Sec-WebSocket-Protocol',
		'`coatcheck.v1`, and `coatcheck.token.` with the token of a link, for browsers',
	),
	a2aVersion: headerOption('A2A-Version', 'The version of Agent2Agent, 1.0. Without it, a client speaks 0.3'),
	a2aVersionInQuery: queryParameter('A2A-Version', 'As the header'),
	a2aState: queryParameter('status', 'Tasks in this state, such as `TASK_STATE_WORKING`'),
	contextId: queryParameter('contextId', 'Tasks of this context'),
	pageSize: queryParameter('pageSize', 'Number of tasks of a page', {
		type: 'integer',
		minimum: PAGE_TASKS.min,
		maximum: PAGE_TASKS.max,
		default: PAGE_TASKS.default,
	}),
	pageToken: queryParameter('pageToken', 'The `nextPageToken` of an earlier page with the same filter'),
	includeArtifacts: queryParameter('includeArtifacts', 'Only `false`: get a task for its artifacts'),
	statusTimestampAfter: queryParameter('statusTimestampAfter', 'Not offered: tasks are listed by their creation'),
	anyQuery: queryParameter('query', 'Any query: it is forwarded as it is', {
		type: 'object',
		additionalProperties: { type: 'string' },
	}),
	after: queryParameter('after', 'The number of the last event that the reader has', CURSOR),
	topicAfter: queryParameter(
		'after',
		'The number of the last event that the reader has; `now` for the events that come',
		{
			oneOf: [CURSOR, { const: 'now' }],
		},
	),
	topicLimit: limit(PAGE_EVENTS),
	types: queryParameter('types', `Only events of these types, at most ${MAX_FILTER_TYPES}, separated by commas`),
	topicCorrelationId: queryParameter('correlationId', 'Only events with this correlation id'),
	frames: queryParameter('frames', 'For a WebSocket: each frame is a list of events', {
		type: 'string',
		enum: ['batch'],
	}),
	place: queryParameter(
		'place',
		'For a WebSocket: frames `{ "lastSeq": 7 }` between the events tell the reader its cursor',
		{ type: 'string', enum: ['true'] },
	),
	'Coatcheck-Event-Type': headerOption('Coatcheck-Event-Type', 'The type of the event', {
		type: 'string',
		minLength: 1,
		maxLength: EVENT_TYPE_CHARS.max,
	}),
	'ce-specversion': headerOption('ce-specversion', 'CloudEvents in binary mode', { type: 'string', const: '1.0' }),
	'ce-type': headerOption('ce-type', 'The type of a CloudEvent'),
	'ce-source': headerOption('ce-source', 'The source of a CloudEvent; with its id the idempotency key'),
	'ce-id': headerOption('ce-id', 'The id of a CloudEvent'),
} satisfies Record<string, Parameter>;

export type ParameterName = keyof typeof PARAMETERS;

/** Every option of a submission. */
export const OPTION_NAMES: readonly ParameterName[] = listKeys(OPTIONS);
export const FLAG_NAMES: readonly ParameterName[] = listKeys(FLAGS);
export const FILTER_NAMES: readonly ParameterName[] = listKeys(FILTERS);

const pathParameter = (name: string, description: string, schema: JsonSchema): Parameter => ({
	in: 'path',
	name,
	description,
	schema,
	required: true,
});

/** By their names in the paths of `routes.ts`. */
export const PATH_PARAMETERS: Readonly<Record<string, Parameter>> = {
	operation: pathParameter('operation', '`message:send` or `message:stream`', TEXT),
	taskId: pathParameter('taskId', 'The id of a job, and what to do with it', TEXT),
	id: pathParameter('id', 'The id: 64 lower-case hexadecimal digits', { type: 'string', pattern: '^[0-9a-f]{64}$' }),
	task: pathParameter('task', 'The name of the task', TEXT),
	upstream: pathParameter('upstream', 'The name of the upstream, as `GET /v1/upstreams` lists it', TEXT),
	path: pathParameter('path', 'The path below the base URL; it may contain slashes', TEXT),
	topic: pathParameter('topic', `The name of the topic, at most ${TOPIC_NAME_CHARS.max} characters`, {
		type: 'string',
		pattern: TOPIC_NAME.source,
	}),
	name: pathParameter('name', 'The name of the subscription', { type: 'string', pattern: SUBSCRIPTION_NAME.source }),
};
