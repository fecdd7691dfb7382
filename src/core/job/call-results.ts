/** What the calls to a job's object return, from the transition that each caused. Pure. */
import { defined } from '../defined.ts';
import { readableUntil } from './expiry.ts';
import { awaitedMessage } from './message.ts';
import { type JobNews, jobNews } from './news.ts';
import type { Asking, Change, Report, Start } from './object-api.ts';
import { isFinal, type JobRecord, laneOf } from './record.ts';
import type { Command, Refusal, Transition } from './transition.ts';
import { attemptLease, foundJob, NOTHING } from './view.ts';
import { pendingDeliveries } from './webhook.ts';

export interface Started {
	/** The job's id. */
	readonly id: string;
	/** The job before the call. */
	readonly before: JobRecord | undefined;
	readonly now: number;
}

export function toStart(result: Transition | undefined, { id, before, now }: Started): Start {
	if (!result) return { started: false, refusal: 'gone' };
	const { job, refusal } = result;
	const { state } = job;
	if (refusal !== undefined || state.name !== 'running') {
		const isEarly = refusal === 'early' && state.name === 'pending';
		const wait = isEarly ? { waitMs: state.notBefore - now, lane: laneOf(job) } : {};
		return { started: false, refusal: refusal ?? 'stale', ...wait };
	}
	const waitedMs = before?.state.name === 'pending' ? now - before.state.notBefore : undefined;
	const lease = defined({ ...attemptLease(job, state), waitedMs });
	return defined({ started: true, lease, news: newsToTell(id, job, now) });
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
	const news = refusal === undefined ? newsToTell(id, job, now) : undefined;
	if (state.name === 'tombstone')
		return defined({ found: 'tombstone', reason: state.reason, createdAt, refusal, news });
	return defined({ ...foundJob(id, job, now), refusal, news });
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
	const news = isEndRefusal(refusal) ? newsToTell(id, job, now) : undefined;
	if ((command.type === 'follow' || command.type === 'asked') && refusal === undefined)
		return defined({ retryInMs: command.waitMs, lane: laneOf(job), next: awaitedMessage(id, job), news });
	const isFailed = command.type === 'fail' && job.attempt === command.fence.attempt;
	const isDeferred = command.type === 'defer' && refusal === undefined;
	const isRetried = (isFailed || isDeferred) && state.name === 'pending';
	return defined({
		refusal,
		retryInMs: isRetried ? Math.max(0, state.notBefore - now) : undefined,
		lane: isRetried ? laneOf(job) : undefined,
		news,
	});
}

/** A report on a try to deliver an event. */
export interface TriedDelivery extends Started {
	/** The event's number. */
	readonly seq: number;
}

export function toDelivery(result: Transition | undefined, { id, before, now, seq }: TriedDelivery): Report {
	if (!result) return { refusal: 'gone' };
	const { job } = result;
	const nextAt = pendingDeliveries(job).find((delivery) => delivery.seq === seq)?.nextAttemptAt;
	const isKeptAsBefore = !before || !isFinal(job.state) || readableUntil(job) === readableUntil(before);
	return defined({
		retryInMs: nextAt === undefined ? undefined : Math.max(0, nextAt - now),
		news: isKeptAsBefore ? undefined : newsToTell(id, job, now),
	});
}

/** A report that comes too late may belong to an attempt whose news was lost. */
function isEndRefusal(refusal: Refusal | undefined): boolean {
	return refusal === undefined || refusal === 'settled' || refusal === 'canceled';
}

/** The caller tells the list, unless it is off. */
function newsToTell(id: string, job: JobRecord, now: number): JobNews | undefined {
	return job.isListable && jobNews(id, job, now);
}
