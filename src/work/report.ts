/** Reports an outcome to the job's object. */
import { defined } from '../core/defined.ts';
import { MS_PER_SECOND } from '../core/job/limits.ts';
import type { Report } from '../core/job/object-api.ts';
import { discardUpload } from '../rpc/upload.ts';
import type { Attempt } from './attempt.ts';
import type { Outcome } from './outcome.ts';

/** The last report of an attempt starts this long before its lease ends. */
export const REPORT_MARGIN_MS = 1 * MS_PER_SECOND;

/** @returns the object's decision about what follows. */
export async function reportOutcome(
	attempt: Pick<Attempt, 'jobs' | 'id' | 'lease' | 'isListed'>,
	outcome: Outcome,
): Promise<Report> {
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
