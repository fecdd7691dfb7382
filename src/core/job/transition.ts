/**
 * The job's state machine.
 *
 * `transition` is total: for every state and every command it returns the next job and its effects, or the reason why
 * nothing changes. A refusal is a value, never an exception, because most are ordinary (a duplicate message, a late
 * attempt).
 *
 * Pure: no clock, no randomness, no I/O. The caller has passed the job through `advance` at the same `now`.
 */
import { defined } from '../defined.ts';
import { backoffMs, nextCheck } from './backoff.ts';
import {
	acceptedAgain,
	askedOnce,
	buried,
	canceled,
	canceling,
	deferred,
	type ExternalWaitTerms,
	type Failure,
	type FollowingState,
	type FollowTerms,
	failed,
	following,
	mayBeUnwritten,
	progressed,
	progressWritten,
	resent,
	retrying,
	sentLast,
	started,
	succeeded,
	waiting,
	withFollowing,
} from './lifecycle.ts';
import { ASKING_MS, MAX_WAITS, MS_PER_SECOND } from './limits.ts';
import type { JobNews } from './news.ts';
import { linked, unlinked } from './presence.ts';
import {
	type Fence,
	fenceOf,
	isCurrent,
	isFinal,
	type JobRecord,
	maxAttempts,
	type Progress,
	type RunningState,
	type StoredReply,
} from './record.ts';
import { isSystemTask } from './system-task.ts';
import { markTelling, markTold, withRetentionUntold } from './telling.ts';
import { mayStayUnwritten, withForgottenStart } from './unwritten-start.ts';
import { askedAgain, type SendAgainRefusal, sentAgain, type TryReport, tried } from './webhook.ts';

/**
 * Every command that a job accepts. Most are also the arguments of a call to the job's object, so for some seconds of a
 * deploy they cross versions: only add optional fields.
 */
export type Command =
	/**
	 * A consumer has the job's message and wants to start. `isShared`: the consumer has other jobs as well. `delivery`
	 * identifies this delivery of the message, so that a call that is repeated after a lost response gets the same lease.
	 */
	| ({
			readonly type: 'start';
			readonly epoch: number;
			readonly isShared?: boolean;
			readonly delivery?: string;
	  } & Listing)
	/** `isExternal`: the report comes from an external worker, not from a consumer. */
	| { readonly type: 'progress'; readonly fence: Fence; readonly progress: Progress; readonly isExternal?: boolean }
	/** The attempt has opened its link. */
	| { readonly type: 'link'; readonly fence: Fence }
	/** The attempt's link broke. `isClosed`: its consumer closed it. */
	| { readonly type: 'unlink'; readonly fence: Fence; readonly isClosed: boolean }
	/** The consumer has handed the attempt to an external worker. `progress` is its last report. */
	| { readonly type: 'wait'; readonly fence: Fence; readonly terms: ExternalWaitTerms; readonly progress?: Progress }
	/** The upstream has started an operation. It is stored with the job, so that any consumer can poll it. */
	| ({ readonly type: 'follow'; readonly fence: Fence; readonly progress?: Progress } & FollowTerms)
	/**
	 * A consumer has the message for the poll `asks`, and is about to send it. `delivery` identifies this delivery of the
	 * message.
	 */
	| {
			readonly type: 'ask';
			readonly epoch: number;
			readonly attempt: number;
			readonly asks: number;
			readonly delivery?: string;
	  }
	/** The response to the poll `asks`: the operation continues. */
	| ({
			readonly type: 'asked';
			readonly fence: Fence;
			readonly asks: number;
			readonly progress?: Progress;
	  } & Omit<FollowTerms, 'timeoutSeconds'>)
	/** `progress` is the attempt's last progress, if the object doesn't have it yet. */
	| ({
			readonly type: 'complete';
			readonly fence: Fence;
			readonly reply: StoredReply;
			readonly progress?: Progress;
	  } & Listing)
	/** `random` is in [0, 1). */
	| ({
			readonly type: 'fail';
			readonly fence: Fence;
			readonly failure: Failure;
			readonly retryAfterSeconds?: number;
			readonly random: number;
			readonly isExternal?: boolean;
	  } & Listing)
	/** A consumer has the job's message, and the job has no slot at its upstream. */
	| { readonly type: 'defer'; readonly epoch: number; readonly waitMs: number; readonly message: string }
	| ({ readonly type: 'cancel' } & IfEpoch)
	/**
	 * `reservation` names the quota reservation, which expires at `acceptBy`. `by` names the action that asks, so that the job
	 * recognises a repeated call.
	 */
	| ({
			readonly type: 'retry';
			readonly reservation?: string;
			readonly acceptBy?: number;
			readonly by?: string;
	  } & IfEpoch)
	| ({ readonly type: 'purge' } & IfEpoch)
	/** The queue moved the job's message to the dead-letter queue. */
	| { readonly type: 'deadLetter'; readonly epoch: number }
	/** A webhook's receiver was called for the event `seq`. */
	| ({ readonly type: 'delivered' } & TryReport)
	/** The watchdog sends the messages of these deliveries again. */
	| { readonly type: 'redeliver'; readonly seqs: readonly number[] }
	/** An operator asks to send the event `seq` again. */
	| { readonly type: 'sendAgain'; readonly seq: number }
	/** The watchdog checks the message. */
	| { readonly type: 'wake' }
	/** The watchdog is about to tell the list of jobs, or the list has answered. */
	| { readonly type: 'telling' }
	| { readonly type: 'told'; readonly news: ToldNews };

