/**
 * The documents in responses, as schemas. Each has the type of the code that makes it (`test/http/description.test.ts` sends real
 * responses through them). Clients ignore fields that they don't know, so none of them forbids more.
 */
import * as z from 'zod';
import { ACTIONS } from '../../core/action/request.ts';
import { EVENT_TYPES, STATUSES } from '../../core/job/record.ts';
import { PHASES } from '../../core/list/wire-filter.ts';

export const Id = z
	.string()
	.regex(/^[0-9a-f]{64}$/)
	.meta({ description: '64 lower-case hexadecimal digits' });
const timeField = (description: string) => z.iso.datetime().meta({ description });
const uriField = (description: string) => z.url().meta({ description });
const countField = (description: string) => z.int().min(0).meta({ description });
const textField = (description: string) => z.string().meta({ description });

export const Status = z.enum(STATUSES).meta({
	id: 'Status',
	description: `One of ${STATUSES.join(', ')}. No other value will ever be added`,
});

export const Phase = z.string().meta({
	id: 'Phase',
	description: `More detail than the status: ${PHASES.join(', ')}. Ignore values that you don't know`,
	examples: [...PHASES],
});

export const JobError = z
	.object({
		code: textField('For programs: the code that the task gave, or one of the service'),
		message: textField('For people'),
		details: z.array(z.unknown()).optional().meta({ description: 'As the task gave them' }),
		retryable: z.boolean().meta({ description: 'Whether another attempt may succeed' }),
	})
	.meta({
		id: 'JobError',
		description: 'Why the job failed or was canceled: `code`, `message`, `details`, `retryable`',
	});

const Delivery = z.object({
	seq: countField('The number of the event'),
	attempt: countField('Number of tries so far'),
	status: z.enum(['pending', 'delivered', 'given-up', 'disabled']),
	code: z.int().optional().meta({ description: "Status of the receiver's last response" }),
	at: timeField('Time of the last try').optional(),
	nextAttemptAt: timeField('When the next try is due').optional(),
});

/** The fields that an item of the list has, too, in the order of the document. */
const listedFields = () => ({
	id: Id,
	task: textField('Name of the task; `upstreams/` and a name for a forwarded request'),
	status: Status,
	phase: Phase,
	attempt: countField('Number of the last attempt; 0 before the first'),
	maxAttempts: z.int().min(1).meta({ description: 'Maximum number of attempts' }),
	nextAttemptAt: timeField('When the next attempt may start').optional(),
	seq: z.int().min(1).meta({ description: 'The number of the last event' }),
	createdAt: timeField('When the job was accepted'),
	startedAt: timeField('When its first attempt started').optional(),
	finishedAt: timeField('When it ended').optional(),
	lastUpdatedAt: timeField('When it last changed'),
	expiresAt: timeField('When it is deleted; left out until it has ended').optional(),
	correlationId: textField("The caller's correlation id, or a generated one"),
	tags: z.array(z.string()).meta({ description: "The submission's tags" }),
	error: JobError.optional(),
});

const progressFields = () => ({
	percentComplete: z.number().min(0).max(100).optional().meta({ description: 'As the task reported it' }),
	progress: z
		.object({ message: textField('For people').optional(), data: z.unknown().optional() })
		.optional()
		.meta({ description: "The task's last report: `message`, `data`" }),
});

const Links = z.object({
	self: uriField('The status, which redirects to the result'),
	operation: uriField('The status, which never redirects'),
	result: uriField('The result'),
	events: uriField('The events, as a page or as a stream'),
	socket: z
		.string()
		.regex(/^wss?:/)
		.optional()
		.meta({ description: 'The events by WebSocket, until the job has ended' }),
	cancel: uriField('Cancels the job, for a caller that may, until it has ended').optional(),
});

export const StatusDocument = z
	.object({
		...listedFields(),
		...progressFields(),
		webhook: z
			.object({ url: textField('Without its query; by link only its origin'), deliveries: z.array(Delivery) })
			.optional()
			.meta({
				description:
					'Its `url` and its `deliveries`. A request by link sees only the origin of the URL, a request with a key also its path. The query is never shown',
			}),
		resourceLocation: uriField('When the job succeeded: the URL of its result').optional(),
		links: Links.meta({
			description:
				'`self`, `operation`, `result`, `events`, `socket`, and `cancel` if the caller may cancel. Each has a token for just this job and this right',
		}),
	})
	.meta({
		id: 'StatusDocument',
		description: 'The state of a job. A field without a value is left out. Times are RFC 3339 in UTC.',
	});

