/** Continues an attempt that no consumer runs: an operation at an upstream, or a bulk action. */
import type { JobMessage } from '../core/job/message.ts';
import type { Report } from '../core/job/object-api.ts';
import { withLogContext } from '../log.ts';
import { continueAction } from './action/continue.ts';
import type { AttemptDependencies } from './attempt.ts';
import { pollOperation } from './upstream/operation.ts';

/** The report has the time and the message of what follows. */
export async function continueFollowing(
	dependencies: AttemptDependencies,
	{ id, epoch, ask }: JobMessage & { readonly ask: { readonly attempt: number; readonly asks: number } },
): Promise<Report> {
	// Identifies this delivery, so that a call that is repeated after a lost response gets the same response.
	const delivery = crypto.randomUUID();
	const due = await dependencies.jobs.call(id, (job) => job.startPoll({ epoch, ...ask, delivery }));
	if (!due.asking) return {};
	const { walk } = due.following;
	return withLogContext(due.lease.options, () =>
		walk ? continueAction(dependencies, id, { ...due, walk }) : pollOperation(dependencies, id, due),
	);
}