/** What identifies the news that the list has. */
type ToldNews = Pick<JobNews, 'createdAt' | 'epoch' | 'job' | 'readAt'>;

/** What an attempt knows about the list of jobs. */
interface Listing {
	/** The list knows of the job. */
	readonly isListed?: boolean;
}

/** A command that a client gives to one job, or an action to many. */
export type ClientCommand = Extract<Command, { type: 'cancel' | 'retry' | 'purge' }>;

/** The epoch that the job must have. Left out: whatever epoch it has. */
interface IfEpoch {
	readonly ifEpoch?: number;
}

/** Why a command changed nothing. */
export type Refusal =
	/** The command belongs to an earlier attempt or epoch. */
	| 'stale'
	/** The job has finished. */
	| 'finished'
	/** The job has not finished. */
	| 'unfinished'
	/** Another attempt has the job. */
	| 'leased'
	/** The job may not start yet. */
	| 'early'
	/** The job must run alone, and the consumer has other jobs as well. Another message follows. */
	| 'shared'
	/** The reservation has expired. */
	| 'late'
	/** The job succeeded, so it can't be retried. */
	| 'succeeded'
	/** The data is erased. */
	| 'gone'
	/** The job is one of the service itself, and only the service may do this. */
	| 'system'
	/** The job was canceled before the attempt reported. */
	| 'canceled'
	/** The job is already in the requested state. */
	| 'settled'
	| SendAgainRefusal;

/** A side effect of a change. */
export type Effect =
	/** Tells the running attempt to stop. */
	| { readonly type: 'abort'; readonly fence: Fence }
	/** Sends a message to the queue. */
	| { readonly type: 'enqueue' };

export interface Transition {
	/** The next job; the same object when nothing changed. */
	readonly job: JobRecord;
	/**
	 * Set when the command was rejected. Some rejected commands change the job all the same: a late completion ends a
	 * cancel.
	 */
	readonly refusal?: Refusal;
	readonly effects: readonly Effect[];
	/** The change stays in memory until the next change that is written: progress, and the watchdog's position. */
	readonly volatile?: true;
}

/** Applies `command` to `job` at `now` (milliseconds since the epoch). */
export function transition(job: JobRecord, command: Command, now: number): Transition {
	if (command.type === 'telling') return { job: markTelling(job, now), effects: [], volatile: true };
	if (command.type === 'told') return recordTold(job, command.news);
	if (job.state.name === 'tombstone') return refuse(job, command.type === 'purge' ? 'settled' : 'gone');
	const known = 'fence' in command ? withForgottenStart(job, command.fence) : job;
	const applied = apply(known, command, now);
	const isListed = 'isListed' in command && command.isListed === true && applied.refusal === undefined;
	const result = isListed ? { ...applied, job: markTold(applied.job) } : applied;
	// The start is news, even if the command is not.
	return known !== job && result.volatile ? { job: result.job, effects: result.effects } : result;
}

