/**
 * Polls an upstream's running operation. The operation is stored with its job, so a consumer can be lost without losing
 * it, and a repeated poll does no harm.
 */
import { defined } from '../../core/defined.ts';
import type { FollowTerms } from '../../core/job/lifecycle.ts';
import { LEASE_GRACE_MS, MS_PER_SECOND } from '../../core/job/limits.ts';
import type { Asking, Lease, Report } from '../../core/job/object-api.ts';
import type { Following, FollowState, Progress } from '../../core/job/record.ts';
import { ANSWER_MS, ASK_DIRECTLY_MS, ASK_LATE_MS } from '../../core/upstream/limits.ts';
import { logError } from '../../log.ts';
import { UploadRefused } from '../../rpc/upload.ts';
import type { Attempt, AttemptDependencies } from '../attempt.ts';
import { failureFrom } from '../failure.ts';
import type { Outcome } from '../outcome.ts';
import { REPORT_MARGIN_MS, reportOutcome } from '../report.ts';
import { finalFailure, withoutValues } from './failure.ts';
import { askOnce, type Continuation, type Course, countFailure } from './follow.ts';
import { planForwarding } from './forwarding.ts';
import { ConnectionLost } from './reply.ts';
import { settleReply } from './settle-reply.ts';

/** An attempt while its operation is polled. Each poll has its own signal. */
type PolledAttempt = Omit<Attempt, 'signal'>;

/** The state of an operation. */
interface Standing {
	readonly following: Following & Pick<FollowState, 'asks'>;
	/** When the operation began, in milliseconds since the epoch. */
	readonly since: number;
	/** The job's response to the report of the operation, and the wait before the first poll. Left out: a poll is due. */
	readonly last?: { readonly waitMs: number; readonly report: Report };
}

/** An operation that has just been reported to its job. */
export interface NewOperation {
	readonly terms: FollowTerms;
	/** When the operation began, in milliseconds since the epoch. */
	readonly since: number;
	/** The job's response to the report. */
	readonly report: Report;
}

/** The consumer that sent the request polls first, so that a short operation doesn't wait for a queue. */
export function pollFirst(attempt: Attempt, { terms, since, report }: NewOperation): Promise<Report> {
	const { dependencies, id, lease } = attempt;
	const { following, waitMs } = terms;
	const standing = { following: { ...following, asks: 0 }, since, last: { waitMs, report } };
	return pollWhileYoung(polledAttempt(dependencies, id, lease), standing);
}

/** Polls an operation on behalf of a message. The report has the time and the message of the next poll. */
export function pollOperation(
	dependencies: AttemptDependencies,
	id: string,
	due: Extract<Asking, { asking: true }>,
): Promise<Report> {
	return pollWhileYoung(polledAttempt(dependencies, id, due.lease), due);
}

/** The polls of one consumer have the same deadline as an attempt. */
function polledAttempt(dependencies: AttemptDependencies, id: string, lease: Lease): PolledAttempt {
	const untilMs = Date.now() + lease.options.timeoutSeconds * MS_PER_SECOND + LEASE_GRACE_MS - REPORT_MARGIN_MS;
	// The job's first attempt has said whether the list knows of it.
	return { dependencies, id, lease, isListed: false, jobs: dependencies.jobs.repeatingUntil(untilMs), link: UNHEARD };
}

/** Ignores progress of a reply's download, which isn't worth a socket. */
const UNHEARD: Attempt['link'] = { report: () => {} };

/** Polls while the operation is young, then leaves polling to the next message. */
async function pollWhileYoung(attempt: PolledAttempt, { following, since, last }: Standing): Promise<Report> {
	const { jobs, id, lease } = attempt;
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
		const next = await pollOrFail(attempt, state, since);
		if (next === undefined) return {};
		if ('type' in next) return reportOutcome(attempt, next);
		({ following: state, waitMs } = next.terms);
		if (next.progress && !isSame(next.progress, told) && last) await tell(attempt, next.progress);
		told = next.progress ?? told;
	}
	if (last && state === following) return last.report;
	const { fence } = lease;
	const answer = defined({ fence, asks, following: withoutObjectFields(state), waitMs, progress: told });
	return jobs.call(id, (job) => job.continuePolling(answer));
}

/** Returns the operation without the fields that only the object keeps. */
function withoutObjectFields({ operation, answers, failures, retryAfterMs }: Following): Following {
	return defined({ operation, answers, failures, retryAfterMs });
}

function isSame(progress: Progress, before: Progress | undefined): boolean {
	return before?.message === progress.message && before?.percentComplete === progress.percentComplete;
}

/** Lost progress is sent with the next report. */
async function tell({ jobs, id, lease }: PolledAttempt, progress: Progress): Promise<void> {
	try {
		await jobs.callOnce(id, (job) => job.reportProgress({ fence: lease.fence, progress }));
	} catch (error) {
		logError('progress not reported', { job: id, error });
	}
}

/** @returns `undefined` if this attempt no longer has the job. */
async function pollOrFail(
	polled: PolledAttempt,
	following: Following,
	since: number,
): Promise<Continuation | Outcome | undefined> {
	const controller = new AbortController();
	try {
		const course = { ...planForwarding({ ...polled, signal: controller.signal }), since };
		return await pollWithinTime(course, following, controller);
	} catch (error) {
		if (error instanceof UploadRefused) return undefined;
		// The upstream is no longer configured, or no longer accepts such requests.
		logError('operation not polled', { job: polled.id, error });
		return { type: 'failure', failure: failureFrom(error) };
	}
}

async function pollWithinTime(
	course: Course,
	following: Following,
	controller: AbortController,
): Promise<Continuation | Outcome> {
	const { attempt, upstream } = course;
	const abort = () => controller.abort();
	let timer = setTimeout(abort, ANSWER_MS);
	try {
		const answer = await askOnce(course, following);
		if ('terms' in answer) return answer;
		clearTimeout(timer);
		timer = setTimeout(abort, upstream.timeoutSeconds * MS_PER_SECOND);
		return await settleReply(course, { ...answer, sentAt: Date.now() });
	} catch (error) {
		if (error instanceof UploadRefused) throw error;
		const failure = finalFailure(error, upstream);
		if (failure) return { type: 'failure', failure };
		const shown = withoutValues(error instanceof ConnectionLost ? error.cause : error, upstream.headers);
		logError('operation poll failed', { job: attempt.id, upstream: upstream.name, error: shown });
		return countFailure(course, following);
	} finally {
		clearTimeout(timer);
	}
}
