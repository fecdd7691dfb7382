/**
 * The part of the topic `jobs`: the list of the tenant's jobs, which is a view of the topic's log. It takes what it is told about jobs,
 * and asks about unfinished jobs that it hears nothing of.
 */
import pMap from 'p-map';
import type { JobNews } from '../core/job/news.ts';
import { ASK_TIMEOUT_MS, ASKED_TOGETHER, UNHEARD_MS } from '../core/list/limits.ts';
import type { JobFilter, ListPage, ListQuery } from '../core/list/list-api.ts';
import type { Position } from '../core/list/position.ts';
import { jobsTopicEvent } from '../core/list/topic-event.ts';
import type { NewEvent } from '../core/topic/event.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { JobList, type ListLog } from './job-list.ts';
import type { CountedJobs } from './list-reader.ts';

/** Appends to the topic's log, and tells its readers. Returns the number of the row. */
export type AppendNews = (
	news: { readonly events: readonly NewEvent[]; readonly extra: string },
	now: number,
) => number;

interface JobsTopicParts {
	readonly sql: SqlStorage;
	readonly log: ListLog;
	readonly jobs: Jobs;
	readonly append: AppendNews;
}

export class JobsTopic {
	readonly #list: JobList;
	readonly #jobs: Jobs;
	readonly #append: AppendNews;

	constructor({ sql, log, jobs, append }: JobsTopicParts, now: number) {
		this.#list = new JobList(sql, log, now);
		this.#jobs = jobs;
		this.#append = append;
	}

	/** The log's rows up to this number are no longer needed. */
	get stored(): number {
		return this.#list.stored;
	}

	/** Whether the list has no job, so that nothing but the log's events is left. */
	get isEmpty(): boolean {
		return this.#list.isEmpty;
	}

	/** Writes one row, if anything is new. There is no `await` in it. @returns whether some job is unfinished. */
	tell(news: readonly JobNews[], now: number): boolean {
		const { events, extra } = this.#list.apply(news, now);
		if (extra === undefined) return false;
		const first = this.#append({ events: events.map(jobsTopicEvent), extra }, now);
		this.#list.logged({ first, extra });
		return news.some(({ job, goneAt }) => job !== undefined && goneAt === undefined);
	}

	page(query: ListQuery, now: number): ListPage {
		return this.#list.page(query, now);
	}

	counted(filter: JobFilter, now: number): Promise<CountedJobs> {
		return this.#list.counted(filter, now);
	}

	/**
	 * Removes expired jobs, and takes the jobs to ask.
	 *
	 * @returns when to call again, in milliseconds since the epoch; infinity if there is no need.
	 */
	wake(now: number): { readonly unheard: readonly Position[]; readonly nextAt: number } {
		const sweepAt = this.#list.sweep(now) ?? Number.POSITIVE_INFINITY;
		const { jobs: unheard, nextAt = Number.POSITIVE_INFINITY } = this.#list.unheard(now);
		return { unheard, nextAt: Math.min(sweepAt, nextAt) };
	}

	/** Writes what only the log has. */
	checkpoint(): void {
		this.#list.checkpoint();
	}

	/** Asks jobs for their news. One that can't be reached is asked again later. */
	async ask(unheard: readonly Position[]): Promise<void> {
		const answers = await pMap(unheard, (position) => this.#askOne(position), { concurrency: ASKED_TOGETHER });
		this.tell(answers.flat(), Date.now());
	}

	async #askOne(position: Position): Promise<JobNews[]> {
		const { promise: isLate, resolve } = Promise.withResolvers<undefined>();
		const timer = setTimeout(() => resolve(undefined), ASK_TIMEOUT_MS);
		try {
			const asked = this.#jobs.call(position.id, async (job) => ({ answer: await job.readNews() }));
			const result = await Promise.race([asked, isLate]);
			if (!result) return [];
			if (result.answer) return [result.answer];
			this.#list.forget(position);
			return [];
		} catch (error) {
			logError('job not asked by its list', { job: position.id, error });
			return [];
		} finally {
			clearTimeout(timer);
		}
	}
}

/** When a list that heard of an unfinished job looks after it, in milliseconds since the epoch. */
export function firstAskAt(now: number): number {
	return now + UNHEARD_MS.first;
}