function apply(job: JobRecord, command: Exclude<Command, { type: 'telling' | 'told' }>, now: number): Transition {
	switch (command.type) {
		case 'start':
			return start(job, command, now);
		case 'progress':
			return progress(job, command, now);
		case 'link':
		case 'unlink':
			return changeLink(job, command, now);
		case 'wait':
			return awaitWorker(job, command, now);
		case 'follow':
			return beginFollowing(job, command, now);
		case 'ask':
			return claimQuestion(job, command, now);
		case 'asked':
			return recordAnswer(job, command, now);
		case 'complete':
			return complete(job, command, now);
		case 'fail':
			return fail(job, command, now);
		case 'defer':
			return defer(job, command, now);
		case 'cancel':
		case 'retry':
		case 'purge':
			return obey(job, command, now);
		case 'deadLetter':
			return deadLetter(job, command.epoch, now);
		case 'delivered':
			return unlessSame(job, withRetentionUntold(job, tried(job, command, now), now));
		case 'redeliver':
			return unlessSame(job, withRetentionUntold(job, sentAgain(job, command.seqs, now), now));
		case 'sendAgain':
			return sendAgain(job, command.seq, now);
		case 'wake':
			return wake(job, now);
	}
}

function obey(job: JobRecord, command: ClientCommand, now: number): Transition {
	const { ifEpoch = job.epoch } = command;
	// The response to this call was lost. A refusal would give back the reservation, which the job has.
	if (command.type === 'retry' && command.reservation !== undefined && command.reservation === job.reservation)
		return changed(job);
	if (ifEpoch !== job.epoch) return refuse(job, isRepeatedRetry(job, command) ? 'settled' : 'stale');
	switch (command.type) {
		case 'cancel':
			return requestCancel(job, now);
		case 'retry':
			return retry(job, command, now);
		case 'purge':
			return isFinal(job.state) ? changed(buried(job, 'purged', now)) : refuse(job, 'unfinished');
	}
}

/** Whether this very command has begun the job's epoch. Its response was lost, or its action was lost and repeats it. */
function isRepeatedRetry({ epoch, retriedBy }: JobRecord, command: ClientCommand): boolean {
	if (command.type !== 'retry' || command.by === undefined || command.ifEpoch === undefined) return false;
	return retriedBy === command.by && epoch === command.ifEpoch + 1;
}

function start(job: JobRecord, command: Extract<Command, { type: 'start' }>, now: number): Transition {
	const { epoch, isShared, delivery } = command;
	if (epoch !== job.epoch) return refuse(job, 'stale');
	if (isFinal(job.state)) return refuse(job, 'finished');
	if (job.state.name !== 'pending') {
		// The response to this delivery's first call was lost: return the same attempt.
		const isSame = job.state.name === 'running' && delivery !== undefined && job.state.delivery === delivery;
		return isSame ? changed(job) : refuse(job, 'leased');
	}
	if (job.runsAlone && isShared) return refuse(job, 'shared');
	if (now < job.state.notBefore) return refuse(job, 'early');
	const next = started(job, now, delivery);
	return mayStayUnwritten(job, delivery, now) ? { job: next, effects: [], volatile: true } : changed(next);
}

function defer(job: JobRecord, command: Extract<Command, { type: 'defer' }>, now: number): Transition {
	const { refusal } = start(job, { type: 'start', epoch: command.epoch }, now);
	const { state } = job;
	if (refusal !== undefined || state.name !== 'pending') return refuse(job, refusal ?? 'stale');
	const { message, waitMs } = command;
	if ((state.waits ?? 0) < MAX_WAITS)
		return changed(deferred({ ...job, state }, message, { at: now, notBefore: now + waitMs }));
	const error = { code: 'UpstreamFailed', message: `The job never got a slot: ${message}`, retryable: true };
	return changed(failed(job, { error, status: 503 }, now));
}

