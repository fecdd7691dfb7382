/**
 * Tells the lists of jobs what happened, for many jobs in one call.
 *
 * Two ways: news of a new run is told before the job's message is sent, and the caller waits for it. All other news is collected in the
 * isolate for a moment. It may be lost with its isolate: a list asks about the jobs that it hears nothing of.
 */
import { doubledMs } from '../core/http/doubling-wait.ts';
import { isNewer, type JobNews } from '../core/job/news.ts';
import { BELIEVED_MS } from '../core/list/limits.ts';
import type { Lists } from './lists.ts';

/** How long news is collected, in milliseconds. A list shows a change after at most a second. */
const COLLECT_MS = 200;
/** On a busy isolate, timers are late. A collection that is older than this has lost its invocation, and another one sends it. */
const COLLECTION_LOST_AFTER_MS = 2_000;
/** Waits before a list that did not answer is told again: an invocation may go on for 30 s after its response. */
const TRY_AGAIN_MS = { first: 1_000, max: 8_000 } as const;
const MAX_TRIES = 5;
/** Maximum number of jobs in one call. */
const MAX_NEWS_IN_CALL = 500;

/** The news of one isolate, by the job's id. An invocation may not do I/O for another one, so the first one sends for all. */
interface Collection {
	readonly openedAt: number;
	readonly news: Map<string, JobNews>;
}

const collections = new WeakMap<object, Collection>();

export class ListTeller {
	readonly #lists: Lists;
	/** Identifies the deployment in this isolate. */
	readonly #scope: object;
	readonly #waitUntil: (promise: Promise<unknown>) => void;

	/** @param scope the bindings, the same object for all invocations of an isolate. */
	constructor(lists: Lists, scope: object, waitUntil: (promise: Promise<unknown>) => void) {
		this.#lists = lists;
		this.#scope = scope;
		this.#waitUntil = waitUntil;
	}

	/** Resolves to whether all of the news is durable in its list; never rejects. */
	async tell(news: readonly JobNews[]): Promise<boolean> {
		const calls = [...Map.groupBy(news, ({ tenant }) => tenant)].flatMap(([tenant, all]) =>
			portions(all).map((some) => this.#lists.tell(tenant, some)),
		);
		return (await Promise.all(calls)).every(Boolean);
	}

	/** Tells the news within a moment, together with other news of this isolate. Later news of a job replaces earlier news. */
	readonly tellSoon = (news: JobNews): void => {
		const now = Date.now();
		const open = collections.get(this.#scope);
		const isOpen = open !== undefined && Math.abs(now - open.openedAt) < COLLECTION_LOST_AFTER_MS;
		const collection = isOpen ? open : { openedAt: now, news: new Map(open && isTellable(open, now) ? open.news : []) };
		if (isNewer(news, collection.news.get(news.id))) collection.news.set(news.id, news);
		if (isOpen) return;
		collections.set(this.#scope, collection);
		this.#waitUntil(this.#tellCollected(collection));
	};

	async #tellCollected(collection: Collection): Promise<void> {
		await scheduler.wait(COLLECT_MS);
		if (collections.get(this.#scope) === collection) collections.delete(this.#scope);
		const news = [...collection.news.values()];
		for (let tries = 1; !(await this.tell(news)) && tries < MAX_TRIES; tries++)
			await scheduler.wait(doubledMs(TRY_AGAIN_MS, tries - 1));
	}
}

/** An isolate may sleep for hours. Lists would have to ask about news that is so late. */
function isTellable({ openedAt }: Collection, now: number): boolean {
	return now - openedAt < BELIEVED_MS;
}

function portions(news: readonly JobNews[]): JobNews[][] {
	return Array.from({ length: Math.ceil(news.length / MAX_NEWS_IN_CALL) }, (_, index) =>
		news.slice(index * MAX_NEWS_IN_CALL, (index + 1) * MAX_NEWS_IN_CALL),
	);
}
