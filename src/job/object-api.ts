/**
 * What a job's object answers to the rest of the Worker. These calls cross isolates, and for some seconds of every
 * deploy they cross versions too: only add optional fields, and optional parameters at the end.
 */
import type { Claim } from './claim.ts';
import type { BareEvent, JobFacts } from './document.ts';
import type { Failure, FollowTerms, Submission, WaitTerms } from './lifecycle.ts';
import type { JobMessage } from './message.ts';
import type { Fence, FollowState, JobOptions, Progress, StoredInput, StoredReply, Webhook } from './record.ts';
import type { Refusal } from './transition.ts';
import type { UpstreamHint } from './upstream.ts';
import type { Try } from './webhook.ts';

/** A job as it can be handed out: without its bytes, and without what is nobody's business outside. */
export interface JobView {
	readonly facts: JobFacts;
	readonly epoch: number;
	/** How the job answers on its status URL. */
	readonly flags: Readonly<Record<string, string>>;
	/** What an estimate of the remaining time is made from; milliseconds since the epoch. */
	readonly timing: {
		readonly waitingSince: number;
		readonly notBefore?: number;
		readonly progressAt?: number;
		/** How long after its submission the job was first started; left out when it was not, or was to be delayed. */
		readonly waitedMs?: number;
	};
	readonly lane: string;
	/** Set for the job of an upstream. */
	readonly upstream?: UpstreamHint;
	/** When a token for this job needs to work no longer; milliseconds since the epoch. */
	readonly readableUntil: number;
}

/** A finished job's stored reply: what the task answered, or what its failure answers. */
export type Outcome =
	| { readonly kind: 'reply'; readonly reply: StoredReply }
	| { readonly kind: 'failure'; readonly status: number };

export type Reading =
	| { readonly found: 'job'; readonly view: JobView; readonly outcome?: Outcome }
	| { readonly found: 'tombstone'; readonly reason: 'expired' | 'purged' }
	| Nothing;

/** There is no such job for this reader. */
export interface Nothing {
	readonly found: 'nothing';
	/** Left out by objects of version 0.1.0, which know no reader without a tenant: the job may be there. */
	readonly knowsTokens?: true;
}

export type FoundJob = Extract<Reading, { found: 'job' }>;

export type Acceptance =
	| { readonly accepted: true; readonly view: JobView; readonly isReplay: boolean }
	/** The key stands for another request; the upload was given up before its submission came; or it would be a new job. */
	| { readonly accepted: false; readonly reason: 'key-reused' | 'upload-lost' | 'no-room' };

/** Under which conditions a job may be accepted. */
export interface AcceptTerms {
	/** Not later, in milliseconds since the epoch: until then there is room for it. */
	readonly acceptBy?: number;
	/** There is no room for a new job: only what was accepted before is answered. */
	readonly isReplayOnly?: boolean;
}

/** What an attempt starts with. */
export interface Lease {
	readonly fence: Fence;
	readonly task: string;
	readonly options: JobOptions;
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly input?: StoredInput;
	/** When the attempt must have reported; milliseconds since the epoch. */
	readonly leaseEndsAt: number;
	readonly tenant?: string;
	/** What links start with. */
	readonly origin?: string;
	/** When a token for this job needs to work no longer; milliseconds since the epoch. */
	readonly readableUntil?: number;
	/** How long after its time had come the job was started, in milliseconds. */
	readonly waitedMs?: number;
}

export type Start =
	| { readonly started: true; readonly lease: Lease }
	/** `early`: the job may start after `waitMs`, by a message on `lane`. */
	| { readonly started: false; readonly refusal: Refusal; readonly waitMs?: number; readonly lane?: string };

/** What a consumer does after it reported. */
export type Report = {
	readonly refusal?: Refusal;
	/** The job is to be tried again after this time. */
	readonly retryInMs?: number;
	/** The lane of the message that it is tried again by. */
	readonly lane?: string;
	/** That message, where it is another one than the consumer has. */
	readonly next?: JobMessage;
	/** Progress only: it is told when the caller calls `tell` after this time, in milliseconds. */
	readonly tellInMs?: number;
};

/** What a question about an upstream's operation starts with. */
export type Asking =
	| {
			readonly asking: true;
			readonly lease: Lease;
			readonly following: FollowState;
			/** When the operation began, in milliseconds since the epoch. */
			readonly since: number;
	  }
	| { readonly asking: false; readonly refusal: Refusal };

/** The outcome of a client's command, with the job as it is afterwards. */
export type Change =
	| { readonly found: 'job'; readonly view: JobView; readonly refusal?: Refusal }
	| {
			readonly found: 'tombstone';
			readonly reason: 'expired' | 'purged';
			/** The job's own, in milliseconds since the epoch. */
			readonly createdAt?: number;
			readonly refusal?: Refusal;
	  }
	| Nothing;