function progress(job: JobRecord, command: Extract<Command, { type: 'progress' }>, now: number): Transition {
	const { fence, progress: reported, isExternal = false } = command;
	const held = holder(job, fence);
	if (typeof held === 'string') return refuse(job, held);
	if (held.canceling) return refuse(job, 'canceled');
	const next = progressed(job, highest(job.progress, reported), now);
	if (!isExternal) return { job: next, effects: [], volatile: true };
	// No socket keeps an external worker's progress: an object that hibernates loses progress that is not written.
	if (held.isHeard && (next.isUntold || mayBeUnwritten(next, now))) return { job: next, effects: [], volatile: true };
	return changed(progressWritten({ ...next, state: held.isHeard ? held : heard(held) }, job, now));
}

/**
 * The first link of an attempt writes its start. A link that comes back is written, too: storage may know since when it was
 * missing, and an object that is reset later would count the attempt as lost since then.
 */
function changeLink(job: JobRecord, command: Extract<Command, { type: 'link' | 'unlink' }>, now: number): Transition {
	const held = holder(job, command.fence);
	if (typeof held === 'string') return refuse(job, held);
	if (held.waiting) return refuse(job, 'settled');
	if (command.type === 'link') return changed(linked(job));
	const next = unlinked(job, now, command.isClosed);
	// A consumer that closes its link is about to report, and two rows for each would be too much.
	return command.isClosed ? { job: next, effects: [], volatile: true } : changed(next);
}

function heard({ waiting, ...state }: RunningState): RunningState {
	return { ...state, isHeard: true, ...(waiting && { waiting: { since: waiting.since } }) };
}

function awaitWorker(job: JobRecord, command: Extract<Command, { type: 'wait' }>, now: number): Transition {
	const { fence, terms, progress: last } = command;
	// The external worker may report before the consumer does.
	if (isCurrent(job, fence) && job.state.name !== 'running') return refuse(job, 'settled');
	const held = holder(job, fence);
	if (typeof held === 'string') return refuse(job, held);
	if (held.canceling) return letGo(job, now);
	if (held.waiting) return refuse(job, 'settled');
	const progress = last && !held.isHeard ? highest(job.progress, last) : undefined;
	return changed(waiting({ ...job, ...defined({ progress }), state: held }, terms, now));
}

function beginFollowing(job: JobRecord, command: Extract<Command, { type: 'follow' }>, now: number): Transition {
	const held = holder(job, command.fence);
	if (typeof held === 'string') return refuse(job, held);
	if (held.canceling) return letGo(job, now);
	// The response to the first call was lost.
	if (held.waiting?.following?.asks === 0) return changed(job);
	if (held.waiting) return refuse(job, 'settled');
	return changed(following({ ...withProgress(job, command.progress), state: held }, command, now));
}

/** Costs no row. A second message for the same poll does nothing while the consumer of the first one may be polling. */
function claimQuestion(job: JobRecord, command: Extract<Command, { type: 'ask' }>, now: number): Transition {
	const { epoch, attempt, asks, delivery } = command;
	const held = holder(job, { epoch, attempt });
	if (typeof held === 'string') return refuse(job, held);
	if (!isFollowing(held)) return refuse(job, 'leased');
	if (held.canceling) return refuse(job, 'canceled');
	const { following: state } = held.waiting;
	if (state.asks !== asks) return refuse(job, 'settled');
	const { asking } = state;
	if (asking && now < asking.until && asking.delivery !== delivery) return refuse(job, 'leased');
	const until = now + ASKING_MS;
	const next = {
		...state,
		checkAt: Math.max(state.checkAt, until),
		...(delivery !== undefined && { asking: { delivery, until } }),
	};
	return { job: withFollowing({ ...job, state: held }, next), effects: [], volatile: true };
}

