/** What the calls to a job's object return, from the transition that each caused. Pure. */
import { defined } from '../defined.ts';
import { awaitedMessage } from './message.ts';
import type { Asking, Change, Report, Start } from './object-api.ts';
import { type JobRecord, laneOf } from './record.ts';
import type { Command, Transition } from './transition.ts';
import { attemptLease, foundJob, NOTHING } from './view.ts';

/** @param before the job before the call. */
export function toStart(before: JobRecord | undefined, result: Transition | undefined, now: number): Start {
	if (!result) return { started: false, refusal: 'gone' };
	const { job, refusal } = result;
	const { state } = job;
	if (refusal !== undefined || state.name !== 'running') {
		const isEarly = refusal === 'early' && state.name === 'pending';
		const wait = isEarly ? { waitMs: state.notBefore - now, lane: laneOf(job) } : {};
		return { started: false, refusal: refusal ?? 'stale', ...wait };
	}
	const waitedMs = before?.state.name === 'pending' ? now - before.state.notBefore : undefined;
	return { started: true, lease: defined({ ...attemptLease(job, state), waitedMs }) };
}

export function toAsking(result: Transition | undefined): Asking {
	if (!result) return { asking: false, refusal: 'gone' };
	const { refusal, job } = result;
	const { state } = job;
	if (refusal !== undefined || state.name !== 'running' || !state.waiting?.following)
		return { asking: false, refusal: refusal ?? 'stale' };
	const { following, since } = state.waiting;
	return { asking: true, lease: attemptLease(job, state), following, since };
}

/** @param id the job's id. */
export function toChange(id: string, result: Transition | undefined, now: number): Change {
	if (!result) return NOTHING;
	const { job, refusal } = result;
	const { state, createdAt } = job;
	if (state.name === 'tombstone') return defined({ found: 'tombstone', reason: state.reason, createdAt, refusal });
	return defined({ ...foundJob(id, job, now), refusal });
}

/** A command that was given to a job. */
export interface Given {
	/** The job's id. */
	readonly id: string;
	readonly command: Command;
	readonly now: number;
}

export function toReport(result: Transition | undefined, { id, command, now }: Given): Report {
	if (!result) return { refusal: 'gone' };
	const { job, refusal } = result;
	const { state } = job;
	if ((command.type === 'follow' || command.type === 'asked') && refusal === undefined)
		return defined({ retryInMs: command.waitMs, lane: laneOf(job), next: awaitedMessage(id, job) });
	const isFailed = command.type === 'fail' && job.attempt === command.fence.attempt;
	const isDeferred = command.type === 'defer' && refusal === undefined;
	const isRetried = (isFailed || isDeferred) && state.name === 'pending';
	return defined({
		refusal,
		retryInMs: isRetried ? Math.max(0, state.notBefore - now) : undefined,
		lane: isRetried ? laneOf(job) : undefined,
	});
}
