/**
 * Makes a job of a topic's event. The job's idempotency key names the event, so that an event that is delivered twice is one job. Its
 * end is told to the reply topic by the job's own deliveries, which are retried and never lost.
 */
import { Buffer } from 'node:buffer';
import { defined } from '../core/defined.ts';
import { matchesMediaType } from '../core/http/media-type.ts';
import type { Submission } from '../core/job/lifecycle.ts';
import { MS_PER_SECOND, OPTION_LIMITS } from '../core/job/limits.ts';
import { jobMessage } from '../core/job/message.ts';
import { acceptedNews } from '../core/job/news.ts';
import type { StoredInput, Webhook } from '../core/job/record.ts';
import { DEFAULT_WEBHOOK_EVENTS } from '../core/job/webhook.ts';
import type { Quotas } from '../core/quota/quotas.ts';
import type { TopicQuotas } from '../core/topic/allowance.ts';
import type { TopicEvent } from '../core/topic/event.ts';
import { MAX_MAPPED_INPUT_BYTES, MAX_REPLY_HOPS } from '../core/topic/limits.ts';
import { mapped } from '../core/topic/mapping.ts';
import { GAP_TYPE } from '../core/topic/names.ts';
import type { TaskTarget } from '../core/topic/subscription.ts';
import type { Lanes } from '../queue/lanes.ts';
import { fullForMs } from '../queue/pressure.ts';
import { tellAndSend } from '../queue/tell-first.ts';
import type { Jobs } from '../rpc/jobs.ts';
import type { ListTeller } from '../rpc/list-teller.ts';
import { reservationName, type Tenants } from '../rpc/tenants.ts';
import type { Topics } from '../rpc/topics.ts';
import type { RegisteredTask, TaskRegistry } from '../work/registry.ts';
import type { Delivered, SubscribedEvent } from './delivered.ts';

export interface JobDependencies {
	readonly tasks: TaskRegistry;
	readonly jobs: Jobs;
	readonly tenants: Tenants;
	/** Absent in a Worker without a binding for topics. */
	readonly topics?: Topics;
	readonly lanes: Lanes;
	readonly quotas: Quotas | undefined;
	readonly topicQuotas: TopicQuotas | undefined;
	readonly maxBacklog: number;
	/** Left out where the list of jobs is off. */
	readonly teller: ListTeller | undefined;
}

/** An input that no task takes. */
class Unusable extends Error {
	/** The code of the error. */
	readonly reason: string;

	constructor(reason: string) {
		super(reason);
		this.reason = reason;
	}
}

/** Wait of a subscription whose tenant has no quota left, or whose lane is full. */
const NO_ROOM_RETRY_MS = 5 * MS_PER_SECOND;

export async function createJob(
	dependencies: JobDependencies,
	subscribed: SubscribedEvent,
	target: TaskTarget,
): Promise<Delivered> {
	const { event } = subscribed;
	if (event.type === GAP_TYPE) return { type: 'delivered' };
	try {
		if ((event.hops ?? 0) >= MAX_REPLY_HOPS) return { type: 'given up', reason: 'TooManyHops' };
		const task = dependencies.tasks.get(target.task);
		if (!task) throw new Unusable('UnknownTask');
		const parameters = await checkedParameters(task, event, target);
		const input = await inputFor(task, event, target);
		return await submitEvent(dependencies, subscribed, { task, target, parameters, input });
	} catch (error) {
		if (!(error instanceof Unusable)) throw error;
		return refuseEvent(dependencies, subscribed, { target, reason: error.reason });
	}
}

/** Tells the reply topic that the event becomes no job, so that its publisher does not wait for one. */
async function refuseEvent(
	{ topics, tenants, topicQuotas: quotas }: JobDependencies,
	{ event, topicId, claim, work }: SubscribedEvent,
	{ target, reason }: { readonly target: TaskTarget; readonly reason: string },
): Promise<Delivered> {
	const { replyTopic } = target;
	if (!topics || replyTopic === undefined) return { type: 'given up', reason };
	const { settings } = work;
	const message = 'The event can not become a job of the task: see the task in GET /v1/tasks';
	const source = { topic: settings.topic, seq: event.seq };
	const reply = {
		type: 'failed',
		data: JSON.stringify({ task: target.task, error: { code: reason, message }, event: source }),
	};
	const publication = {
		event: defined({ ...reply, correlationId: event.correlationId, hops: countHops({ event, work }) }),
		idempotency: { key: `refused:${topicId}:${claim.name}:${claim.createdAt}:${event.seq}`, digest: '' },
		settings: { ...settings, topic: replyTopic },
	};
	const published = await topics.publishWithin(topics.idFor(settings.tenant, replyTopic), publication, {
		tenants,
		quotas,
	});
	return published.published ? { type: 'given up', reason } : { type: 'failed', reason: 'QuotaExceeded' };
}

interface EventJob {
	readonly task: RegisteredTask;
	readonly target: TaskTarget;
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly input: StoredInput;
}

