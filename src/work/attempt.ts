/**
 * One attempt at a job, from the lease to the report. Read it from top to bottom: find the task, read its input, run it
 * until it finishes, times out or is stopped, then store and report the outcome.
 */

import { defined } from '../core/defined.ts';
import type { FollowTerms } from '../core/job/lifecycle.ts';
import { LEASE_GRACE_MS, MS_PER_SECOND } from '../core/job/limits.ts';
import type { JobMessage } from '../core/job/message.ts';
import type { Lease, Report } from '../core/job/object-api.ts';
import type { Fence } from '../core/job/record.ts';
import { upstreamNameOf } from '../core/job/upstream.ts';
import type { Upstreams } from '../core/upstream/settings.ts';
import { logError, withLogContext } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { UploadRefused } from '../rpc/upload.ts';
import { AttemptLink } from './attempt-link.ts';
import { failureOf, timedOut } from './failure.ts';
import { guardedFetch } from './fetch.ts';
import { parametersOf, readInput } from './input.ts';
import type { AttemptReport, Outcome } from './outcome.ts';
import { storeReply } from './output.ts';
import { checkedProgress } from './progress.ts';
import type { RegisteredTask, TaskRegistry } from './registry.ts';
import { type JobContext, TaskError, WaitingForWorker } from './task.ts';
import { forward, forwardTimedOut } from './upstream/forward.ts';
import { followOn, type Session } from './upstream/operation.ts';
import { type SignAttemptToken, waitingFor } from './waiting.ts';

/** The dependencies of an attempt. */
export interface AttemptDependencies {
	readonly tasks: TaskRegistry;
	readonly jobs: Jobs;
	readonly upstreams: Upstreams;
	readonly maxResultBytes: number;
	readonly allowPrivateTargets: boolean;
	readonly sign: SignAttemptToken;
}

/** Time that a stopped task has to clean up before its attempt is reported without it. */
const LET_GO_MS = 2 * MS_PER_SECOND;

/** The last report of an attempt starts this long before its lease ends. */
const REPORT_MARGIN_MS = 1 * MS_PER_SECOND;

/** Why an attempt was stopped. */
type Stop = 'timeout' | 'canceled' | 'stale';

/**
 * Runs one attempt and reports it. Never throws for an error of the task; only if the report can't be delivered before
 * the lease ends. Finished work is expensive to lose, so an unreachable object is retried until then.
 */
export function runAttempt(shared: AttemptDependencies, id: string, lease: Lease): Promise<AttemptReport> {
	return withLogContext(lease.options, () => runAndReport(shared, id, lease));
}

async function runAndReport(shared: AttemptDependencies, id: string, lease: Lease): Promise<AttemptReport> {
	const dependencies = { ...shared, jobs: shared.jobs.repeatingUntil(lease.leaseEndsAt - REPORT_MARGIN_MS) };
	const outcome = await runWithDeadline(dependencies, id, lease);
	const reportedAt = Date.now();
	const report = await reported(dependencies, id, lease.fence, outcome);
	const isFollowed = outcome.type === 'follow' && report.refusal === undefined;
	const last = isFollowed ? await askDirectly(sessionOf(shared, id, lease), outcome.terms, reportedAt, report) : report;
	return { ...last, ...(outcome.health && { health: outcome.health }) };
}

/** Polls an upstream's operation on behalf of a message. The report has the time and the message of the next poll. */
export async function askUpstream(
	shared: AttemptDependencies,
	{ id, epoch, ask }: JobMessage & { readonly ask: { readonly attempt: number; readonly asks: number } },
): Promise<Report> {
	// Identifies this delivery, so that a call that is repeated after a lost response gets the same response.
	const delivery = crypto.randomUUID();
	const due = await shared.jobs.call(id, (job) => job.startPoll({ epoch, ...ask, delivery }));
	if (!due.asking) return {};
	return followOn(sessionOf(shared, id, due.lease), due);
}

/** The consumer that sent the request polls first, so that a short operation doesn't wait for a queue. */
function askDirectly(
	session: Session,
	{ following, waitMs }: FollowTerms,
	since: number,
	report: Report,
): Promise<Report> {
	return followOn(session, { following: { ...following, asks: 0 }, since, last: { waitMs, report } });
}

/** A session has the same deadline as an attempt. */
function sessionOf(shared: AttemptDependencies, id: string, lease: Lease): Session {
	const untilMs = Date.now() + lease.options.timeoutSeconds * MS_PER_SECOND + LEASE_GRACE_MS - REPORT_MARGIN_MS;
	const dependencies = { ...shared, jobs: shared.jobs.repeatingUntil(untilMs) };
	return {
		options: dependencies,
		id,
		lease,
		report: (outcome) => reported(dependencies, id, lease.fence, outcome),
		contextFor: (signal) => contextOf(dependencies, id, lease, {}, signal, UNHEARD),
	};
}

/** Ignores progress of a reply's download, which isn't worth a socket. */
const UNHEARD = { report: () => {} };

async function reported({ jobs }: AttemptDependencies, id: string, fence: Fence, outcome: Outcome): Promise<Report> {
	if (outcome.type === 'wait') {
		const { terms, progress } = outcome;
		return jobs.call(id, (job) => job.waitForWorker(defined({ fence, terms, progress })));
	}
	if (outcome.type === 'follow') {
		const { terms, progress } = outcome;
		return jobs.call(id, (job) => job.followOperation(defined({ fence, ...terms, progress })));
	}
	if (outcome.type === 'reply') {
		const { reply, progress } = outcome;
		return jobs.call(id, (job) => job.completeAttempt(defined({ fence, reply, progress })));
	}
	const { failure, retryAfterSeconds } = outcome;
	const report = await jobs.call(id, (job) => job.failAttempt(defined({ fence, failure, retryAfterSeconds })));
	// Another attempt follows, so the stored reply of this one is not needed.
	const body = report.retryInMs === undefined ? undefined : failure.reply?.body;
	if (body && 'upload' in body) await jobs.call(id, (job) => job.discardUpload(body.upload, body.chunks));
	return report;
}

