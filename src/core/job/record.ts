/**
 * A job as stored: one value under one key of its own object.
 *
 * This is a persisted contract. A newer version reads the records of an older one and, for some seconds of every deploy,
 * the other way round. Only add optional fields, and never give a field a second meaning. All times are milliseconds
 * since the epoch.
 */
import { MS_PER_SECOND, NOW_LANE } from './limits.ts';

/** All statuses that a client can see. Clients poll forever on an unknown status, so none may be added. */
export const STATUSES = ['pending', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type Status = (typeof STATUSES)[number];

/** Why a job failed. */
export type FailedPhase = 'failed' | 'timed-out' | 'expired' | 'dead-lettered';

/** A body of a job: in the record itself, or in chunk rows `0 … chunks − 1` of one upload. */
export type StoredBody = { readonly sizeBytes: number; readonly mediaType: string } & (
	| { readonly inline: Uint8Array }
	| { readonly upload: string; readonly chunks: number }
);

/** The form of an input: JSON checked against a schema, or bytes. */
export type InputForm = 'json' | 'bytes';

export type StoredInput = StoredBody & { readonly form: InputForm };

/** A stored HTTP reply, which the result resource replays. */
export interface StoredReply {
	readonly status: number;
	readonly headers: readonly (readonly [name: string, value: string])[];
	/** Left out if the reply has no body. */
	readonly body?: StoredBody;
}

/** Why a job, or an attempt, failed. Public: clients see it unchanged. */
export interface JobError {
	readonly code: string;
	readonly message: string;
	readonly details?: readonly unknown[];
	readonly retryable: boolean;
}

/** The options of a submission, with all defaults applied. */
export interface JobOptions {
	readonly correlationId: string;
	readonly delaySeconds: number;
	readonly timeoutSeconds: number;
	readonly maxAttempts: number;
	readonly retainSeconds: number;
	readonly tags: readonly string[];
	readonly startWithinSeconds?: number;
	readonly idempotencyKey?: string;
	readonly traceparent?: string;
	readonly onPending?: 'ok' | 'accepted';
	readonly onComplete?: 'redirect' | 'inline' | 'status';
	readonly onFailed?: 'status' | 'error';
}

export interface Progress {
	readonly percentComplete?: number;
	readonly message?: string;
	readonly data?: unknown;
}

/** Waiting for a consumer. The queue moves the job next; if the message is lost, the job's own alarm sends another. */
export interface PendingState {
	readonly name: 'pending';
	/** The earliest start. */
	readonly notBefore: number;
	/** When a message was last sent to the queue. Left out: the alarm must still send one. */
	readonly sentAt?: number;
	/**
	 * When the watchdog checks the message, or sends the first one. Checks follow a fixed schedule from here and are not
	 * written, so a record that was read from storage shows the schedule's first check.
	 */
	readonly checkAt: number;
	/** Number of times that the watchdog sent the message again. */
	readonly resends: number;
	/** The watchdog's position in its schedule. */
	readonly wakes: number;
	/** The schedule has ended, and the message was sent one last time. */
	readonly isLastTry?: true;
	/** Number of times that the job was deferred since its last attempt. Left out: none. */
	readonly waits?: number;
}

/** An attempt has the job. The attempt moves the job next; if it dies, its lease expires and the job is pending again. */
export interface RunningState {
	readonly name: 'running';
	readonly attemptStartedAt: number;
	readonly leaseEndsAt: number;
	/** Identifies the message delivery that got this attempt. Its reports name it, too. */
	readonly delivery?: string;
	/** Since when the attempt has no link. Left out while its link is open, and by version 0.1.0. */
	readonly unlinkedAt?: number;
	/** The attempt's link was open before. */
	readonly wasLinked?: true;
	/** A client asked to cancel: the job ends as canceled, whatever the attempt reports. */
	readonly canceling: boolean;
	/** The attempt waits for an external worker or an upstream: no consumer runs it. */
	readonly waiting?: Waiting;
	/** The external worker has sent its first report. */
	readonly isHeard?: true;
}

/** An attempt that waits for an external worker, or for an upstream's operation. */
export interface Waiting {
	readonly since: number;
	/** Deadline of the worker's first report; left out if there is none, or if the worker has reported. */
	readonly startBy?: number;
	/** Set if an upstream works on the attempt, and consumers poll it. Left out: an external worker has the attempt. */
	readonly following?: FollowState;
}

/** Where an upstream's operation is polled: an `Operation`, as plain data. */
export interface UpstreamOperation {
	readonly method: string;
	readonly askAt: string;
	readonly asksFor: 'status' | 'location' | 'resource' | 'result';
	readonly resultAt?: string;
}

/** An action's position in the list of jobs. */
export interface Walk {
	/** The jobs that the action works on now. They are written before the work, so that it can be repeated after a crash. */
	readonly page: readonly WalkedJob[];
	/** Where the list continues after the page. Left out at the start of the list, and after its last page. */
	readonly cursor?: string;
	/** The list ends with this page. */
	readonly isLast?: true;
	/** Number of jobs that the action has changed. */
	readonly done: number;
	/** Number of jobs that it could not change, by the reason. */
	readonly refused: Readonly<Record<string, number>>;
}

/** A job of an action, with its epoch when it was listed. */
export type WalkedJob = readonly [id: string, epoch: number];

/** A running operation at an upstream, as of its last response; or an action, as of its last portion. */
export interface Following {
	/** Left out by an action. */
	readonly operation?: UpstreamOperation;
	/** Actions only. */
	readonly walk?: Walk;
	/** Number of responses that reported that the operation continues. */
	readonly answers: number;
	/** Number of failed polls in a row. */
	readonly failures: number;
	/** The upstream's last `Retry-After`. */
	readonly retryAfterMs?: number;
}

export interface FollowState extends Following {
	/** The number of the message for the next poll: a message with another number does nothing. */
	readonly asks: number;
	/** When the watchdog checks that message. As in {@link PendingState}, checks are not written. */
	readonly checkAt: number;
	/** The watchdog's position in its schedule. */
	readonly wakes: number;
	/** The consumer that is polling now. Until this time, in milliseconds since the epoch, no other one does. */
	readonly asking?: { readonly delivery: string; readonly until: number };
}

interface Finished {
	readonly finishedAt: number;
	/** Only time moves the job from here: after this moment it reads as expired. */
	readonly expiresAt: number;
}

export interface SucceededState extends Finished {
	readonly name: 'succeeded';
	readonly reply: StoredReply;
}

export interface FailedState extends Finished {
	readonly name: 'failed';
	readonly phase: FailedPhase;
	readonly error: JobError;
	/** The status of the stored failure. */
	readonly status: number;
	/** An upstream's error response, which the result resource replays unchanged. */
	readonly reply?: StoredReply;
}

export interface CanceledState extends Finished {
	readonly name: 'canceled';
}

/** What remains after the data is erased: it answers 410 until `goneAt`, then the object is empty. */
export interface TombstoneState {
	readonly name: 'tombstone';
	readonly reason: 'expired' | 'purged';
	readonly goneAt: number;
}

export type FinalState = SucceededState | FailedState | CanceledState;
export type JobState = PendingState | RunningState | FinalState | TombstoneState;

/** The types of a job's events. `snapshot` is not stored: it is built for a reader without a cursor. */
export const EVENT_TYPES = ['accepted', 'started', 'progress', 'retrying', 'succeeded', 'failed', 'canceled'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** The format of a webhook's body: the Standard Webhooks envelope, or a CloudEvents 1.0 message in binary mode. */
export const WEBHOOK_FORMATS = ['standard', 'cloudevents'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** The delivery of one event to a webhook. */
export interface Delivery {
	/** The number of the event. */
	readonly seq: number;
	/** Number of tries so far. */
	readonly attempt: number;
	readonly status: 'pending' | 'delivered' | 'given-up' | 'disabled';
	/** Time of the last try. */
	readonly at?: number;
	/** Status of the receiver's response, if it responded. */
	readonly code?: number;
	/** `pending` only: when the next try is due. */
	readonly nextAttemptAt?: number;
	/** Number of times that its message was lost. */
	readonly wakes?: number;
}

/** The receiver of a job's events. */
export interface Webhook {
	readonly url: string;
	readonly events: readonly EventType[];
	readonly format: WebhookFormat;
	/** The origin of the links in the body. */
	readonly origin: string;
	/** The events are published to this topic of the tenant instead: the job belongs to a subscription with a reply topic. */
	readonly replyTopic?: string;
	/** With `replyTopic`: the number of jobs, this one included, that led here from an event that a client published. */
	readonly replyHops?: number;
	/** The receiver answered 410 Gone, and gets no more events. */
	readonly isDisabled?: true;
	/** Message ids contain the job's creation time. Versions up to 0.1.0 leave this out, and their jobs keep their ids. */
	readonly idsNameBirth?: true;
	readonly deliveries: readonly Delivery[];
}

/** One event in its shortest form. Its document is rebuilt from the record. */
export interface HistoryEntry {
	readonly seq: number;
	readonly type: EventType;
	readonly at: number;
	readonly epoch: number;
	readonly attempt: number;
	/** `retrying` only. */
	readonly nextAttemptAt?: number;
	/** `retrying` and `failed`: the cause. */
	readonly error?: { readonly code: string; readonly message: string };
}

export interface JobRecord {
	readonly version: 1;
	readonly tenant: string;
	readonly task: string;
	readonly lane: string;
	/** Identifies the submission, so that a repeated `accept` is recognised. */
	readonly submission: string;
	/** A hash of the request with its defaults applied. Version 0.1.0, and a rolled-back deploy, compare only this. */
	readonly fingerprint?: string;
	/** A hash of the request as the client sent it, which an Idempotency-Key is compared by. Version 0.1.0 didn't write it. */
	readonly requestFingerprint?: string;
	readonly options: JobOptions;
	readonly parameters: Readonly<Record<string, unknown>>;
	/** Left out once the job has succeeded, because it can't be retried. */
	readonly input?: StoredInput;
	/**
	 * The work must not be done twice. If an attempt is lost, it may have done the work, so the job fails instead of being
	 * retried.
	 */
	readonly isOnce?: true;
	/** The list of the tenant's jobs shows this job. Left out where the list is off, and by version 0.1.0. */
	readonly isListable?: true;
	/**
	 * The list may not know of the job since then, in milliseconds since the epoch. Its alarm tells the list, at the time `at`; without
	 * a time, the next alarm does.
	 */
	readonly toTell?: { readonly since: number; readonly at?: number };
	/**
	 * When the batch erases the job, in milliseconds since the epoch. Left out for a job that was submitted alone, and by
	 * versions up to 0.1.0.
	 */
	readonly batchErasesAt?: number;
	/** The number of the job's run: 1, plus one for each retry that a client requested. */
	readonly epoch: number;
	/** The last attempt of this epoch, from 1; 0 before the first. Together with the epoch, it is the fencing token. */
	readonly attempt: number;
	/** Number of attempts of this epoch that the infrastructure lost. They don't count. */
	readonly lostAttempts: number;
	/** The number of the last event. */
	readonly seq: number;
	readonly createdAt: number;
	/** When this epoch began. */
	readonly epochAt: number;
	/** Time of the first start in this epoch. */
	readonly startedAt?: number;
	readonly updatedAt: number;
	/**
	 * An attempt was lost, and the work itself may have crashed its consumer. From then on, each attempt gets a consumer of
	 * its own, so that a crash affects no other job.
	 */
	readonly runsAlone?: true;
	/** The job was read from storage. It may have started before, and its object has forgotten the start. */
	readonly mayHaveStarted?: true;
	readonly progress?: Progress;
	/** Time of the last progress event. */
	readonly progressAt?: number;
	/** The newest progress came too soon after that event. It becomes an event of its own later. */
	readonly isUntold?: true;
	/** An external worker's progress events are not written while their numbers are at most `seq`, until this moment. */
	readonly unwritten?: { readonly seq: number; readonly until: number };
	readonly webhook?: Webhook;
	/** The origin of links that are issued without a request. */
	readonly origin?: string;
	/** The name of this epoch's reservation in the tenant's object; left out when the job isn't counted. */
	readonly reservation?: string;
	/** Who asked for an action: the id of an API key, or `jwt:` and the subject of a JWT. Left out where neither is known. */
	readonly requestedBy?: string;
	/** The action that began this epoch. Left out if a client did. */
	readonly retriedBy?: string;
	readonly state: JobState;
	readonly history: readonly HistoryEntry[];
}

/** The fencing token of an attempt: proof that it holds the job. */
export interface Fence {
	readonly epoch: number;
	readonly attempt: number;
	/**
	 * The creation time of the job: a later job of the same idempotency key may repeat epochs. Earlier versions leave it
	 * out.
	 */
	readonly createdAt?: number;
	/**
	 * The message delivery that got the attempt, and its start, in milliseconds since the epoch. They distinguish two
	 * attempts with one number, if the object was reset before the first one was written. Left out by an external worker.
	 */
	readonly delivery?: string;
	readonly startedAt?: number;
}

/** The fencing token of the job's last attempt. */
export function fenceOf({ epoch, attempt, createdAt, state }: JobRecord): Fence {
	const numbers = { epoch, attempt, createdAt };
	if (state.name !== 'running' || state.delivery === undefined) return numbers;
	return { ...numbers, delivery: state.delivery, startedAt: state.attemptStartedAt };
}

/** Whether the fencing token has the numbers of the job's last attempt. */
export function isNamedBy({ epoch, attempt, createdAt }: JobRecord, fence: Fence): boolean {
	return fence.epoch === epoch && fence.attempt === attempt && (fence.createdAt ?? createdAt) === createdAt;
}

/** Whether the fencing token is that of the job's last attempt. */
export function isCurrent(job: JobRecord, fence: Fence): boolean {
	const delivery = job.state.name === 'running' ? job.state.delivery : undefined;
	return isNamedBy(job, fence) && (fence.delivery ?? delivery) === (delivery ?? fence.delivery);
}

/** Whether the attempt with this fencing token has the job. */
export function isHeldBy(
	job: JobRecord | undefined,
	fence: Fence,
): job is JobRecord & { readonly state: RunningState } {
	return job?.state.name === 'running' && isCurrent(job, fence);
}

/** Maximum number of attempts in this epoch: those requested, plus those that the infrastructure lost. */
export function maxAttempts(job: JobRecord): number {
	return job.options.maxAttempts + job.lostAttempts;
}

/** The progress of a job between two attempts, as an event says it now, and when it is read later. @param attempt that failed. */
export function retryProgress(job: JobRecord, attempt: number, { message }: Pick<JobError, 'message'>): Progress {
	return { message: `Attempt ${attempt} of ${maxAttempts(job)} failed: ${message}` };
}

/** The lane whose consumers run one job at a time. */
export const ALONE_LANE = 'alone';

/** The lane of work that usually ends within some seconds. */
export const BRIEF_LANE = 'jobs';
/** The lanes of such work. */
const BRIEF_LANES: ReadonlySet<string> = new Set([BRIEF_LANE, NOW_LANE]);

/** Whether the job's attempts are expected to end within some seconds. */
export function isBrief(job: JobRecord): boolean {
	return BRIEF_LANES.has(laneOf(job));
}

/** The lane of a job's messages. */
export function laneOf(job: JobRecord): string {
	return job.runsAlone ? ALONE_LANE : job.lane;
}

/** The start deadline of a job that has never started; `undefined` if there is none. */
export function startBy(job: JobRecord): number | undefined {
	const { startWithinSeconds } = job.options;
	return startWithinSeconds === undefined || job.attempt > 0
		? undefined
		: job.epochAt + startWithinSeconds * MS_PER_SECOND;
}

export function isFinal(state: JobState): state is FinalState {
	return state.name === 'succeeded' || state.name === 'failed' || state.name === 'canceled';
}
