/**
 * Applies the passage of time to a job. Every read and every change calls this first, so a response is correct even if
 * the alarm is late: alarms only announce what `advance` decides.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { backoffMs } from './backoff.ts';
import { keptUntil } from './expiry.ts';
import {
	attemptLost,
	buried,
	canceled,
	failed,
	mayBeUnwritten,
	nextProgressAt,
	progressTold,
	progressWritten,
	retrying,
} from './lifecycle.ts';
import { MAX_LOST_ATTEMPTS, MS_PER_SECOND } from './limits.ts';
import { lostAt } from './presence.ts';
import { type FinalState, type JobRecord, maxAttempts, type RunningState, startBy, type Waiting } from './record.ts';
import { pendingDeliveries } from './webhook.ts';

/**
 * Returns the job as it is at `now`, or `undefined` once its tombstone has expired. Returns the very same object when
 * nothing has changed.
 *
 * @param now milliseconds since the epoch; a time before the record's own (a clock that was set back) changes nothing.
 * @param random a number in [0, 1), for the backoff after a lost attempt.
 */
export function advance(job: JobRecord, now: number, random: number): JobRecord | undefined {
	const next = advanceOnce(job, now, random);
	return next === undefined || next === job ? next : advance(next, now, random);
}

/** One step of `advance`, for callers that must announce every step. */
export function advanceOnce(job: JobRecord, now: number, random: number): JobRecord | undefined {
	const { state } = job;
	switch (state.name) {
		case 'pending': {
			const deadline = startBy(job);
			return deadline !== undefined && now >= deadline ? startDeadlinePassed(job, deadline) : job;
		}
		case 'running':
			if (isProgressDue(job, state.leaseEndsAt, now)) return progressDue(job, state.isHeard === true);
			if (state.waiting) return waitOver({ job, state, wait: state.waiting }, now, random);
			return attemptOver({ job, state }, now, random);
		case 'tombstone':
			return now >= state.goneAt ? undefined : job;
		default:
			return retentionOver(job, state, now);
	}
}

/**
 * Progress reported too soon after an event becomes an event once the interval has passed, but not after the lease has
 * ended.
 */
function isProgressDue(job: JobRecord, leaseEndsAt: number, now: number): boolean {
	return job.isUntold === true && nextProgressAt(job) <= Math.min(now, leaseEndsAt);
}

/** An external worker has no socket to keep its progress, so this progress may need a write. */
function progressDue(job: JobRecord, isExternal: boolean): JobRecord {
	const at = nextProgressAt(job);
	const told = progressTold(job, at);
	return isExternal && !mayBeUnwritten(told, at) ? progressWritten(told, job, at) : told;
}

/** A job with pending deliveries is kept. */
function retentionOver(job: JobRecord, state: FinalState, now: number): JobRecord {
	const overAt = keptUntil(job, state);
	if (pendingDeliveries(job).length > 0 || now < overAt) return job;
	return buried(job, 'expired', overAt);
}

function startDeadlinePassed(job: JobRecord, deadline: number): JobRecord {
	const message = `The job did not start within ${job.options.startWithinSeconds} s`;
	const error = { code: 'StartDeadlinePassed', message, retryable: false };
	return failed(job, { error, status: 504, phase: 'expired' }, deadline);
}

interface RunningAttempt {
	readonly job: JobRecord;
	readonly state: RunningState;
}

interface WaitingAttempt extends RunningAttempt {
	readonly wait: Waiting;
}

/** The external worker missed its deadline: the attempt fails as if it had timed out. */
function waitOver({ job, state, wait }: WaitingAttempt, now: number, random: number): JobRecord {
	const { leaseEndsAt } = state;
	const isLate = wait.startBy !== undefined && wait.startBy <= Math.min(now, leaseEndsAt);
	const overAt = isLate ? (wait.startBy ?? leaseEndsAt) : leaseEndsAt;
	if (now < overAt) return job;
	if (state.canceling) return canceled(job, overAt);
	if (wait.following) return operationLate(job, wait, overAt);
	const seconds = Math.round((overAt - wait.since) / MS_PER_SECOND);
	const message = `The external worker did not ${isLate ? 'start' : 'finish'} within ${seconds} s`;
	const error = { code: 'ExecutionTimeout', message, retryable: true };
	if (job.attempt >= maxAttempts(job)) return failed(job, { error, status: 504, phase: 'timed-out' }, overAt);
	return retrying(job, error, { at: overAt, notBefore: overAt + backoffMs(job.attempt, random) });
}

/** Not retryable: the operation may still be running at the upstream, and another attempt would start a second one. */
function operationLate(job: JobRecord, { since, following }: Waiting, overAt: number): JobRecord {
	const seconds = Math.round((overAt - since) / MS_PER_SECOND);
	const message = `The ${following?.walk ? 'action' : 'upstream operation'} did not finish within ${seconds} s`;
	const error = { code: 'ExecutionTimeout', message, retryable: false };
	return failed(job, { error, status: 504, phase: 'timed-out' }, overAt);
}

/** An attempt is lost when its lease is over, or when its link was missing for too long. */
function attemptOver({ job, state }: RunningAttempt, now: number, random: number): JobRecord {
	const unlinkedOverAt = lostAt(job) ?? Number.POSITIVE_INFINITY;
	const at = Math.min(state.leaseEndsAt, unlinkedOverAt);
	if (now < at) return job;
	if (state.canceling) return canceled(job, at);
	const how = unlinkedOverAt < state.leaseEndsAt ? 'its consumer disappeared' : 'its lease expired without a report';
	const why = job.isOnce ? '; the job is not retried automatically, because the attempt may have done its work' : '';
	const error = { code: 'DeliveryFailed', message: `Attempt ${job.attempt} was lost: ${how}${why}`, retryable: true };
	if (job.isOnce || job.lostAttempts >= MAX_LOST_ATTEMPTS) {
		return failed(job, { error: { ...error, retryable: false }, status: 500, phase: 'dead-lettered' }, at);
	}
	return attemptLost(job, error, { at, notBefore: at + backoffMs(job.lostAttempts + 1, random) });
}
