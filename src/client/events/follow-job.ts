/** Follows the events of one job. */
import { isOver, type JobEvent, type StatusDocument } from '../document.ts';
import type { Http } from '../http.ts';
import type { JobUrls } from '../job-urls.ts';
import { follow } from './follow.ts';
import { jobFeed } from './job-feed.ts';
import type { TransportTerms } from './transport-terms.ts';
import { transportsFor } from './transports.ts';

/** A job, and the means to follow it. */
export interface FollowedJob {
	readonly http: Http;
	readonly urls: JobUrls;
	readonly transports: TransportTerms;
	readonly readStatus: (signal: AbortSignal) => Promise<StatusDocument>;
}

/** @param after the `seq` of the last event the reader has; `undefined` to begin with a snapshot. @throws as {@link follow}. */
export function followJob(
	{ http, urls, transports, readStatus }: FollowedJob,
	after: number | undefined,
	signal: AbortSignal,
): AsyncGenerator<JobEvent, void> {
	const followed = {
		transports: transportsFor(jobFeed(http, urls), transports, http),
		isOver: async ({ job }: { readonly job: StatusDocument | undefined }, stop: AbortSignal) =>
			isOver(job ?? (await readStatus(stop))),
	};
	return follow(followed, after, signal);
}