function recordAnswer(job: JobRecord, command: Extract<Command, { type: 'asked' }>, now: number): Transition {
	const { fence, asks, progress: reported } = command;
	const held = holder(job, fence);
	if (typeof held === 'string') return refuse(job, held);
	if (!isFollowing(held) || held.waiting.following.asks !== asks) return refuse(job, 'settled');
	const told = withProgress(job, reported);
	if (held.canceling) return letGo(told, now);
	const next = told === job ? job : { ...told, seq: job.seq + 1, progressAt: now, updatedAt: now };
	return changed(askedOnce({ ...next, state: held }, command, now));
}

/** Returns the same job if the progress has not changed. */
function withProgress(job: JobRecord, reported: Progress | undefined): JobRecord {
	if (!reported) return job;
	const progress = highest(job.progress, reported);
	const { percentComplete, message } = job.progress ?? {};
	const isNews = progress.percentComplete !== percentComplete || progress.message !== message;
	return isNews ? { ...job, progress } : job;
}

function isFollowing(state: RunningState): state is FollowingState {
	return state.waiting?.following !== undefined;
}

function complete(job: JobRecord, command: Extract<Command, { type: 'complete' }>, now: number): Transition {
	const { fence, reply, progress: last } = command;
	const held = completer(job, fence);
	if (typeof held === 'string') return refuse(job, held);
	if (held.canceling) return letGo(held.waiting ? withProgress(job, last) : job, now);
	return changed(succeeded(last ? { ...job, progress: { ...job.progress, ...last } } : job, reply, now));
}

function fail(job: JobRecord, command: Extract<Command, { type: 'fail' }>, now: number): Transition {
	const { fence, failure, retryAfterSeconds = 0, random } = command;
	if (isCurrent(job, fence) && (job.state.name === 'failed' || job.state.name === 'pending'))
		return refuse(job, 'settled');
	const held = holder(job, fence);
	if (typeof held === 'string') return refuse(job, held);
	if (held.canceling) return letGo(job, now);
	const { error } = failure;
	if (!error.retryable || job.attempt >= maxAttempts(job)) return changed(failed(job, failure, now));
	const notBefore = now + backoffMs(job.attempt, random, retryAfterSeconds * MS_PER_SECOND);
	// The consumer returns its message to the queue with this delay, so a message is pending. An external worker has none.
	const sentAt = command.isExternal ? undefined : now;
	return changed(retrying(job, error, { at: now, notBefore, sentAt }));
}

function requestCancel(job: JobRecord, now: number): Transition {
	const { state } = job;
	if (state.name === 'pending') return changed(canceled(job, now));
	if (state.name !== 'running' || state.canceling) return refuse(job, 'settled');
	// A consumer that works on the action stops soon, and then reports what it has done.
	if (isWalkedNow(state, now)) return changed(canceling(job, now));
	// No consumer runs the attempt, so none must stop. The external worker learns of the cancel from its next report.
	if (state.waiting) return changed(canceled(job, now));
	return changed(canceling(job, now), { type: 'abort', fence: fenceOf(job) });
}

function isWalkedNow({ waiting }: RunningState, now: number): boolean {
	const { walk, asking } = waiting?.following ?? {};
	return walk !== undefined && asking !== undefined && now < asking.until;
}

function retry(job: JobRecord, command: Extract<Command, { type: 'retry' }>, now: number): Transition {
	const { reservation, acceptBy = Number.POSITIVE_INFINITY, by } = command;
	if (isSystemTask(job.task)) return refuse(job, 'system');
	if (job.state.name === 'succeeded') return refuse(job, 'succeeded');
	if (!isFinal(job.state)) return refuse(job, 'unfinished');
	if (now > acceptBy) return refuse(job, 'late');
	return changed(acceptedAgain(job, now, defined({ reservation, retriedBy: by })));
}

/** Only before the retention ends. A delivery keeps its job, so that a job could otherwise be kept without limit. */
function sendAgain(job: JobRecord, seq: number, now: number): Transition {
	if (isFinal(job.state) && now >= job.state.expiresAt) return refuse(job, 'gone');
	const next = askedAgain(job, seq, now);
	return typeof next === 'string' ? refuse(job, next) : unlessSame(job, withRetentionUntold(job, next, now));
}

