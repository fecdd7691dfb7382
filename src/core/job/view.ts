/** A job as its object's callers see it. Pure. */
import { defined } from '../defined.ts';
import { jobFacts } from './document.ts';
import { readableUntil } from './expiry.ts';
import { MS_PER_SECOND } from './limits.ts';
import type { FoundJob, JobView, Lease, Nothing, Outcome } from './object-api.ts';
import { fenceOf, isBrief, type JobRecord, laneOf, type RunningState } from './record.ts';
import { isSystemTask } from './system-task.ts';
import { upstreamHintOf } from './upstream.ts';

export const NOTHING: Nothing = { found: 'nothing', knowsTokens: true };

export function foundJob(id: string, job: JobRecord, now: number): FoundJob {
	return { found: 'job', view: jobView(id, job, now) };
}

/** The job must not be a tombstone. */
export function jobView(id: string, job: JobRecord, now: number): JobView {
	const { state, epoch, progressAt } = job;
	return defined({
		facts: jobFacts(id, job, now),
		epoch,
		flags: statusFlags(job),
		timing: defined({
			waitingSince: state.name === 'running' ? state.attemptStartedAt : job.epochAt,
			notBefore: state.name === 'pending' ? state.notBefore : undefined,
			progressAt,
			waitedMs: firstWaitMs(job),
		}),
		lane: laneOf(job),
		upstream: upstreamHintOf(job),
		parameters: isSystemTask(job.task) ? job.parameters : undefined,
		requestedBy: job.requestedBy,
		readableUntil: readableUntil(job),
		retainMs: job.options.retainSeconds * MS_PER_SECOND,
	});
}

/** The flags of the job's status URL. */
export function statusFlags({ options: { onPending, onComplete, onFailed } }: JobRecord): Record<string, string> {
	return defined({ onPending, onComplete, onFailed });
}

/** Time that a job waited for its first start. Left out for a delayed job. */
function firstWaitMs({ startedAt, epochAt, options }: JobRecord): number | undefined {
	return startedAt === undefined || options.delaySeconds > 0 ? undefined : startedAt - epochAt;
}

/** The input of the running attempt. */
export function attemptLease(job: JobRecord, { leaseEndsAt }: RunningState): Lease {
	const { task, tenant, options, parameters, input, origin } = job;
	return defined({
		fence: fenceOf(job),
		task,
		tenant,
		options,
		parameters,
		leaseEndsAt,
		readableUntil: readableUntil(job),
		linksFirst: isBrief(job) ? undefined : true,
		input,
		origin,
	});
}

/** A finished job's reply, or the status of its failure. */
export function storedOutcome({ state }: JobRecord): Outcome | undefined {
	if (state.name === 'succeeded') return { kind: 'reply', reply: state.reply };
	if (state.name !== 'failed') return undefined;
	return state.reply ? { kind: 'reply', reply: state.reply } : { kind: 'failure', status: state.status };
}
