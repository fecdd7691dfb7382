/**
 * The part of the topic `jobs`: the list of the tenant's jobs, which is a view of the topic's log. It takes what it is told about jobs,
 * and asks about unfinished jobs that it hears nothing of.
 */

import { chunk } from '../core/chunk.ts';
import type { JobNews } from '../core/job/news.ts';
import { type ListNews, newsInRows } from '../core/list/entry.ts';
import { ASK_TIMEOUT_MS, ASKED_TOGETHER, UNHEARD_MS } from '../core/list/limits.ts';
import type { JobFilter, ListPage, ListQuery } from '../core/list/list-api.ts';
import type { Position } from '../core/list/position.ts';
import { jobsTopicEvent } from '../core/list/topic-event.ts';
import type { NewEvent } from '../core/topic/event.ts';
import { logError } from '../log.ts';
import type { Jobs } from '../rpc/jobs.ts';
import { withTimeout } from '../rpc/with-timeout.ts';
import { JobList, type ListLog } from './job-list.ts';
import type { CountedJobs } from './list-reader.ts';
import type { Appended } from './topic-log.ts';

/** The topic's log. */
export interface NewsLog extends ListLog {
	append(news: { readonly events: readonly NewEvent[]; readonly extra: string }, now: number): Appended;
	/** Tells the topic's readers. */
	announce(appended: Appended, now: number): void;
	/** An append was rolled back. */
	reload(): void;
}

interface JobsTopicParts {
	readonly storage: DurableObjectStorage;
	readonly log: NewsLog;
	readonly jobs: Jobs;
}

export interface Told {
	/** Whether the list has something new about an unfinished job. */
	readonly isAnyUnfinished: boolean;
	/** The jobs that must be asked, because their news is too old. */
	readonly doubtful: readonly Position[];
}

/** What was learnt from jobs. */
export interface Asked extends Pick<Told, 'isAnyUnfinished'> {
	/** Number of jobs that could not be called. */
	readonly unreachable: number;
}

type Answer =
	| { readonly type: 'news'; readonly news: JobNews }
	| { readonly type: 'no job'; readonly position: Position }
	| { readonly type: 'unreachable' };

export class JobsTopic {
	readonly #parts: JobsTopicParts;
	/** `undefined` until it is needed, and after a failure. */
	#list: JobList | undefined;

	constructor(parts: JobsTopicParts) {
		this.#parts = parts;
	}

	/** The log's rows up to this number are no longer needed. */
	storedAt(now: number): number {
		return this.#open(now).stored;
	}

	/** Whether the list has no job, so that nothing but the log's events is left. */
	isEmptyAt(now: number): boolean {
		return this.#open(now).isEmpty;
	}

	/** Writes few rows for many news, if anything is new. There is no `await` in it. */
	tell(news: readonly ListNews[], now: number): Told {
		const told = newsInRows(news).map((some) => this.#tellRow(some, now));
		return {
			isAnyUnfinished: told.some(({ isAnyUnfinished }) => isAnyUnfinished),
			doubtful: told.flatMap(({ doubtful }) => doubtful),
		};
	}

	#tellRow(news: readonly ListNews[], now: number): Told {
		const { doubtful, row } = this.#change(now, (list) => {
			const { events, extra, doubtful } = list.apply(news, now);
			if (extra === undefined) return { doubtful };
			const appended = this.#parts.log.append({ events: events.map(jobsTopicEvent), extra }, now);
			return { doubtful, row: { appended, extra } };
		});
		if (!row) return { doubtful, isAnyUnfinished: false };
		const { appended, extra } = row;
		this.#parts.log.announce(appended, now);
		this.#store(now, (list) => list.logged({ last: appended.last, extra }));
		return { doubtful, isAnyUnfinished: news.some(({ job, goneAt }) => job !== undefined && goneAt === undefined) };
	}

	/** @throws {RangeError} for a cursor that is not of this filter. */
	async page(query: ListQuery, now: number): Promise<ListPage> {
		const { readListPage } = await import('./list-reader.ts');
		return readListPage(this.#open(now).leaves, query, now);
	}

	async counted(filter: JobFilter, now: number): Promise<CountedJobs> {
		const { countListed } = await import('./list-reader.ts');
		return countListed(this.#open(now).leaves, filter, now);
	}

	/**
	 * Removes expired jobs, and takes the jobs to ask.
	 *
	 * @returns when to call again, in milliseconds since the epoch; infinity if there is no need.
	 */
	wake(now: number): { readonly unheard: readonly Position[]; readonly nextAt: number } {
		const sweepAt = this.#change(now, (list) => list.sweep(now)) ?? Number.POSITIVE_INFINITY;
		const { jobs: unheard, nextAt = Number.POSITIVE_INFINITY } = this.#open(now).unheard(now);
		return { unheard, nextAt: Math.min(sweepAt, nextAt) };
	}

	/** Writes what only the log has. */
	checkpoint(now: number): void {
		this.#store(now, (list) => list.checkpoint());
	}

	/** Asks jobs for their news. An unfinished one that can't be reached is asked again later. */
	async ask(positions: readonly Position[]): Promise<Asked> {
		const answers: Answer[] = [];
		for (const some of chunk(positions, ASKED_TOGETHER))
			answers.push(...(await Promise.all(some.map((position) => this.#askOne(position)))));
		const now = Date.now();
		const list = this.#open(now);
		const news = answers.flatMap((answer): ListNews[] => {
			if (answer.type === 'news') return [answer.news];
			const erasure = answer.type === 'no job' ? list.erasure(answer.position, now) : undefined;
			return erasure ? [erasure] : [];
		});
		const { isAnyUnfinished } = this.tell(news, now);
		return { isAnyUnfinished, unreachable: answers.filter(({ type }) => type === 'unreachable').length };
	}

	async #askOne(position: Position): Promise<Answer> {
		try {
			const asked = this.#parts.jobs.call(position.id, (job) => job.readNews());
			const news = await withTimeout(ASK_TIMEOUT_MS, asked);
			return news ? { type: 'news', news } : { type: 'no job', position };
		} catch (error) {
			logError('job not asked by its list', { job: position.id, error });
			return { type: 'unreachable' };
		}
	}

	#open(now: number): JobList {
		const { storage, log } = this.#parts;
		this.#list ??= new JobList(storage.sql, log, now);
		return this.#list;
	}

	/** Changes list and log together, or neither. If that fails, memory may be ahead of both, and is read again. */
	#change<T>(now: number, change: (list: JobList) => T): T {
		const { storage, log } = this.#parts;
		const list = this.#open(now);
		try {
			return storage.transactionSync(() => change(list));
		} catch (error) {
			this.#list = undefined;
			log.reload();
			throw error;
		}
	}

	/** Writes leaves. What they should have is in the log, so if this fails, a later change does it. */
	#store(now: number, write: (list: JobList) => void): void {
		try {
			this.#change(now, write);
		} catch (error) {
			logError('leaves of the list of jobs not written', { error });
		}
	}
}

/** When a list that heard of an unfinished job looks after it, in milliseconds since the epoch. */
export function firstAskAt(now: number): number {
	return now + UNHEARD_MS.first;
}
