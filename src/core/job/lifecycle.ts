/**
 * One constructor for each change to a job. No other file builds an update by hand: these are the only functions that
 * change `state`, number an event or write history. They don't check whether the change is allowed; `transition` and
 * `advance` do.
 */
import { defined } from '../defined.ts';
import { nextCheck, watchdogMs } from './backoff.ts';
import {
	CANCEL_GRACE_MS,
	LEASE_GRACE_MS,
	MAX_HISTORY,
	MS_PER_SECOND,
	OBJECT_AWAKE_MS,
	PROGRESS_EVENT_INTERVAL_MS,
	PROGRESS_WRITE_INTERVAL_MS,
	TOMBSTONE_MS,
	WATCHDOG_MS,
} from './limits.ts';
import {
	type FailedPhase,
	type Following,
	type FollowState,
	type HistoryEntry,
	type JobError,
	type JobRecord,
	type JobState,
	type PendingState,
	type Progress,
	type RunningState,
	retryProgress,
	type StoredReply,
	type Waiting,
	type Webhook,
} from './record.ts';
import { markUntold } from './telling.ts';
import { withDelivery } from './webhook.ts';

/** How a job failed, and the response of its result resource. */
export interface Failure {
	readonly error: JobError;
	/** The HTTP status of the stored failure. */
	readonly status: number;
	/** Default: `failed`. */
	readonly phase?: FailedPhase;
	readonly reply?: StoredReply;
}

/** How long an attempt waits for an external worker. */
export interface ExternalWaitTerms {
	/** Deadline of the worker's first report. */
	readonly startWithinSeconds?: number;
	/** Deadline of the worker's result. */
	readonly timeoutSeconds: number;
}

/** How to continue polling an upstream's operation. */
export interface FollowTerms {
	readonly following: Following;
	/** Time until the next poll. */
	readonly waitMs: number;
	/** Deadline of the operation. */
	readonly timeoutSeconds: number;
}

export type PendingJob = JobRecord & { readonly state: PendingState };

export type RunningJob = JobRecord & { readonly state: RunningState };

/** A running job whose attempt continues at an upstream. */
export type FollowingJob = JobRecord & { readonly state: FollowingState };

export type FollowingState = RunningState & { readonly waiting: Waiting & { readonly following: FollowState } };

/** Stored as submitted. */
type SubmittedField =
	| 'submission'
	| 'tenant'
	| 'task'
	| 'lane'
	| 'fingerprint'
	| 'requestFingerprint'
	| 'options'
	| 'parameters'
	| 'input'
	| 'isOnce'
	| 'requestedBy'
	| 'batchErasesAt'
	| 'isListable';

/** The object's input for a new job. */
export interface Submission extends Pick<JobRecord, SubmittedField> {
	readonly webhook?: Webhook;
	readonly origin?: string;
	readonly reservation?: string;
	/**
	 * Whether the HTTP handler sends the first message. If false, the job's alarm sends it, because the delay is too long
	 * for a queue.
	 */
	readonly sent: boolean;
}

type NewEvent = Pick<HistoryEntry, 'type' | 'at' | 'nextAttemptAt' | 'error'>;

/**
 * @param before the remains of an earlier job of the same idempotency key. The new job continues its epochs and event
 * numbers, so that a late attempt or a reader's cursor of the earlier job can't match the new one.
 */
export function accepted(submission: Submission, now: number, before?: Pick<JobRecord, 'epoch' | 'seq'>): JobRecord {
	const { sent, webhook, ...rest } = submission;
	const notBefore = now + submission.options.delaySeconds * MS_PER_SECOND;
	const job: JobRecord = {
		version: 1,
		...rest,
		...(webhook && { webhook: { ...webhook, idsNameBirth: true } }),
		epoch: (before?.epoch ?? 0) + 1,
		attempt: 0,
		lostAttempts: 0,
		seq: before?.seq ?? 0,
		createdAt: now,
		epochAt: now,
		updatedAt: now,
		state: pending(notBefore, sent ? now : undefined),
		history: [],
	};
	return record(markUntold(job, now), { type: 'accepted', at: now });
}

/** A client or an action asked for a retry: same job and input, with new attempts and a new reservation. */
export function acceptedAgain(
	job: JobRecord,
	now: number,
	begun: Pick<JobRecord, 'reservation' | 'retriedBy'>,
): JobRecord {
	const { startedAt: _, progress: __, progressAt: ___, reservation: ____, retriedBy: _____, ...kept } = job;
	const next: JobRecord = {
		...kept,
		...begun,
		epoch: job.epoch + 1,
		attempt: 0,
		lostAttempts: 0,
		epochAt: now,
		state: pending(now, now),
	};
	return record(markUntold(next, now), { type: 'accepted', at: now });
}

export function started(job: JobRecord, now: number, delivery?: string): JobRecord {
	const { progress: _, progressAt: __, ...kept } = job;
	const next: JobRecord = {
		...kept,
		attempt: job.attempt + 1,
		startedAt: job.startedAt ?? now,
		state: defined({
			name: 'running',
			attemptStartedAt: now,
			leaseEndsAt: now + job.options.timeoutSeconds * MS_PER_SECOND + LEASE_GRACE_MS,
			canceling: false,
			delivery,
			unlinkedAt: now,
		}),
	};
	return record(next, { type: 'started', at: now });
}

