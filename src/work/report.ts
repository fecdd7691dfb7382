/** Reports an outcome to the job's object. */
import { defined } from '../core/defined.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';
import type { Lease, Report } from '../core/job/object-api.ts';
import { discardUpload } from '../rpc/upload.ts';
import { type SpanFacts, traceSpan } from '../trace.ts';
import type { Attempt } from './attempt.ts';
import type { Outcome } from './outcome.ts';

/** The last report of an attempt starts this long before its lease ends. */
export const REPORT_MARGIN_MS = 1 * MS_PER_SECOND;

type ReportingAttempt = Pick<Attempt, 'jobs' | 'id' | 'lease' | 'isListed'>;

/** What the spans of an attempt say. */
export function attemptFacts(job: string, { task, fence, options }: Lease): SpanFacts {
	const { correlationId, traceparent } = options;
	return { job, task, attempt: fence.attempt, correlationId, traceparent };
}

/** @returns the object's decision about what follows. */
export function reportOutcome(attempt: ReportingAttempt, outcome: Outcome): Promise<Report> {
	return traceSpan('coatcheck.report', attemptFacts(attempt.id, attempt.lease), async (addFacts) => {
		const report = await sendOutcome(attempt, outcome);
		addFacts({ outcome: report.refusal ?? (report.retryInMs === undefined ? outcome.type : 'retrying') });
		return report;
	});
}

async function sendOutcome(attempt: ReportingAttempt, outcome: Outcome): Promise<Report> {
	const { jobs, id } = attempt;
	const { fence } = attempt.lease;
	if (outcome.type === 'wait') {
		const { terms, progress } = outcome;
		return jobs.call(id, (job) => job.waitForWorker(defined({ fence, terms, progress })));
	}
	if (outcome.type === 'follow') {
		const { terms, progress } = outcome;
		return jobs.call(id, (job) => job.followOperation(defined({ fence, ...terms, progress })));
	}
	const isListed = (await attempt.isListed) || undefined;
	if (outcome.type === 'reply') {
		const { reply, progress } = outcome;
		return jobs.call(id, (job) => job.completeAttempt(defined({ fence, reply, progress, isListed })));
	}
	const { failure, retryAfterSeconds } = outcome;
	const failing = defined({ fence, failure, retryAfterSeconds, isListed });
	const report = await jobs.call(id, (job) => job.failAttempt(failing));
	// Another attempt follows, so the stored reply of this one is not needed.
	if (report.retryInMs !== undefined) await discardUpload(jobs, id, failure.reply?.body);
	return report;
}
