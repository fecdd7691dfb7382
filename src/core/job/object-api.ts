/**
 * The RPC interface of a job's object. These calls cross isolates, and for some seconds of every deploy they cross
 * versions too. Only add optional fields, and optional parameters at the end. A method whose arguments change otherwise
 * gets a new name: an object without the method rejects the call, and the caller repeats it.
 */

import type { BareEvent, JobFacts } from './document.ts';
import type { Submission } from './lifecycle.ts';
import type { JobMessage } from './message.ts';
import type { JobNews } from './news.ts';
import type { QuotaUsage } from './quota-usage.ts';
import type { Reader } from './reader.ts';
import type { Fence, FollowState, JobOptions, StoredInput, StoredReply, Webhook } from './record.ts';
import type { ClientCommand, Command, Refusal } from './transition.ts';
import type { UpstreamHint } from './upstream.ts';
import type { Try } from './webhook.ts';

/** A job as callers see it: without its bytes and without internal state. */
export interface JobView {
	readonly facts: JobFacts;
	readonly epoch: number;
	/** The flags of the job's status URL. */
	readonly flags: Readonly<Record<string, string>>;
	/** The input for an estimate of the remaining time, in milliseconds since the epoch. */
	readonly timing: {
		readonly waitingSince: number;
		readonly notBefore?: number;
		readonly progressAt?: number;
		/**
		 * Time from the submission to the first start, in milliseconds; left out when the job was delayed or has not started.
		 */
		readonly waitedMs?: number;
	};
	readonly lane: string;
	/** Set for jobs that forward to an upstream. */
	readonly upstream?: UpstreamHint;
	/** Only of the service's own jobs. */
	readonly parameters?: Readonly<Record<string, unknown>>;
	/** Only of the service's own jobs. */
	readonly requestedBy?: string;
	/** When tokens for this job expire, in milliseconds since the epoch. */
	readonly readableUntil: number;
	/** How long the job is kept after its end, in milliseconds. Left out by older objects. */
	readonly retainMs?: number;
}

/** A finished job's stored result: the reply of its task, or the status of its failure. */
export type Outcome =
	| { readonly kind: 'reply'; readonly reply: StoredReply }
	| { readonly kind: 'failure'; readonly status: number };

export type Reading =
	| { readonly found: 'job'; readonly view: JobView; readonly outcome?: Outcome }
	| { readonly found: 'tombstone'; readonly reason: 'expired' | 'purged' }
	| Nothing;

/** No such job exists for this reader. */
export interface Nothing {
	readonly found: 'nothing';
	/** Left out by objects of version 0.1.0, which don't support readers without a tenant: the job may exist. */
	readonly knowsTokens?: true;
}

export type FoundJob = Extract<Reading, { found: 'job' }>;

export type Acceptance =
	| { readonly accepted: true; readonly view: JobView; readonly isReplay: boolean }
	/**
	 * `key-reused`: the key was used for another request. `upload-lost`: the upload expired before its submission.
	 * `no-room`: the job would be new, and the quota has no room.
	 */
	| { readonly accepted: false; readonly reason: 'key-reused' | 'upload-lost' | 'no-room' };

/** The conditions for accepting a job. */
export interface AcceptTerms {
	/** The reservation expires at this time, in milliseconds since the epoch: the job is accepted only before it. */
	readonly acceptBy?: number;
	/** The quota has no room: only a job that was accepted before is returned. */
	readonly isReplayOnly?: boolean;
}

/** The input of an attempt. */
export interface Lease {
	readonly fence: Fence;
	readonly task: string;
	readonly options: JobOptions;
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly input?: StoredInput;
	/** The deadline of the attempt's report, in milliseconds since the epoch. */
	readonly leaseEndsAt: number;
	readonly tenant?: string;
	/** The origin of the job's links. */
	readonly origin?: string;
	/** When tokens for this job expire, in milliseconds since the epoch. */
	readonly readableUntil?: number;
	/** The attempt may be a long one: it opens its link before it begins. */
	readonly linksFirst?: true;
	/** Time from the moment when the job might start to its start, in milliseconds. */
	readonly waitedMs?: number;
}

export type Start =
	| { readonly started: true; readonly lease: Lease; readonly news?: JobNews }
	/** `early`: the job may start after `waitMs`, by a message on `lane`. */
	| { readonly started: false; readonly refusal: Refusal; readonly waitMs?: number; readonly lane?: string };

/** The object's response to a report: what the consumer must do next. */
export type Report = {
	readonly refusal?: Refusal;
	/** The job is retried after this time. */
	readonly retryInMs?: number;
	/** The lane of the message for the retry. */
	readonly lane?: string;
	/** The message for the retry, if it differs from the one that the consumer has. */
	readonly next?: JobMessage;
	/** What the caller must tell the list. */
	readonly news?: JobNews;
	/** Progress only: the caller must call `tell` after this time, in milliseconds, to announce the progress. */
	readonly tellInMs?: number;
};

/** The input of a poll of an upstream's operation. */
export type Asking =
	| {
			readonly asking: true;
			readonly lease: Lease;
			readonly following: FollowState;
			/** When the operation began, in milliseconds since the epoch. */
			readonly since: number;
	  }
	| { readonly asking: false; readonly refusal: Refusal };

/** A job's input, which is left out when the job has none any more. */
export type InputReading =
	| { readonly found: 'job'; readonly view: JobView; readonly input?: StoredInput }
	| Exclude<Reading, { found: 'job' }>;