/** The attempt reported progress. Progress reported too soon after an event is kept, and becomes an event later. */
export function progressed(job: JobRecord, progress: Progress, now: number): JobRecord {
	const next = { ...job, progress };
	return now < nextProgressAt(job) ? { ...next, isUntold: true } : progressTold(next, now);
}

/** Turns the newest progress into an event. */
export function progressTold(job: JobRecord, now: number): JobRecord {
	return { ...toldWith(job), progressAt: now, updatedAt: now, seq: job.seq + 1 };
}

/** The earliest moment of the next progress event. */
export function nextProgressAt({ progressAt = Number.NEGATIVE_INFINITY }: JobRecord): number {
	return progressAt + PROGRESS_EVENT_INTERVAL_MS;
}

/** Whether the number of an external worker's newest event is already reserved, so that the event needs no write yet. */
export function mayBeUnwritten({ seq, unwritten }: JobRecord, now: number): boolean {
	return unwritten !== undefined && seq <= unwritten.seq && now < unwritten.until;
}

/**
 * Writes an external worker's progress. If the worker reports often, this also reserves the event numbers of the next
 * minute.
 */
export function progressWritten(job: JobRecord, before: JobRecord, now: number): JobRecord {
	const { unwritten: _, ...kept } = job;
	const isOften = before.progressAt !== undefined && now - before.progressAt < OBJECT_AWAKE_MS;
	if (!isOften) return kept;
	const events = Math.ceil(PROGRESS_WRITE_INTERVAL_MS / PROGRESS_EVENT_INTERVAL_MS) + 1;
	return { ...kept, unwritten: { seq: job.seq + events, until: now + PROGRESS_WRITE_INTERVAL_MS } };
}

/** Clears the mark for unannounced progress, because every event carries the newest progress. */
function toldWith({ isUntold: _, ...job }: JobRecord): JobRecord {
	return job;
}

/** When an attempt ended, and when the next one may start, in milliseconds since the epoch. */
export interface RetryTimes {
	readonly at: number;
	readonly notBefore: number;
	/** When the next attempt's message was sent; left out if the alarm sends it. */
	readonly sentAt?: number | undefined;
}

/** The attempt failed, and the job is retried after `notBefore`. */
export function retrying(job: JobRecord, error: JobError, { at, notBefore, sentAt }: RetryTimes): JobRecord {
	const { progressAt: _, ...kept } = job;
	const next: JobRecord = {
		...kept,
		progress: retryProgress(job, job.attempt, error),
		state: pending(notBefore, sentAt),
	};
	const { code, message } = error;
	return record(next, { type: 'retrying', at, nextAttemptAt: notBefore, error: { code, message } });
}

/**
 * The attempt was lost without a report. It doesn't count, and the alarm sends a message for another, in a consumer of
 * its own.
 */
export function attemptLost(job: JobRecord, error: JobError, times: RetryTimes): JobRecord {
	return retrying({ ...job, lostAttempts: job.lostAttempts + 1, runsAlone: true }, error, times);
}

/** The attempt continues elsewhere: an external worker reports its outcome within the given time. */
export function waiting(job: RunningJob, wait: ExternalWaitTerms, now: number): JobRecord {
	const { state } = job;
	const { startWithinSeconds } = wait;
	const startBy =
		startWithinSeconds === undefined || state.isHeard ? undefined : now + startWithinSeconds * MS_PER_SECOND;
	return {
		...toldWith(job),
		seq: job.seq + 1,
		updatedAt: now,
		state: {
			...state,
			leaseEndsAt: now + wait.timeoutSeconds * MS_PER_SECOND,
			waiting: defined({ since: now, startBy }),
		},
	};
}

/** The attempt continues at an upstream: consumers poll its operation, first after `waitMs`. */
export function following(job: RunningJob, terms: FollowTerms, now: number): JobRecord {
	const { following: begun, waitMs, timeoutSeconds } = terms;
	return {
		...job,
		seq: job.seq + 1,
		updatedAt: now,
		state: {
			...job.state,
			leaseEndsAt: now + timeoutSeconds * MS_PER_SECOND,
			waiting: { since: now, following: { ...begun, asks: 0, ...firstLook(now + waitMs) } },
		},
	};
}

/** The operation continues: a new message, delayed by `waitMs`, asks for the next poll. */
export function askedOnce(
	job: FollowingJob,
	{ following: next, waitMs }: Omit<FollowTerms, 'timeoutSeconds'>,
	now: number,
): JobRecord {
	const asks = job.state.waiting.following.asks + 1;
	return withFollowing(job, { ...next, asks, ...firstLook(now + waitMs) });
}

/** Updates the stored operation. Clients see no change. */
export function withFollowing(job: FollowingJob, next: FollowState): JobRecord {
	const { state } = job;
	return { ...job, state: { ...state, waiting: { ...state.waiting, following: next } } };
}

