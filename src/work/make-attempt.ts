/**
 * Makes one attempt at a job: start → load → run → settle → report. The steps stand in this order, and the attempt flows
 * whole from one to the next.
 */
import { defined } from '../core/defined.ts';
import { LINK_AFTER_MS, MS_PER_SECOND } from '../core/job/limits.ts';
import type { ReceivedMessage } from '../core/job/message.ts';
import type { Lease, Report, Start } from '../core/job/object-api.ts';
import { ACTION_TASK } from '../core/job/system-task.ts';
import { upstreamNameOf } from '../core/job/upstream.ts';
import { logError, withLogContext } from '../log.ts';
import { UploadRefused } from '../rpc/upload.ts';
import { traceSpan } from '../trace.ts';
import type { Attempt, AttemptDependencies, Runner } from './attempt.ts';
import { AttemptLink } from './attempt-link.ts';
import { AttemptStop, type Stopped } from './attempt-stop.ts';
import { failureFrom } from './failure.ts';
import type { AttemptReport, Outcome } from './outcome.ts';
import { attemptFacts, REPORT_MARGIN_MS, reportOutcome } from './report.ts';
import { TaskError } from './task.ts';
import { taskRunner } from './task-runner.ts';

/** Time that a stopped task has to clean up before its attempt is reported without it. */
const LET_GO_MS = 2 * MS_PER_SECOND;

/** An attempt that has its lease. */
interface StartedAttempt extends Attempt {
	readonly link: AttemptLink;
	readonly stop: AttemptStop;
	readonly runner: Runner;
}

/** How the work of an attempt ended. */
type Ending = Outcome | Stopped | { readonly type: 'error'; readonly error: unknown };

/**
 * Makes the attempt that a message asks for. Never throws for an error of the task; only if the report can't be delivered
 * before the lease ends. Finished work is expensive to lose, so an unreachable object is retried until then.
 */
export async function makeAttempt(
	dependencies: AttemptDependencies,
	received: ReceivedMessage,
): Promise<AttemptReport> {
	const start = await startAttempt(dependencies, received);
	if (!start.started) return { report: reportOfRefusal(start) };
	const { lease } = start;
	return withLogContext(lease.options, () =>
		traceSpan('coatcheck.attempt', attemptFacts(received.message.id, lease), async (addFacts) => {
			const attempt = await load(dependencies, received, lease);
			const ending = await run(attempt);
			const outcome = settle(attempt, ending);
			addFacts({ outcome: outcome.type });
			return reportAndFollow(attempt, outcome);
		}),
	);
}

function startAttempt({ jobs }: AttemptDependencies, { message, isShared }: ReceivedMessage): Promise<Start> {
	const { id, epoch } = message;
	// Identifies this delivery: if the response is lost and the call is repeated, the job returns the same lease.
	const delivery = crypto.randomUUID();
	return jobs.call(id, (job) => job.startAttempt(defined({ epoch, isShared, delivery, isListed: message.listed })));
}

/** A job that may not start yet gets its message again later. */
function reportOfRefusal({ refusal, waitMs = 0, lane }: Extract<Start, { started: false }>): Report {
	return refusal === 'early' ? defined({ retryInMs: waitMs, lane }) : {};
}

async function load(
	dependencies: AttemptDependencies,
	{ message: { id, listed }, isListed }: ReceivedMessage,
	lease: Lease,
): Promise<StartedAttempt> {
	const runner = await chooseRunner(lease.task);
	if (lease.waitedMs !== undefined) dependencies.noteWait(lease.waitedMs);
	const jobs = dependencies.jobs.repeatingUntil(lease.leaseEndsAt - REPORT_MARGIN_MS);
	const stop = new AttemptStop();
	const link = new AttemptLink({
		jobs,
		id,
		fence: lease.fence,
		opensAtOnce: lease.linksFirst === true,
		onAbort: (reason) => stop.stop(reason),
	});
	return {
		dependencies,
		id,
		lease,
		isListed: isListed ?? listed === true,
		jobs,
		signal: stop.signal,
		link,
		stop,
		runner,
	};
}

/** Rare runners are loaded for their first job. */
async function chooseRunner(task: string): Promise<Runner> {
	if (task === ACTION_TASK) return (await import('./rare-work.ts')).actionRunner;
	if (upstreamNameOf(task) === undefined) return taskRunner;
	return (await import('./rare-work.ts')).upstreamRunner;
}

/** Runs the work until it ends or is stopped. Stopped work gets a short time to clean up. */
async function run(attempt: StartedAttempt): Promise<Ending> {
	const { lease, runner, stop } = attempt;
	const timer = setTimeout(() => stop.stop('timeout'), lease.options.timeoutSeconds * MS_PER_SECOND);
	// Work that keeps the CPU busy would delay the link, and its absence says that the consumer has disappeared.
	if (lease.linksFirst) await Promise.race([attempt.link.opened, scheduler.wait(LINK_AFTER_MS)]);
	const work = runner.run(attempt).catch((error: unknown): Ending => ({ type: 'error', error }));
	const ending = await Promise.race([work, stop.stopped]);
	if (ending.type === 'stopped') await endOrPatience(work);
	clearTimeout(timer);
	return ending;
}

/** Waits until the work has ended, or its time to clean up has passed. */
async function endOrPatience(work: Promise<unknown>): Promise<void> {
	const { promise: patience, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, LET_GO_MS);
	await Promise.race([work, patience]);
	clearTimeout(timer);
}

function settle(attempt: StartedAttempt, ending: Ending): Outcome {
	const progress = attempt.link.endProgress();
	switch (ending.type) {
		case 'stopped':
			return ending.reason === 'timeout' ? attempt.runner.settleTimeout(attempt) : STOPPED;
		case 'error':
			return settleError(attempt, ending.error);
		case 'reply':
		case 'wait':
			return progress ? { ...ending, progress } : ending;
		default:
			return ending;
	}
}

/** A canceled job ends as canceled in any case, and reports of a superseded attempt are ignored. */
const STOPPED: Outcome = {
	type: 'failure',
	failure: { error: { code: 'Canceled', message: 'The attempt was stopped', retryable: true }, status: 500 },
};

function settleError({ id, lease, signal }: Attempt, error: unknown): Outcome {
	// An error of a stopped task is not a failure of the task.
	const isExpected = error instanceof TaskError || error instanceof UploadRefused || signal.aborted;
	if (!isExpected) logError('task failed', { job: id, task: lease.task, ...lease.fence, error });
	const retryAfterSeconds = error instanceof TaskError ? error.retryAfterSeconds : undefined;
	return defined({ type: 'failure' as const, failure: failureFrom(error), retryAfterSeconds });
}

/** The consumer that started an operation at an upstream polls it first. The portions of an action have messages of their own. */
async function reportAndFollow(attempt: StartedAttempt, outcome: Outcome): Promise<AttemptReport> {
	const { health } = outcome;
	const reportedAt = Date.now();
	const report = await reportOutcome(attempt, outcome).finally(() => attempt.link.close());
	const isOperation = outcome.type === 'follow' && outcome.terms.following.operation !== undefined;
	if (!isOperation || report.refusal !== undefined) return { report, health };
	const { pollFirst } = await import('./rare-work.ts');
	return { report: await pollFirst(attempt, { terms: outcome.terms, since: reportedAt, report }), health };
}
