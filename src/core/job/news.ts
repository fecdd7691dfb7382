/**
 * What the list of a tenant's jobs, and its topic `jobs`, are told about a job. Each news has the job's whole state: a later one
 * replaces an earlier one, and one that comes twice changes nothing.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { defined } from '../defined.ts';
import { type JobFacts, jobFacts } from './document.ts';
import { keptUntil, readableUntil } from './expiry.ts';
import { TOMBSTONE_MS } from './limits.ts';
import type { JobView } from './object-api.ts';
import { isFinal, type JobRecord } from './record.ts';
import { statusFlags } from './view.ts';

/** The types of the events of the topic `jobs`. */
export const NEWS_TYPES = ['accepted', 'succeeded', 'failed', 'canceled'] as const;
export type NewsType = (typeof NEWS_TYPES)[number];

/** An item of the list: the status document without links, and without what changes while the job runs. */
export type ListedJob = Omit<JobFacts, 'percentComplete' | 'progress' | 'webhook'>;

/** One event of a job that the topic `jobs` has, too. */
export interface NewsEvent {
	/** The number among the job's own events. */
	readonly seq: number;
	readonly type: NewsType;
	/** In milliseconds since the epoch. */
	readonly at: number;
	/** `failed` only: the code of the error. */
	readonly errorCode?: string;
}

/** Crosses versions during a deploy: only add optional fields. Times are milliseconds since the epoch. */
export interface JobNews {
	readonly id: string;
	readonly tenant: string;
	/** A later job of the same idempotency key has the same id, and a later time. */
	readonly createdAt: number;
	readonly epoch: number;
	/** The number of the job's last event. */
	readonly seq: number;
	/** Left out when the data was erased: the job leaves the list. */
	readonly job?: ListedJob;
	/** When nothing is left of a finished or erased job. It leaves the list at this time. */
	readonly goneAt?: number;
	/** Unfinished jobs only: when tokens for this job expire. Those of a finished job expire at `goneAt`. */
	readonly readableUntil?: number;
	/** The flags of the job's status URL. Left out where there are none. */
	readonly flags?: Readonly<Record<string, string>>;
	/** The job's events of these types, in order: all that its history has. */
	readonly events: readonly NewsEvent[];
	/** When the job was in this state: news may come late. Left out by earlier versions. */
	readonly readAt?: number;
	/** No other job ever has this id. Left out where that is not certain. */
	readonly isUnique?: true;
}

export function jobNews(id: string, job: JobRecord, now: number): JobNews {
	const { tenant, createdAt, epoch, seq, state } = job;
	const isErased = state.name === 'tombstone';
	const isOpen = !isErased && !isFinal(state);
	const flags = isErased ? {} : statusFlags(job);
	return defined({
		id,
		tenant,
		createdAt,
		epoch,
		seq,
		job: isErased ? undefined : listedJob(id, job, now),
		goneAt: goneAt(job),
		readableUntil: isOpen ? readableUntil(job) : undefined,
		flags: Object.keys(flags).length > 0 ? flags : undefined,
		events: job.history.flatMap(newsEvent),
		readAt: now,
		isUnique: !isErased && hasUniqueId(job) ? true : undefined,
	});
}

/** The news of a job that was accepted just now. */
export function acceptedNews(
	{ facts, epoch }: Pick<JobView, 'facts' | 'epoch'>,
	submission: Pick<JobRecord, 'tenant' | 'fingerprint'>,
): JobNews {
	const { percentComplete: _percent, progress: _progress, webhook: _webhook, ...job } = facts;
	const { id, seq } = facts;
	const createdAt = Date.parse(facts.createdAt);
	const events: NewsEvent[] = [{ seq, type: 'accepted', at: createdAt }];
	const isUnique = hasUniqueId(submission) ? true : undefined;
	return defined({ id, tenant: submission.tenant, createdAt, epoch, seq, job, events, readAt: createdAt, isUnique });
}

/** The ids of jobs without an idempotency key are random. */
function hasUniqueId({ fingerprint }: Pick<JobRecord, 'fingerprint'>): boolean {
	return fingerprint === undefined;
}

function goneAt(job: JobRecord): number | undefined {
	const { state } = job;
	if (state.name === 'tombstone') return state.goneAt;
	return isFinal(state) ? keptUntil(job, state) + TOMBSTONE_MS : undefined;
}

function listedJob(id: string, job: JobRecord, now: number): ListedJob {
	const { percentComplete: _percent, progress: _progress, webhook: _webhook, ...listed } = jobFacts(id, job, now);
	return listed;
}

function newsEvent({ seq, type, at, error }: JobRecord['history'][number]): NewsEvent[] {
	if (!isNewsType(type)) return [];
	return [defined({ seq, type, at, errorCode: error?.code })];
}

function isNewsType(type: string): type is NewsType {
	return (NEWS_TYPES as readonly string[]).includes(type);
}

/** What decides which of two news of a job is newer. */
export type NewsOrder = Pick<JobNews, 'createdAt' | 'seq' | 'job' | 'goneAt' | 'readAt'>;

/** Whether news is newer than what is known about the job with this id. */
export function isNewer(news: NewsOrder, known: NewsOrder | undefined): boolean {
	if (!known || news.createdAt !== known.createdAt) return !known || news.createdAt > known.createdAt;
	if (known.job === undefined || news.job === undefined) return known.job !== undefined;
	return news.seq === known.seq ? isKeptUntilAnotherTime(news, known) : news.seq > known.seq;
}

/** The deliveries of a finished job's webhook change, without an event, how long the job is kept. */
function isKeptUntilAnotherTime(news: NewsOrder, known: NewsOrder): boolean {
	const { goneAt = known.goneAt, readAt = 0 } = news;
	return goneAt !== known.goneAt && readAt > (known.readAt ?? 0);
}