function firstLook(dueAt: number): Pick<FollowState, 'checkAt' | 'wakes'> {
	return { checkAt: dueAt + watchdogMs(0), wakes: 0 };
}

/** The job has no slot at its upstream yet. No attempt is used up, and the consumer sends a message for the next try. */
export function deferred(job: PendingJob, message: string, { at, notBefore }: RetryTimes): JobRecord {
	const waits = (job.state.waits ?? 0) + 1;
	const next = { ...pending(notBefore, at), waits };
	return { ...job, seq: nextSeq(job), updatedAt: at, progress: { message }, state: next };
}

/** A client asked to cancel a running attempt, which gets a short grace period to stop. */
export function canceling(job: JobRecord, now: number): JobRecord {
	if (job.state.name !== 'running') return job;
	const leaseEndsAt = Math.min(job.state.leaseEndsAt, now + CANCEL_GRACE_MS);
	return { ...toldWith(job), seq: job.seq + 1, updatedAt: now, state: { ...job.state, canceling: true, leaseEndsAt } };
}

export function succeeded(job: JobRecord, reply: StoredReply, now: number): JobRecord {
	const { input: _, ...kept } = job;
	return record(
		{ ...kept, state: { name: 'succeeded', reply, ...finishTimes(job, now) } },
		{ type: 'succeeded', at: now },
	);
}

export function failed(job: JobRecord, failure: Failure, now: number): JobRecord {
	const { phase = 'failed', error, status, reply } = failure;
	const state: JobState = defined({ name: 'failed', phase, error, status, reply, ...finishTimes(job, now) });
	return record({ ...job, state }, { type: 'failed', at: now, error: { code: error.code, message: error.message } });
}

export function canceled(job: JobRecord, now: number): JobRecord {
	return record({ ...job, state: { name: 'canceled', ...finishTimes(job, now) } }, { type: 'canceled', at: now });
}

/** Erases the data. The rest is needed to answer 410, and to give a later job of the same id a newer epoch. */
export function buried(job: JobRecord, reason: 'expired' | 'purged', now: number): JobRecord {
	const { input: _, progress: __, progressAt: ___, fingerprint: ____, webhook: _____, ...rest } = job;
	const { requestFingerprint: ______, ...kept } = rest;
	const options = { ...job.options, tags: [] };
	const told = reason === 'purged' ? markUntold(kept, now) : kept;
	return {
		...told,
		options,
		parameters: {},
		history: told.isListable ? told.history.map(withoutMessage) : [],
		updatedAt: now,
		state: { name: 'tombstone', reason, goneAt: now + TOMBSTONE_MS },
	};
}

/** The list may still ask for the events. The text of an error may be private. */
function withoutMessage(entry: HistoryEntry): HistoryEntry {
	return entry.error ? { ...entry, error: { ...entry.error, message: '' } } : entry;
}

/** The watchdog sends the message, and checks again at the schedule's next moment. Checks that were missed are skipped. */
export function resent(job: JobRecord, state: PendingState, now: number): PendingJob {
	const isFirst = state.sentAt === undefined;
	const resends = isFirst ? state.resends : state.resends + 1;
	const { checkAt, wakes } = isFirst ? { ...state, checkAt: state.checkAt + watchdogMs(state.wakes) } : state;
	return { ...job, state: { ...state, sentAt: now, resends, ...nextCheck({ checkAt, wakes }, now) } };
}

/** The schedule has ended. The message is sent once more: checks may have been missed, as on a laptop that was closed. */
export function sentLast(job: JobRecord, state: PendingState, now: number): JobRecord {
	const resends = state.resends + 1;
	return { ...job, state: { ...state, sentAt: now, checkAt: now + WATCHDOG_MS.max, resends, isLastTry: true } };
}

function pending(notBefore: number, sentAt: number | undefined): PendingState {
	const fresh = { name: 'pending', notBefore, resends: 0, wakes: 0 } as const;
	if (sentAt === undefined) return { ...fresh, checkAt: notBefore };
	return { ...fresh, sentAt, checkAt: Math.max(notBefore, sentAt) + watchdogMs(0) };
}

function finishTimes(job: JobRecord, now: number): { finishedAt: number; expiresAt: number } {
	return { finishedAt: now, expiresAt: now + job.options.retainSeconds * MS_PER_SECOND };
}

/** The event of a forgotten start may have been sent. Its number is not used again. */
function nextSeq({ seq, mayHaveStarted }: JobRecord): number {
	return seq + (mayHaveStarted ? 2 : 1);
}

function record(before: JobRecord, event: NewEvent): JobRecord {
	const { isUntold: _, unwritten: __, mayHaveStarted: ___, ...job } = before;
	const entry: HistoryEntry = { ...event, seq: nextSeq(before), epoch: job.epoch, attempt: job.attempt };
	const next = { ...job, seq: entry.seq, updatedAt: event.at, history: [...job.history, entry].slice(-MAX_HISTORY) };
	return job.webhook ? { ...next, webhook: withDelivery(job.webhook, next.history) } : next;
}