/** Everything needed to tell a receiver of one event. */
export interface DueDelivery {
	readonly event: BareEvent;
	/** The message's id, the same in every try. Left out by versions up to 0.1.0: `{id}:{seq}`. */
	readonly messageId?: string;
	readonly webhook: Pick<Webhook, 'url' | 'format' | 'origin'>;
	readonly tenant: string;
	readonly readableUntil: number;
	/** The number of the try, from 1. Left out by versions up to 0.1.0. */
	readonly attempt?: number;
	/** Until the try is due, in milliseconds; 0 when it is. */
	readonly waitMs: number;
	/** Whether how it went is to be reported: progress is told once and not again. */
	readonly isTracked: boolean;
}

/** Which stored bytes are meant. */
export interface ChunkKey {
	readonly upload: string;
	readonly index: number;
}

export interface JobObjectApi {
	/** Makes the job durable, record and alarm in one write. Asking again with the same submission is harmless. */
	accept(submission: Submission, terms?: AcceptTerms): Promise<Acceptance>;
	/**
	 * `withOutcome` adds a finished job's reply.
	 *
	 * Here and below, `createdAt` is that of the job the reader's token was signed for: a link to an earlier job of the same
	 * idempotency key does not open a later one. A reader without a tenant has proved its job by a token that names its birth.
	 */
	read(tenant: string | undefined, withOutcome?: boolean, createdAt?: number): Promise<Reading>;
	/** Every event after a cursor. */
	events(
		tenant: string | undefined,
		after: number,
		createdAt?: number,
	): Promise<{ events: BareEvent[]; view: JobView } | Exclude<Reading, { found: 'job' }>>;
	cancel(tenant: string | undefined, createdAt?: number): Promise<Change>;
	/** No token allows this. `reservation`: the room that was taken for it, good until `acceptBy`. */
	retry(tenant: string, room?: { readonly reservation: string; readonly acceptBy: number }): Promise<Change>;
	purge(tenant: string | undefined, createdAt?: number): Promise<Change>;
	/** What the job takes of its tenant's quotas; `undefined` when nothing is kept of it. */
	claim(): Promise<Claim | undefined>;

	/**
	 * `isShared`: the consumer has other jobs beside this one. `delivery` names one delivery of a message: a call that is repeated
	 * because its answer was lost gets the same lease again.
	 */
	start(epoch: number, isShared?: boolean, delivery?: string): Promise<Start>;
	/** It is not the job's turn: the consumer has its message come again after `retryInMs`. */
	defer(epoch: number, waitMs: number, message: string): Promise<Report>;
	/** `isExternal`: not a consumer reports, but the worker that the attempt waits for. */
	progress(fence: Fence, progress: Progress, isExternal?: boolean): Promise<Report>;
	/** Tells watchers and waiters of progress whose time has come: the object itself sets no timer. */
	tell(): Promise<void>;
	/** The rest of the attempt happens elsewhere. `progress` is the attempt's last, if it has not gone out. */
	wait(fence: Fence, terms: WaitTerms, progress?: Progress): Promise<Report>;
	/** The upstream works on. The report has the message by which the next question is asked. */
	follow(fence: Fence, terms: FollowTerms, progress?: Progress): Promise<Report>;
	/** A consumer has the message for a question. */
	ask(epoch: number, attempt: number, asks: number, delivery?: string): Promise<Asking>;
	/** The operation goes on. The report has the message by which the next question is asked. */
	asked(fence: Fence, asks: number, terms: Omit<FollowTerms, 'timeoutSeconds'>, progress?: Progress): Promise<Report>;
	/** `progress` is the attempt's last, if it has not gone out. */
	complete(fence: Fence, reply: StoredReply, progress?: Progress): Promise<Report>;
	fail(fence: Fence, failure: Failure, retryAfterSeconds?: number, isExternal?: boolean): Promise<Report>;
	deadLetter(epoch: number): Promise<Report>;

	/** What to tell a webhook's receiver of the event `seq`; `undefined` when there is nothing (more) to tell. */
	delivery(seq: number): Promise<DueDelivery | undefined>;
	/** How a try went. */
	delivered(seq: number, made: Try): Promise<Report>;

	/** Stores one piece of an input (no fence: the job isn't there yet) or of a result (by the attempt that has the job). */
	writeChunk(key: ChunkKey, bytes: Uint8Array, fence?: Fence): Promise<Report>;
	readChunk(key: ChunkKey): Promise<Uint8Array | undefined>;
	/** Takes back an upload that nothing refers to. */
	discardUpload(upload: string, chunks: number): Promise<void>;
}