/** The outcome of a client's command, with the job after it. */
export type Change =
	/** `news`: what the caller must tell the list. */
	| { readonly found: 'job'; readonly view: JobView; readonly refusal?: Refusal; readonly news?: JobNews }
	| {
			readonly found: 'tombstone';
			readonly reason: 'expired' | 'purged';
			/** The creation time of the job, in milliseconds since the epoch. */
			readonly createdAt?: number;
			readonly refusal?: Refusal;
			readonly news?: JobNews;
	  }
	| Nothing;

/** Everything that is needed to deliver one event. */
export interface DueDelivery {
	readonly event: BareEvent;
	/** The message's id, the same in every try. Versions up to 0.1.0 leave it out: then it is `{id}:{seq}`. */
	readonly messageId?: string;
	readonly webhook: Pick<Webhook, 'url' | 'format' | 'origin' | 'replyTopic' | 'replyHops'>;
	readonly tenant: string;
	readonly readableUntil: number;
	readonly traceparent?: string;
	/** The number of the try, from 1. Versions up to 0.1.0 leave it out. */
	readonly attempt?: number;
	/** Time until the try is due, in milliseconds; 0 when it is due now. */
	readonly waitMs: number;
	/** Whether the outcome must be reported. Progress is delivered once, without retries. */
	readonly isTracked: boolean;
}

/** The events after a cursor, and the job. */
export type EventsReading =
	| { readonly events: BareEvent[]; readonly view: JobView }
	| Exclude<Reading, { found: 'job' }>;

/** The quota reservation of a retry, which expires at `acceptBy`. */
export type RetryTerms = Pick<Extract<Command, { type: 'retry' }>, 'reservation' | 'acceptBy'>;

/** An action's command. It names the epoch that the job had when it was listed. */
export type ActionCommand = ClientCommand & { readonly ifEpoch: number };

/** The arguments of a call that gives a command: everything except what the object itself adds. */
export type ArgumentsOf<Type extends Command['type']> = Omit<Extract<Command, { type: Type }>, 'type' | 'random'>;

/** The key of one stored chunk. */
export interface ChunkKey {
	readonly upload: string;
	readonly index: number;
}

export interface JobObjectApi {
	/** Stores the job durably, record and alarm in one write. A repeated call with the same submission is harmless. */
	accept(submission: Submission, terms?: AcceptTerms): Promise<Acceptance>;
	/**
	 * `withOutcome` adds a finished job's reply. `asText`: a job without its reply comes as JSON, because a text takes less work
	 * to cross between isolates. Objects of earlier versions ignore it.
	 */
	readJob(reader: Reader, options?: { readonly withOutcome?: boolean }): Promise<Reading>;
	readJob(reader: Reader, options: { readonly asText: true }): Promise<Reading | string>;
	/** No token grants this. */
	readInput(reader: Reader): Promise<InputReading>;
	/** `after`: the `seq` of the last event that the reader has; 0 for all. */
	readEvents(reader: Reader, cursor: { readonly after: number }): Promise<EventsReading>;
	/** @param terms `unlessFollowed`: not while anybody waits for the job or receives its events. */
	cancelJob(reader: Reader, terms?: { readonly unlessFollowed?: boolean }): Promise<Change>;
	/** No token grants this. */
	retryJob(reader: Reader, terms?: RetryTerms): Promise<Change>;
	purgeJob(reader: Reader): Promise<Change>;
	/**
	 * A call of its own, because an object of an earlier version would ignore the condition. A repeated retry of the same action
	 * is refused as `settled`.
	 */
	obeyAction(reader: Reader, command: ActionCommand): Promise<Change>;
	/** Called by the job's batch, once: erases a job that has expired. One that has not gets an alarm of its own. */
	eraseIfExpired(): Promise<void>;
	/** For the list, which has heard nothing of the job for a while; `undefined` when nothing is left of it. */
	readNews(): Promise<JobNews | undefined>;
	/** The job's share of its tenant's quotas; `undefined` when it keeps no data. */
	claim(): Promise<QuotaUsage | undefined>;

	startAttempt(start: ArgumentsOf<'start'>): Promise<Start>;
	/** The job has no slot at its upstream: the consumer delays the message by `retryInMs`. */
	deferAttempt(deferral: ArgumentsOf<'defer'>): Promise<Report>;
	reportProgress(report: ArgumentsOf<'progress'>): Promise<Report>;
	/** Announces pending progress to watchers and waiters. The object itself sets no timer. */
	tell(): Promise<void>;
	waitForWorker(wait: ArgumentsOf<'wait'>): Promise<Report>;
	/** The report has the message for the first poll. */
	followOperation(operation: ArgumentsOf<'follow'>): Promise<Report>;
	startPoll(poll: ArgumentsOf<'ask'>): Promise<Asking>;
	/** The report has the message for the next poll. */
	continuePolling(answer: ArgumentsOf<'asked'>): Promise<Report>;
	completeAttempt(completion: ArgumentsOf<'complete'>): Promise<Report>;
	failAttempt(failing: ArgumentsOf<'fail'>): Promise<Report>;
	deadLetter(epoch: number): Promise<Report>;

	/** Returns the delivery of the event `seq`; `undefined` when no delivery is due. */
	delivery(seq: number): Promise<DueDelivery | undefined>;
	/** Sends an event to the webhook again. No token grants this. */
	sendEventAgain(reader: Reader, event: { readonly seq: number }): Promise<Change>;
	/** Reports the outcome of a try. */
	delivered(seq: number, made: Try): Promise<Report>;

	/**
	 * Stores one chunk of an input (without a fence, as the job doesn't exist yet) or of a result (with the fence of its
	 * attempt).
	 */
	writeChunk(key: ChunkKey, bytes: Uint8Array, fence?: Fence): Promise<Report>;
	readChunk(key: ChunkKey): Promise<Uint8Array | undefined>;
	/** Erases an upload that no record refers to. */
	discardUpload(upload: string, chunks: number): Promise<void>;
}
