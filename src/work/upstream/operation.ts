/**
 * Polls an upstream's running operation. The operation is stored with its job, so a consumer can be lost without losing
 * it, and a repeated poll does no harm.
 */
import { defined } from '../../core/defined.ts';
import { MS_PER_SECOND } from '../../core/job/limits.ts';
import type { Lease, Report } from '../../core/job/object-api.ts';
import type { Following, FollowState, Progress } from '../../core/job/record.ts';
import { ANSWER_MS, ASK_DIRECTLY_MS, ASK_LATE_MS } from '../../core/upstream/limits.ts';
import { logError } from '../../log.ts';
import { UploadRefused } from '../../rpc/upload.ts';
import { failureOf } from '../failure.ts';
import type { Outcome } from '../outcome.ts';
import { askOnce, countFailure, type GoesOn, type OperationContext } from './follow.ts';
import { type ForwardOptions, finalFailureOf, outcomeOfReply, plan, withoutValues } from './forward.ts';
import { type Attempt, ConnectionLost } from './reply.ts';

/** The values that stay the same while one consumer polls. */
export interface Session {
	readonly options: ForwardOptions;
	readonly id: string;
	readonly lease: Lease;
	readonly report: (outcome: Outcome) => Promise<Report>;
	readonly contextFor: (signal: AbortSignal) => Attempt;
}

/** The state of an operation. */
export interface Standing {
	readonly following: Following & Pick<FollowState, 'asks'>;
	/** When the operation began, in milliseconds since the epoch. */
	readonly since: number;
	/** The job's response to the report of the operation, and the wait before the first poll. Left out: a poll is due. */
	readonly last?: { readonly waitMs: number; readonly report: Report };
}

/** Polls while the operation is young, then leaves polling to the next message. */
export async function followOn(session: Session, { following, since, last }: Standing): Promise<Report> {
	const { options, id, lease, report } = session;
	const { asks } = following;
	let state: Following = following;
	let waitMs = last?.waitMs ?? 0;
	let told: Progress | undefined;
	for (let isDue = last === undefined; ; isDue = false) {
		const isNear = Date.now() + waitMs <= since + ASK_DIRECTLY_MS;
		if (!isDue && !isNear) break;
		await scheduler.wait(waitMs);
		// The watchdog's schedule began when the job stored the operation, not when its response arrived here.
		if (!isDue && Date.now() > since + ASK_DIRECTLY_MS + ASK_LATE_MS) break;
		const next = await questionOf(session, state, since);
		if (next === undefined) return {};
		if ('type' in next) return report(next);
		({ following: state, waitMs } = next.terms);
		if (next.progress && !isSame(next.progress, told) && last) await tell(session, next.progress);
		told = next.progress ?? told;
	}
	if (last && state === following) return last.report;
	const answer = defined({ fence: lease.fence, asks, following: plainOf(state), waitMs, progress: told });
	return options.jobs.call(id, (job) => job.continuePolling(answer));
}

/** Returns the operation without the fields that only the object keeps. */
function plainOf({ operation, answers, failures, retryAfterMs }: Following): Following {
	return { operation, answers, failures, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function isSame(progress: Progress, before: Progress | undefined): boolean {
	return before?.message === progress.message && before?.percentComplete === progress.percentComplete;
}

/** Lost progress is sent with the next report. */
async function tell({ options: { jobs }, id, lease }: Session, progress: Progress): Promise<void> {
	try {
		await jobs.callOnce(id, (job) => job.reportProgress({ fence: lease.fence, progress }));
	} catch (error) {
		logError('progress not reported', { job: id, error });
	}
}

/** @returns `undefined` if this attempt no longer has the job. */
async function questionOf(
	session: Session,
	following: Following,
	since: number,
): Promise<GoesOn | Outcome | undefined> {
	const { options, id, lease } = session;
	try {
		const course = { ...plan(options.upstreams, lease), options, since };
		return await withinTime(session, course, following);
	} catch (error) {
		if (error instanceof UploadRefused) return undefined;
		// The upstream is no longer configured, or no longer accepts such requests.
		logError('operation not polled', { job: id, error });
		return { type: 'failure', failure: failureOf(error) };
	}
}

async function withinTime(
	session: Session,
	course: Omit<OperationContext, 'job'>,
	following: Following,
): Promise<GoesOn | Outcome> {
	const { options, id, lease, contextFor } = session;
	const { upstream, request } = course;
	const controller = new AbortController();
	const abort = () => controller.abort();
	let timer = setTimeout(abort, ANSWER_MS);
	const whole = { ...course, job: contextFor(controller.signal) };
	try {
		const answer = await askOnce(whole, following);
		if ('terms' in answer) return answer;
		clearTimeout(timer);
		timer = setTimeout(abort, upstream.timeoutSeconds * MS_PER_SECOND);
		return await outcomeOfReply(options, { ...answer, sentAt: Date.now() }, upstream, request, lease, whole.job);
	} catch (error) {
		if (error instanceof UploadRefused) throw error;
		const failure = finalFailureOf(error, upstream);
		if (failure) return { type: 'failure', failure };
		const shown = withoutValues(error instanceof ConnectionLost ? error.cause : error, upstream.headers);
		logError('operation poll failed', { job: id, upstream: upstream.name, error: shown });
		return countFailure(whole, following);
	} finally {
		clearTimeout(timer);
	}
}