export const JobEvent = z
	.object({
		seq: z.int().min(1).meta({ description: 'Its number among the events of the job, the same on every transport' }),
		type: z.enum([...EVENT_TYPES, 'snapshot']),
		at: timeField('When it happened'),
		job: StatusDocument,
	})
	.meta({ id: 'JobEvent' });

export const JobEventPage = z
	.object({
		events: z.array(JobEvent),
		lastSeq: z.int().min(1).meta({ description: 'The cursor of the next request' }),
	})
	.meta({ id: 'JobEventPage' });

const SelfLink = z.object({ self: uriField('The resource itself') });

export const ListedJob = z
	.object({ ...listedFields(), links: SelfLink })
	.meta({ id: 'ListedJob', description: 'The status document without what changes while the job runs' });

const nextCursor = textField('The cursor of the next page; left out on the last one').optional();

export const JobList = z.object({ jobs: z.array(ListedJob), nextCursor }).meta({ id: 'JobList' });

const countsBy = (what: string) => z.record(z.string(), z.int()).meta({ description: `Number of jobs by ${what}` });

export const JobCounts = z
	.object({
		total: countField('Number of jobs that match'),
		byStatus: countsBy('status'),
		byTask: countsBy('task'),
		byErrorCode: countsBy('error code'),
		oldestPendingAt: timeField('When the oldest pending job was accepted').optional(),
	})
	.meta({ id: 'JobCounts' });

const batchFields = () => ({
	id: Id,
	createdAt: timeField('When the batch was accepted'),
	total: countField('Number of accepted jobs'),
	counts: z
		.object(Object.fromEntries([...STATUSES, 'gone'].map((status) => [status, z.int()])))
		.meta({ description: 'Number of its jobs in each status; `gone` are purged or expired' }),
	countedAt: timeField('When they were counted'),
	links: SelfLink,
});

export const Batch = z.object(batchFields()).meta({ id: 'Batch' });

const BatchItem = z.object({
	id: Id.optional(),
	status: Status.optional(),
	links: SelfLink.optional(),
	error: z
		.object({ code: z.string(), message: z.string() })
		.optional()
		.meta({ description: 'Why this job was rejected, or could not be confirmed' }),
});

export const AcceptedBatch = z
	.object({
		...z.object(batchFields()).partial().shape,
		jobs: z.array(BatchItem).meta({ description: 'The jobs in the order of the request' }),
	})
	.meta({
		id: 'AcceptedBatch',
		description: 'A batch and its jobs. Only the jobs, if no list of them could be stored',
	});

const ActionFilter = z
	.object({
		status: Status.optional(),
		phase: z.string().optional(),
		task: z.string().optional(),
		tag: z.array(z.string()).optional(),
		correlationId: z.string().optional(),
		errorCode: z.string().optional(),
		createdAfter: z.iso.datetime().optional(),
		createdBefore: z.iso.datetime().optional(),
	})
	.meta({ id: 'ActionFilterShown' });

const actionFields = () => ({
	id: Id,
	action: z.enum(ACTIONS),
	filter: ActionFilter,
	status: Status,
	matched: countField('Number of jobs that matched when it was made'),
	done: countField('Number of jobs that it changed'),
	refused: countField('Number of jobs that it could not change'),
	refusals: z.record(z.string(), z.int()).optional().meta({ description: 'These jobs by reason' }),
	percentComplete: z.number().min(0).max(100),
	createdAt: timeField('When it was accepted'),
	startedAt: timeField('When it started').optional(),
	finishedAt: timeField('When it ended').optional(),
	correlationId: z.string().optional(),
	by: textField("Id of the caller's key, or the subject of its JWT").optional(),
});

export const Action = z
	.object({
		...actionFields(),
		phase: Phase,
		lastUpdatedAt: timeField('When it last changed'),
		expiresAt: timeField('When it is deleted').optional(),
		error: JobError.optional(),
		links: z.object({
			self: uriField('The action'),
			events: uriField('Its events'),
			socket: z.string().optional().meta({ description: 'Its events by WebSocket' }),
		}),
	})
	.meta({ id: 'Action' });

export const ActionLog = z
	.object({
		actions: z.array(
			z.object({
				...actionFields(),
				error: z.object({ code: z.string(), message: z.string() }).optional(),
				links: SelfLink,
			}),
		),
		nextCursor,
	})
	.meta({ id: 'ActionLog' });

export const Caller = z
	.object({ tenant: z.string(), scopes: z.array(z.string()), keyId: textField('Left out for a JWT').optional() })
	.meta({ id: 'Caller' });