async function runWithDeadline(dependencies: AttemptDependencies, id: string, lease: Lease): Promise<Outcome> {
	const { options } = lease;
	const controller = new AbortController();
	const stopped = Promise.withResolvers<Stop>();
	const stop = (why: Stop) => {
		stopped.resolve(why);
		controller.abort(new DOMException(`The attempt was stopped: ${why}`, 'AbortError'));
	};
	const timer = setTimeout(() => stop('timeout'), options.timeoutSeconds * MS_PER_SECOND);
	const link = new AttemptLink({ jobs: dependencies.jobs, id, fence: lease.fence, onAbort: stop });
	const work = perform(dependencies, id, lease, controller.signal, link).catch((error: unknown) =>
		failureOutcome(error, id, lease, controller.signal),
	);
	try {
		const first = await Promise.race([work, stopped.promise]);
		return typeof first === 'string' ? await stoppedOutcome(first, work, dependencies, lease) : first;
	} finally {
		clearTimeout(timer);
		link.close();
	}
}

async function perform(
	dependencies: AttemptDependencies,
	id: string,
	lease: Lease,
	signal: AbortSignal,
	link: AttemptLink,
): Promise<Outcome> {
	if (upstreamNameOf(lease.task) === undefined) return runTask(dependencies, id, lease, signal, link);
	const outcome = await forward(dependencies, lease, contextOf(dependencies, id, lease, {}, signal, link));
	const progress = link.close();
	return outcome.type === 'reply' && progress ? { ...outcome, progress } : outcome;
}

async function runTask(
	dependencies: AttemptDependencies,
	id: string,
	lease: Lease,
	signal: AbortSignal,
	link: AttemptLink,
): Promise<Outcome> {
	const { tasks, jobs, maxResultBytes } = dependencies;
	const task = taskOf(tasks, lease.task);
	const parameters = parametersOf(task, lease.parameters);
	const input = await readInput(task, jobs, id, lease.input);
	// Reading may have waited for memory: don't start if the attempt was stopped meanwhile.
	signal.throwIfAborted();
	const result = await task.run(input, contextOf(dependencies, id, lease, parameters, signal, link));
	if (result instanceof WaitingForWorker) return waitOutcome(result, link);
	const reply = await storeReply(result, { jobs, id, fence: lease.fence, maxBytes: maxResultBytes });
	const progress = link.close();
	return { type: 'reply', reply, ...(progress && { progress }) };
}

function waitOutcome({ terms }: WaitingForWorker, link: AttemptLink): Outcome {
	const progress = link.close();
	return { type: 'wait', terms, ...(progress && { progress }) };
}

/** Returns the outcome of a stopped attempt, after its task has ended or its time to clean up has passed. */
async function stoppedOutcome(
	why: Stop,
	work: Promise<Outcome>,
	dependencies: AttemptDependencies,
	lease: Lease,
): Promise<Outcome> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const patience = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, LET_GO_MS);
	});
	await Promise.race([work, patience]);
	clearTimeout(timer);
	if (why === 'timeout') {
		const { timeoutSeconds } = lease.options;
		return forwardTimedOut(dependencies, lease) ?? { type: 'failure', failure: timedOut(timeoutSeconds) };
	}
	// The job ends as canceled in any case, and reports of a superseded attempt are ignored.
	const message = 'The attempt was stopped';
	return { type: 'failure', failure: { error: { code: 'Canceled', message, retryable: true }, status: 500 } };
}

function failureOutcome(error: unknown, id: string, { fence, task }: Lease, signal: AbortSignal): Outcome {
	// An error of a stopped task is not a failure of the task.
	const isExpected = error instanceof TaskError || error instanceof UploadRefused || signal.aborted;
	if (!isExpected) {
		logError('task failed', { job: id, task, ...fence, error });
	}
	const retryAfterSeconds = error instanceof TaskError ? error.retryAfterSeconds : undefined;
	return { type: 'failure', failure: failureOf(error), ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
}

function taskOf(tasks: TaskRegistry, name: string): RegisteredTask {
	const task = tasks.get(name);
	if (!task)
		throw new TaskError('UnknownTask', `Task "${name}" is not registered in this deployment`, { retryable: false });
	return task;
}

function contextOf(
	{ allowPrivateTargets, sign }: AttemptDependencies,
	id: string,
	lease: Lease,
	parameters: Record<string, unknown>,
	signal: AbortSignal,
	link: Pick<AttemptLink, 'report'>,
): JobContext<Record<string, unknown>> {
	const { options, fence } = lease;
	return {
		id,
		attempt: fence.attempt,
		parameters,
		signal,
		correlationId: options.correlationId,
		// The caller's own key is unique within its tenant only. The job's id is derived from tenant, task and key.
		idempotencyKey: `${id}-${fence.epoch}`,
		traceparent: options.traceparent,
		progress: (percent, message, data) => {
			if (!signal.aborted) link.report(checkedProgress(percent, message, data));
		},
		fetch: guardedFetch({ signal, allowPrivateTargets }),
		waitFor: (options = {}) => waitingFor(id, lease, sign, options),
	};
}