/** Creates the job, within the tenant's quotas. A tenant without room holds its subscription back. */
async function submitEvent(
	{ jobs, teller, tenants, lanes, quotas, maxBacklog }: JobDependencies,
	{ event, claim, work }: SubscribedEvent,
	{ task, target, parameters, input }: EventJob,
): Promise<Delivered> {
	const { tenant, topic } = work.settings;
	const key = `topic:${topic}:${claim.name}:${claim.createdAt}:${event.seq}`;
	const id = jobs.idForKey(tenant, task.name, key);
	const fullMs = fullForMs({ lanes, lane: task.lane, maxBacklog }, Date.now());
	if (fullMs > 0) return { type: 'failed', reason: 'Overloaded', retryAfterMs: fullMs };
	const room = quotas && (await reserveFor(tenants, { tenant, job: id, bytes: input.sizeBytes, quotas }));
	if (room === 'none') return { type: 'failed', reason: 'QuotaExceeded', retryAfterMs: NO_ROOM_RETRY_MS };
	const submission: Submission = {
		...submissionFor({ task, target, parameters, input }, { tenant, key, event, hops: countHops({ event, work }) }),
		...defined({ reservation: room?.name, isListable: teller && true }),
	};
	const acceptance = await jobs.call(id, (job) => job.accept(submission, defined({ acceptBy: room?.acceptBy })));
	const isNew = acceptance.accepted && !acceptance.isReplay;
	if (room && !isNew) await tenants.release(tenant, room.name);
	if (!acceptance.accepted && acceptance.reason === 'key-reused')
		return { type: 'given up', reason: 'IdempotencyKeyReused' };
	if (!acceptance.accepted) return { type: 'failed', reason: 'Overloaded' };
	if (!isNew) return { type: 'delivered' };
	const listing = teller && { news: acceptedNews(acceptance.view, submission), teller };
	const message = jobMessage(id, acceptance.view.epoch, undefined);
	await tellAndSend({ lanes, lane: task.lane }, [{ message, listing }]);
	return { type: 'delivered' };
}

interface JobIdentity {
	readonly tenant: string;
	readonly key: string;
	readonly event: TopicEvent;
	/** Of the reply. */
	readonly hops: number;
}

function submissionFor(
	{ task, target, parameters, input }: EventJob,
	{ tenant, key, event, hops }: JobIdentity,
): Submission {
	return defined({
		submission: crypto.randomUUID(),
		tenant,
		task: task.name,
		lane: task.lane,
		// The key names the event: whatever the subscription says by now, it is the same job.
		fingerprint: key,
		requestFingerprint: key,
		options: {
			correlationId: event.correlationId ?? crypto.randomUUID(),
			delaySeconds: OPTION_LIMITS.delaySeconds.default,
			timeoutSeconds: task.timeoutSeconds,
			maxAttempts: task.maxAttempts,
			retainSeconds: OPTION_LIMITS.retainSeconds.default,
			tags: [],
			idempotencyKey: key,
		},
		parameters,
		input,
		origin: target.origin,
		webhook: replyWebhook(target, hops),
		sent: true,
	});
}

/** The hops of the event's reply. */
function countHops({ event, work }: Pick<SubscribedEvent, 'event' | 'work'>): number {
	return (event.hops ?? 0) + Math.max(1, work.taskSubscriptions ?? 1);
}

/** The reply topic, as the receiver of the job's end. */
function replyWebhook({ origin, replyTopic }: TaskTarget, replyHops: number): Webhook | undefined {
	if (replyTopic === undefined) return undefined;
	const url = `${origin}/v1/topics/${replyTopic}/events`;
	return { url, replyTopic, replyHops, events: DEFAULT_WEBHOOK_EVENTS, format: 'standard', origin, deliveries: [] };
}

async function checkedParameters(
	task: RegisteredTask,
	event: TopicEvent,
	{ parameters = {} }: TaskTarget,
): Promise<Record<string, unknown>> {
	const values = mapped(parameters, event) as Record<string, unknown>;
	const parsed = await task.parameters.safeParseAsync(values);
	if (!parsed.success) throw new Unusable('InvalidRequest');
	return values;
}

/** The event's data, or what the template makes of it. */
async function inputFor({ json, binary }: RegisteredTask, event: TopicEvent, target: TaskTarget): Promise<StoredInput> {
	const { dataBase64, mediaType = '' } = event;
	if (target.input === undefined && dataBase64 !== undefined) {
		if (!binary || !matchesMediaType(binary.mediaTypes, mediaType)) throw new Unusable('UnsupportedMediaType');
		return storedBytes('bytes', mediaType, Uint8Array.from(Buffer.from(dataBase64, 'base64')));
	}
	if (!json) throw new Unusable('UnsupportedMediaType');
	const value = target.input === undefined ? event.data : mapped(target.input, event);
	const parsed = await json.safeParseAsync(value);
	if (!parsed.success || value === undefined) throw new Unusable('InvalidInput');
	return storedBytes('json', 'application/json', new TextEncoder().encode(JSON.stringify(value)));
}

function storedBytes(form: StoredInput['form'], mediaType: string, inline: Uint8Array): StoredInput {
	const sizeBytes = inline.byteLength;
	if (sizeBytes > MAX_MAPPED_INPUT_BYTES) throw new Unusable('PayloadTooLarge');
	return { form, mediaType, sizeBytes, inline };
}

interface RoomRequest {
	readonly tenant: string;
	readonly job: string;
	readonly bytes: number;
	readonly quotas: Quotas;
}

async function reserveFor(
	tenants: Tenants,
	{ tenant, quotas, ...wanted }: RoomRequest,
): Promise<{ readonly name: string; readonly acceptBy: number } | 'none'> {
	const name = reservationName(Date.now());
	const reserved = await tenants.call(tenant, (object) => object.reserve({ ...wanted, name }, quotas));
	return reserved.reserved ? { name, acceptBy: reserved.acceptBy } : 'none';
}
