/** The outcome of an attempt, before and after it is reported. */
import type { ExternalWaitTerms, Failure, FollowTerms } from '../core/job/lifecycle.ts';
import type { Report } from '../core/job/object-api.ts';
import type { Progress, StoredReply } from '../core/job/record.ts';
import type { Health } from '../core/upstream/gate.ts';

export type Outcome =
	/** The task has handed the attempt to an external worker. */
	(
		| { readonly type: 'wait'; readonly terms: ExternalWaitTerms; readonly progress?: Progress }
		/** The upstream has started an operation. */
		| { readonly type: 'follow'; readonly terms: FollowTerms; readonly progress?: Progress }
		| { readonly type: 'reply'; readonly reply: StoredReply; readonly progress?: Progress }
		| { readonly type: 'failure'; readonly failure: Failure; readonly retryAfterSeconds?: number }
	) & {
		/** The health of the upstream; left out if none was called. */
		readonly health?: Health;
	};

/** The object's response to the report of an attempt, and the health of the upstream. */
export interface AttemptReport {
	readonly report: Report;
	readonly health?: Health | undefined;
}
