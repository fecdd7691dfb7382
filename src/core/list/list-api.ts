/**
 * The RPC interface of the list of a tenant's jobs. It is a part of the object that keeps the topic `jobs`. During each deploy,
 * calls cross versions for some seconds: only add optional fields, and optional parameters at the end. Callers may repeat each
 * call.
 */
import type { JobNews, ListedJob } from '../job/news.ts';
import type { Status } from '../job/record.ts';
import type { Retention } from '../topic/retention.ts';

/** The jobs that a reader wants: those that match every member. Times are milliseconds since the epoch. */
export interface JobFilter {
	readonly status?: Status;
	readonly phase?: string;
	readonly task?: string;
	/** Each of them. */
	readonly tags?: readonly string[];
	readonly correlationId?: string;
	readonly errorCode?: string;
	/** Jobs created at this time or later. */
	readonly createdAfter?: number;
	/** Jobs created before this time. */
	readonly createdBefore?: number;
	/** Jobs that have not changed since: for an action, which acts on the jobs that matched when it was made. */
	readonly unchangedSince?: number;
}

export interface ListQuery {
	readonly filter: JobFilter;
	/** From an earlier page of the same filter. */
	readonly cursor?: string;
	/** 1–100 for clients. */
	readonly limit: number;
}

/** A job of a page. */
export interface ListedEntry {
	readonly job: ListedJob;
	readonly epoch: number;
	/** When tokens for this job expire, in milliseconds since the epoch. */
	readonly readableUntil: number;
	/** The flags of the job's status URL. */
	readonly flags?: Readonly<Record<string, string>>;
}

/** Newest first, by the time of creation. */
export interface ListPage {
	readonly entries: readonly ListedEntry[];
	/** Left out on the last page. A page may have few entries, or none, and a cursor. */
	readonly nextCursor?: string;
}

export interface JobCounts {
	readonly total: number;
	readonly byStatus: Readonly<Record<string, number>>;
	readonly byTask: Readonly<Record<string, number>>;
	readonly byErrorCode: Readonly<Record<string, number>>;
	/** Of the oldest pending job, in milliseconds since the epoch. */
	readonly oldestPendingAt?: number;
}

/** The number of jobs that agree in these members. */
export interface CombinationCount {
	readonly status: string;
	readonly phase: string;
	readonly task: string;
	readonly errorCode?: string;
	readonly count: number;
}

export interface ListApi {
	/**
	 * Returns when the news is durable. News that is not newer than what is known changes nothing.
	 *
	 * @param retention of the topic `jobs`, as the deployment's settings say. Left out by a caller that does not know them.
	 */
	tell(news: readonly JobNews[], retention?: Retention): Promise<void>;
	listJobs(query: ListQuery): Promise<ListPage>;
	countJobs(filter: JobFilter): Promise<JobCounts>;
	/** The same jobs, counted for each combination. */
	countCombinations(filter: JobFilter): Promise<readonly CombinationCount[]>;
}
