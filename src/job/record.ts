/**
 * A job as it is stored: one value under one key of its own object.
 *
 * This is a persisted contract. A record written by an older version is read by a newer one and, for some seconds of
 * every deploy, the other way round: only add optional fields, and never give a field a second meaning. All times are
 * milliseconds since the epoch.
 */

/** The statuses a client can ever see. Pollers loop for ever on one they don't know: this set is closed. */
export const STATUSES = ['pending', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type Status = (typeof STATUSES)[number];

/** How a job that failed came to fail. */
export type FailedPhase = 'failed' | 'timed-out' | 'expired' | 'dead-lettered';

/** Bytes that belong to a job: in the record itself, or in chunk rows `0 … chunks − 1` of one upload. */
export type StoredBody = { readonly sizeBytes: number; readonly mediaType: string } & (
	| { readonly inline: Uint8Array }
	| { readonly upload: string; readonly chunks: number }
);

/** How an input was taken in: checked against a schema, or as bytes. */
export type InputForm = 'json' | 'bytes';

export type StoredInput = StoredBody & { readonly form: InputForm };

/** A stored HTTP reply: what the result resource answers. */
export interface StoredReply {
	readonly status: number;
	readonly headers: readonly (readonly [name: string, value: string])[];
	/** Left out when the reply has no body. */
	readonly body?: StoredBody;
}

/** Why a job, or an attempt, failed. Public: it is shown to the client as it is. */
export interface JobError {
	readonly code: string;
	readonly message: string;
	readonly details?: readonly unknown[];
	readonly retryable: boolean;
}

/** What a submission asked for, with every default filled in. */
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

/** Waiting for a consumer. The queue moves it next; if the message is lost, the job's own alarm sends another. */
export interface PendingState {
	readonly name: 'pending';
	/** Not to be started before. */
	readonly notBefore: number;
	/** When a message was last handed to the queue. Left out: the alarm has still to send one. */
	readonly sentAt?: number;
	/**
	 * When the watchdog looks after the message, or sends the first. Looks follow a fixed schedule from here and are not written:
	 * a record that was read from storage shows the schedule's first look.
	 */
	readonly checkAt: number;
	/** How often the watchdog sent the message again. */
	readonly resends: number;
	/** How far the watchdog is in its schedule. */
	readonly wakes: number;
	/** The schedule is over, and the message was sent one last time. */
	readonly isLastTry?: true;
	/** How often the job was told that its turn had not come. Left out: never since its last attempt. */
	readonly waits?: number;
}

/** An attempt has the job. It moves the job next; if it dies, its lease runs out and the job is pending again. */
export interface RunningState {
	readonly name: 'running';
	readonly attemptStartedAt: number;
	readonly leaseEndsAt: number;
	/** Names the one delivery of a message that was given this attempt. */
	readonly delivery?: string;
	/** Somebody asked to cancel: whatever the attempt reports now, the job ends canceled. */
	readonly canceling: boolean;
	/** An external worker has the attempt: no consumer of ours does. */
	readonly waiting?: Waiting;
	/** The external worker has reported: it has started. */
	readonly isHeard?: true;
}

/** What an external worker is given. */
export interface Waiting {
	readonly since: number;
	/** When it must have reported first; left out when that doesn't matter, or has happened. */
	readonly startBy?: number;
	/** No external worker has the attempt: an upstream works on, and consumers ask it from time to time. */
	readonly following?: FollowState;
}

/** Where an upstream's operation is asked for: an `Operation` of `lro`, as plain data. */
export interface UpstreamOperation {
	readonly method: string;
	readonly askAt: string;
	readonly asksFor: 'status' | 'location' | 'resource' | 'result';
	readonly resultAt?: string;
}

/** An operation that an upstream works on, as its last answer left it. */
export interface Following {
	readonly operation: UpstreamOperation;
	/** Number of answers so far that said that it goes on. */
	readonly answers: number;
	/** Number of questions in a row that failed. */
	readonly failures: number;
	/** The last wait that the upstream named. */
	readonly retryAfterMs?: number;
}

export interface FollowState extends Following {
	/** The number of the message that the next question waits for: a message with another number does nothing. */
	readonly asks: number;
	/** When the watchdog looks after that message. As in {@link PendingState}, looks are not written. */
	readonly checkAt: number;
	/** How far the watchdog is in its schedule. */
	readonly wakes: number;
	/** The consumer that asks just now: until this time, in milliseconds since the epoch, no other does. */
	readonly asking?: { readonly delivery: string; readonly until: number };
}

interface Finished {
	readonly finishedAt: number;
	/** Nobody moves it but time: from here on it reads as gone. */
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
	/** A failed reply that is to be replayed as it came. */
	readonly reply?: StoredReply;
}

export interface CanceledState extends Finished {
	readonly name: 'canceled';
}

/** What is left when the data is gone: it answers 410 until `goneAt`, then the object is empty. */
export interface TombstoneState {
	readonly name: 'tombstone';
	readonly reason: 'expired' | 'purged';
	readonly goneAt: number;
}

export type FinalState = SucceededState | FailedState | CanceledState;
export type JobState = PendingState | RunningState | FinalState | TombstoneState;

/** The types of events a job can have; `snapshot` is made for a reader who came without a cursor and is never stored. */
export const EVENT_TYPES = ['accepted', 'started', 'progress', 'retrying', 'succeeded', 'failed', 'canceled'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What a webhook's body looks like: Standard Webhooks' own envelope, or a CloudEvents 1.0 message in binary mode. */
export const WEBHOOK_FORMATS = ['standard', 'cloudevents'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** One event on its way to a webhook. */
export interface Delivery {
	/** The event's. */
	readonly seq: number;
	/** Tries made so far. */
	readonly attempt: number;
	readonly status: 'pending' | 'delivered' | 'given-up' | 'disabled';
	/** The last try. */
	readonly at?: number;
	/** What the receiver answered, if it did. */
	readonly code?: number;
	/** `pending` only: when the next try is due. */
	readonly nextAttemptAt?: number;
	/** How often its message was missing. */
	readonly wakes?: number;
}

/** Who is called when something happens to the job. */
export interface Webhook {
	readonly url: string;
	readonly events: readonly EventType[];
	readonly format: WebhookFormat;
	/** What the links in the body start with. */
	readonly origin: string;
	/** The receiver said that it is gone (410): it is left alone. */
	readonly isDisabled?: true;
	/** Its message ids name the job's birth. Left out by versions up to 0.1.0, whose jobs keep the ids they have. */
	readonly idsNameBirth?: true;
	readonly deliveries: readonly Delivery[];
}

/** One event, as short as it can be kept: the document it carried is built again from the record. */
export interface HistoryEntry {
	readonly seq: number;
	readonly type: EventType;
	readonly at: number;
	readonly epoch: number;
	readonly attempt: number;
	/** `retrying` only. */
	readonly nextAttemptAt?: number;
	/** `retrying` and `failed`: what went wrong. */
	readonly error?: { readonly code: string; readonly message: string };
}

export interface JobRecord {
	readonly version: 1;
	readonly tenant: string;
	readonly task: string;
	readonly lane: string;
	/** Says that a repeated `accept` is the same submission asking again, not another one. */
	readonly submission: string;
	/** A hash of the request with its defaults filled in. Version 0.1.0 and a rolled-back deploy compare nothing else. */
	readonly fingerprint?: string;
	/** A hash of the request as the client sent it. An Idempotency-Key stands for this; 0.1.0 didn't write it. */
	readonly requestFingerprint?: string;
	readonly options: JobOptions;
	readonly parameters: Readonly<Record<string, unknown>>;
	/** Left out once the job succeeded: nobody can ask to run it again. */
	readonly input?: StoredInput;
	/** An attempt that was lost may have done its work, and doing it twice would do harm: the job fails instead. */
	readonly isOnce?: true;
	/** Counts lives: 1, and one more with every retry asked for by a client. */
	readonly epoch: number;
	/** The last attempt of this epoch, from 1; 0 before the first. With the epoch, the fencing token. */
	readonly attempt: number;
	/** How many attempts of this epoch the infrastructure lost. Each is given back. */
	readonly lostAttempts: number;
	/** The number of the last event. */
	readonly seq: number;
	readonly createdAt: number;
	/** When this epoch began. */
	readonly epochAt: number;
	/** The first start of this epoch. */
	readonly startedAt?: number;
	readonly updatedAt: number;
	/**
	 * An attempt was lost, and the work itself may have killed its consumer: from then on it gets one to itself, so that it
	 * takes nobody with it.
	 */
	readonly runsAlone?: true;
	readonly progress?: Progress;
	/** When progress was last worth an event. */
	readonly progressAt?: number;
	/** The newest progress came too soon after that for an event of its own. Time makes it one. */
	readonly isUntold?: true;
	/** Events of an external worker's progress are not written while their numbers are at most `seq`, until this moment. */
	readonly unwritten?: { readonly seq: number; readonly until: number };
	readonly webhook?: Webhook;
	/** What links given out beside a request start with. */
	readonly origin?: string;
	/** The name under which its tenant's object keeps room for this epoch of it; left out when nobody counts. */
	readonly reservation?: string;
	readonly state: JobState;
	readonly history: readonly HistoryEntry[];
}

/** Proof of being the attempt that has the job. */
export interface Fence {
	readonly epoch: number;
	readonly attempt: number;
	/** The job's own: a later job of the same idempotency key may count from the start again. Earlier versions leave it out. */
	readonly createdAt?: number;
}

/** The job's last attempt. */
export function fenceOf({ epoch, attempt, createdAt }: JobRecord): Fence {
	return { epoch, attempt, createdAt };
}

/** Whether an attempt is the job's last. */
export function isCurrent({ epoch, attempt, createdAt }: JobRecord, fence: Fence): boolean {
	return fence.epoch === epoch && fence.attempt === attempt && (fence.createdAt ?? createdAt) === createdAt;
}

/** How many attempts this epoch may have: those asked for, and those that were lost through nobody's fault. */
export function maxAttempts(job: JobRecord): number {
	return job.options.maxAttempts + job.lostAttempts;
}

/** The lane whose consumers take one job at a time. */
export const ALONE_LANE = 'alone';

/** The lane that a job's messages go by. */
export function laneOf(job: JobRecord): string {
	return job.runsAlone ? ALONE_LANE : job.lane;
}

/** When a job that nobody has started must have been, or `undefined` when it may wait. */
export function startBy(job: JobRecord): number | undefined {
	const { startWithinSeconds } = job.options;
	return startWithinSeconds === undefined || job.attempt > 0 ? undefined : job.epochAt + startWithinSeconds * 1_000;
}

export function isFinal(state: JobState): state is FinalState {
	return state.name === 'succeeded' || state.name === 'failed' || state.name === 'canceled';
}