export const Lanes = z
	.object({
		lanes: z.array(
			z.object({
				name: z.string(),
				backlog: countField('Messages in its queues, those at work included'),
				backlogBytes: countField('Their size'),
				oldestMessageAt: timeField('When the oldest was sent').optional(),
			}),
		),
	})
	.meta({ id: 'Lanes' });

export const Upstream = z
	.object({
		name: z.string(),
		breaker: z
			.enum(['closed', 'open', 'half-open'])
			.meta({ description: 'State of its circuit breaker; closed is healthy' }),
		openUntil: timeField('When the next request is allowed').optional(),
		recentFailures: countField('Consecutive failures, each of another job'),
		running: countField('Requests in progress; only with a limit').optional(),
		limit: countField('Maximum number of concurrent requests').optional(),
	})
	.meta({ id: 'Upstream' });

export const Upstreams = z.object({ upstreams: z.array(Upstream) }).meta({ id: 'Upstreams' });

const JsonSchemaValue = z.record(z.string(), z.unknown());

export const Tasks = z
	.object({
		tasks: z.array(
			z.object({
				name: z.string(),
				description: z.string(),
				input: z.object({
					schema: JsonSchemaValue.optional().meta({ description: 'JSON Schema of a JSON input' }),
					mediaTypes: z.array(z.string()).optional().meta({ description: 'Media types of an input of bytes' }),
					maxBytes: countField('Its maximum size').optional(),
				}),
				parameters: JsonSchemaValue,
				lane: z.string(),
				maxAttempts: z.int(),
				timeoutSeconds: z.int(),
			}),
		),
	})
	.meta({ id: 'Tasks' });

export const TopicEvent = z
	.object({
		seq: countField('Its number in the topic'),
		type: textField('As published; `gap` tells which events are gone'),
		at: timeField('When it was published'),
		correlationId: z.string().optional(),
		hops: z.int().optional().meta({ description: 'Of a reply: task subscriptions that led to it' }),
		data: z.unknown().optional().meta({ description: 'The JSON that was published' }),
		mediaType: textField('Media type of data that is not JSON').optional(),
		dataBase64: textField('Data that is not JSON, in base64').optional(),
	})
	.meta({ id: 'TopicEvent' });

export const TopicEventPage = z
	.object({
		events: z.array(TopicEvent),
		lastSeq: countField('The cursor of the next page'),
		hasMore: z.literal(true).optional().meta({ description: 'More events are there now' }),
	})
	.meta({ id: 'TopicEventPage' });

export const Topics = z.object({ topics: z.array(z.object({ name: z.string() })), nextCursor }).meta({ id: 'Topics' });

export const Published = z
	.object({ seq: z.int().min(1).meta({ description: "The event's number in the topic" }) })
	.meta({ id: 'Published' });

export const Subscription = z
	.object({
		name: z.string(),
		topic: z.string(),
		webhook: z.object({ url: textField('Without its query'), format: z.enum(['standard', 'cloudevents']) }).optional(),
		task: z.string().optional(),
		input: z.unknown().optional(),
		parameters: z.record(z.string(), z.unknown()).optional(),
		replyTopic: z.string().optional(),
		types: z.array(z.string()).optional(),
		createdAt: timeField('When it was made'),
		status: z.enum(['active', 'failing', 'disabled']),
		cursor: countField('The number of the last event that is done with'),
		lag: countField('Number of events after it'),
		delivered: countField('Number of delivered events'),
		missed: countField('Number of events that were deleted before they were delivered'),
		failure: z
			.object({
				seq: z.int(),
				attempt: z.int(),
				at: z.iso.datetime(),
				code: z.int().optional(),
				reason: z.string().optional(),
				nextAttemptAt: z.iso.datetime(),
			})
			.optional(),
		givenUp: z.object({
			count: countField('Number of events that were given up'),
			events: z.array(
				z.object({ seq: z.int(), at: z.iso.datetime(), code: z.int().optional(), reason: z.string().optional() }),
			),
		}),
	})
	.meta({ id: 'Subscription' });

export const Subscriptions = z.object({ subscriptions: z.array(Subscription) }).meta({ id: 'Subscriptions' });

export const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

/** The body of a webhook in the format `standard`. */
export const JobMessage = z
	.object({
		type: z.enum(EVENT_TYPES.map((type) => `job.${type}` as const)),
		timestamp: timeField('When it happened'),
		data: StatusDocument,
	})
	.meta({ id: 'JobMessage' });

/** The same for a topic's subscription. */
export const TopicMessage = z
	.object({ type: textField("The event's type"), timestamp: timeField('When it was published'), data: TopicEvent })
	.meta({ id: 'TopicMessage' });
