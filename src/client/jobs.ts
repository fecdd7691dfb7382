/** Finds and counts the jobs of the API key's tenant. */
import type { StatusDocument } from './document.ts';
import type { Http } from './http.ts';
import type { CallOptions } from './job.ts';
import { loadPart } from './load-part.ts';
import type { PageOptions } from './pages.ts';

/** The jobs that match every member. */
export interface JobsFilter {
	readonly status?: StatusDocument['status'];
	readonly phase?: StatusDocument['phase'];
	readonly task?: string;
	/** A tag, or several that the job must all have. */
	readonly tag?: string | readonly string[];
	readonly correlationId?: string;
	/** The code of a failed job's error. */
	readonly errorCode?: string;
	/** Jobs created at this time or later. A text is RFC 3339. */
	readonly createdAfter?: Date | string;
	/** Jobs created before this time. */
	readonly createdBefore?: Date | string;
	readonly id?: string;
	/** The key of a submission. Without `task`, the jobs of every task that the deployment has now. */
	readonly idempotencyKey?: string;
}

/** A job as the list shows it: its status document, with one link. */
export type ListedJob = Omit<
	StatusDocument,
	'percentComplete' | 'progress' | 'webhook' | 'resourceLocation' | 'links'
> & {
	/** `self` is the job's URL, for `client.job(url)`. */
	readonly links: { readonly self: string };
};

export interface JobsPage {
	/** The newest first. A page may have few jobs, or none, although another page follows. */
	readonly jobs: readonly ListedJob[];
	/** Left out on the last page. */
	readonly nextCursor?: string;
}

export interface JobCounts {
	readonly total: number;
	readonly byStatus: Readonly<Record<string, number>>;
	readonly byTask: Readonly<Record<string, number>>;
	readonly byErrorCode: Readonly<Record<string, number>>;
	/** The creation time of the oldest pending job, RFC 3339; left out when no job is pending. */
	readonly oldestPendingAt?: string;
}

/** The jobs that match a filter. Each iteration sends its own requests, one for each page that is needed. */
export class JobListing implements AsyncIterable<ListedJob> {
	readonly #pages: () => AsyncGenerator<JobsPage, void>;

	/** @internal Use `client.jobs.list`. */
	constructor(pages: () => AsyncGenerator<JobsPage, void>) {
		this.#pages = pages;
	}

	/** The same jobs by page, with the cursors. */
	pages(): AsyncGenerator<JobsPage, void> {
		return this.#pages();
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<ListedJob, void> {
		for await (const { jobs } of this.#pages()) yield* jobs;
	}
}

/** Where a list is read. */
export interface ListSource {
	readonly http: Http;
	/** Without a slash at the end. */
	readonly url: string;
}

/** All methods throw {@link ProblemError} when the server refuses: 401, 403, 400 for a bad filter, 404 when the list is off. */
export class JobsClient {
	readonly #source: ListSource;

	/** @internal Use `client.jobs`. */
	constructor(http: Http, base: string) {
		this.#source = { http, url: `${base}/v1/jobs` };
	}

	/**
	 * Finds jobs, the newest first. A job is listed about a second after its submission, and its end about a second after it
	 * ended; `id` and `idempotencyKey` find it at once.
	 *
	 * @example
	 * for await (const { id, links } of client.jobs.list({ status: 'failed', createdAfter: lastNight })) {
	 *   await client.job(links.self).retry();
	 * }
	 */
	list(filter: JobsFilter = {}, options: PageOptions = {}): JobListing {
		return new JobListing(() => this.#pages(filter, options));
	}

	/** Counts the jobs that match. */
	async counts(filter: JobsFilter = {}, options: CallOptions = {}): Promise<JobCounts> {
		const { readCounts } = await this.#load();
		return readCounts(this.#source, filter, options);
	}

	async *#pages(filter: JobsFilter, options: PageOptions): AsyncGenerator<JobsPage, void> {
		const { streamPages } = await this.#load();
		yield* streamPages(this.#source, filter, options);
	}

	#load(): Promise<typeof import('./parts/lists.ts')> {
		return loadPart(import('./parts/lists.ts'));
	}
}