function deadLetter(job: JobRecord, epoch: number, now: number): Transition {
	if (epoch !== job.epoch) return refuse(job, 'stale');
	if (isFinal(job.state)) return refuse(job, 'finished');
	// A live attempt has the job, so the dead letter was a duplicate. If the attempt dies, its lease expires.
	if (job.state.name === 'running') return refuse(job, 'leased');
	return changed(undeliverable(job, "The job's message was moved to the dead-letter queue", now));
}

/**
 * Sends the message again at each check, even if one is still in the queue: a duplicate does no harm, and a queue doesn't
 * report lost messages. Checks follow from the time alone, so that a check costs no write.
 */
function wake(job: JobRecord, now: number): Transition {
	const { state } = job;
	if (state.name === 'running' && isFollowing(state)) return wakeFollowing(job, state, now);
	if (state.name !== 'pending') return refuse(job, isFinal(state) ? 'finished' : 'leased');
	if (now < state.checkAt) return refuse(job, 'early');
	if (state.isLastTry) return changed(undeliverable(job, 'No consumer started the job within several days', now));
	const next = resent(job, state, now);
	const isScheduleOver = next.state.checkAt <= now;
	if (isScheduleOver) return changed(sentLast(job, state, now), { type: 'enqueue' });
	return { job: next, effects: [{ type: 'enqueue' }], volatile: true };
}

/** The list knows of this run of the job, so it asks about the rest; or it knows that the data was erased. */
function recordTold(job: JobRecord, { createdAt, epoch, job: listed, readAt }: ToldNews): Transition {
	const isErased = job.state.name === 'tombstone';
	const isSame = createdAt === job.createdAt && epoch === job.epoch && (!isErased || listed === undefined);
	const isBefore = readAt !== undefined && job.toTell !== undefined && readAt < job.toTell.since;
	return isSame && !isBefore ? { job: markTold(job), effects: [], volatile: true } : refuse(job, 'stale');
}

/** The message for the next poll may be lost. An operation that no consumer polls ends at its deadline. */
function wakeFollowing(job: JobRecord, state: FollowingState, now: number): Transition {
	const { following: before } = state.waiting;
	if (now < before.checkAt) return refuse(job, 'early');
	const next = withFollowing({ ...job, state }, { ...before, ...nextCheck(before, now) });
	return { job: next, effects: [{ type: 'enqueue' }], volatile: true };
}

function undeliverable(job: JobRecord, message: string, now: number): JobRecord {
	const error = { code: 'DeliveryFailed', message, retryable: true };
	return failed(job, { error, status: 500, phase: 'dead-lettered' }, now);
}

/** The attempt has stopped. The cancel came first, so the job is canceled, whatever the attempt reports. */
function letGo(job: JobRecord, now: number): Transition {
	return { ...changed(canceled(job, now)), refusal: 'canceled' };
}

/** Returns the running state that this attempt may complete, or the reason why it may not. */
export function completer(job: JobRecord, fence: Fence): RunningState | Refusal {
	return isCurrent(job, fence) && job.state.name === 'succeeded' ? 'settled' : holder(job, fence);
}

/** Returns the running state that this attempt holds, or the reason why it holds none. */
function holder(job: JobRecord, fence: Fence): RunningState | Refusal {
	if (job.state.name === 'running' && isCurrent(job, fence)) return job.state;
	if (!isFinal(job.state)) return 'stale';
	return job.state.name === 'canceled' && isCurrent(job, fence) ? 'canceled' : 'finished';
}

/** Returns the reported progress, with a percentage that never decreases. */
function highest(before: Progress | undefined, reported: Progress): Progress {
	const percents = [before?.percentComplete, reported.percentComplete].filter((percent) => percent !== undefined);
	return { ...reported, ...(percents.length > 0 && { percentComplete: Math.max(...percents) }) };
}

function unlessSame(job: JobRecord, next: JobRecord): Transition {
	return next === job ? refuse(job, 'settled') : changed(next);
}

function changed(job: JobRecord, ...effects: Effect[]): Transition {
	return { job, effects };
}

function refuse(job: JobRecord, refusal: Refusal): Transition {
	return { job, refusal, effects: [] };
}
