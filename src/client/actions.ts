/** Bulk actions: cancel, retry or purge every job that matches a filter. */
import { isObject } from '../core/http/json.ts';
import { retryAfterMs } from '../core/operation/retry-after.ts';
import { isOver } from './document.ts';
import { ProtocolError } from './errors.ts';
import type { Http, Question } from './http.ts';
import type { CallOptions } from './job.ts';
import { httpUrl } from './job-urls.ts';
import { unaborted, wait } from './wait.ts';
import { nextWaitMs } from './waiting.ts';

export type ActionName = 'cancel' | 'retry' | 'purge';

/** A job must match all members, and at least one is required. */
export interface ActionFilter {
	readonly status?: 'pending' | 'running' | 'succeeded' | 'failed' | 'canceled';
	/** `dead-lettered` for the jobs that the queue gave up. */
	readonly phase?: string;
	/** A task's name, or `upstreams/{name}`. */
	readonly task?: string;
	/** A job must have each of them. */
	readonly tag?: string | readonly string[];
	readonly correlationId?: string;
	readonly errorCode?: string;
	/** RFC 3339. */
	readonly createdAfter?: string | Date;
	readonly createdBefore?: string | Date;
}

/** An action at one moment. Times are RFC 3339. */
export interface ActionDocument {
	readonly id: string;
	readonly action: ActionName;
	readonly filter: ActionFilter;
	readonly status: 'pending' | 'running' | 'succeeded' | 'failed' | 'canceled';
	/** More detailed than the status. New phases may be added: ignore those you don't know. */
	readonly phase: string;
	/** Number of jobs that matched when the action was made. */
	readonly matched: number;
	readonly done: number;
	readonly refused: number;
	/** The refused jobs by reason. */
	readonly refusals?: Readonly<Record<string, number>>;
	readonly percentComplete: number;
	readonly createdAt: string;
	readonly startedAt?: string;
	readonly finishedAt?: string;
	readonly lastUpdatedAt: string;
	readonly correlationId: string;
	readonly error?: { readonly code: string; readonly message: string };
	readonly links: { readonly self: string; readonly events: string; readonly socket?: string };
}

/** Identifies an action: its id, its `Location`, or its document. */
export type ActionReference = string | URL | Pick<ActionDocument, 'links'>;

export interface ActionWaitOptions extends CallOptions {
	/** Called with each document that was read. Default: none. */
	readonly onProgress?: (action: ActionDocument) => void;
}

/**
 * The bulk actions of a deployment. All methods throw {@link ProblemError} when the server refuses: `InvalidRequest` for a
 * filter, with `errors`; `Forbidden` for a key without the scope `operate`; `QuotaExceeded` for too many unfinished actions;
 * `ActionNotFound`.
 */
export class Actions {
	readonly #http: Http;
	readonly #url: string;

	/** @internal Use `client.actions`. */
	constructor(http: Http, base: string) {
		this.#http = http;
		this.#url = `${base}/v1/actions`;
	}

	/**
	 * Makes an action. It acts on the jobs that match now. While the same action of the tenant is unfinished, returns that one: a
	 * request that breaks off is therefore sent again.
	 *
	 * @example
	 * const { id } = await client.actions.create('retry', { phase: 'dead-lettered' });
	 * const { done, refused } = await client.actions.wait(id);
	 */
	async create(
		action: ActionName,
		filter: ActionFilter,
		{ signal = unaborted() }: CallOptions = {},
	): Promise<ActionDocument> {
		const body = JSON.stringify({ action, filter });
		const headers = { 'content-type': 'application/json' };
		return parseAction(await this.#http.askJson({ url: this.#url, method: 'POST', headers, body, signal }));
	}

	/** Reads an action. */
	async get(action: ActionReference, { signal = unaborted() }: CallOptions = {}): Promise<ActionDocument> {
		return parseAction(await this.#http.askJson({ url: this.#urlOf(action), signal }));
	}

	/** Reads an action until it is over, as often as `Retry-After` says. Returns it whatever its end is: look at `status`. */
	async wait(
		action: ActionReference,
		{ signal = unaborted(), onProgress }: ActionWaitOptions = {},
	): Promise<ActionDocument> {
		const url = this.#urlOf(action);
		for (let quiet = 0, before = ''; ; ) {
			const { document, retryAfterMs: askedMs } = await this.#read({ url, signal });
			onProgress?.(document);
			if (isOver(document)) return document;
			quiet = document.lastUpdatedAt === before ? quiet + 1 : 0;
			before = document.lastUpdatedAt;
			await wait(nextWaitMs({ quiet, retryAfterMs: askedMs, random: Math.random() }), signal);
		}
	}

	/**
	 * Stops an action. What it has done stays done. Its phase is `canceling` until the jobs in work are finished: `wait` returns
	 * the final counts.
	 */
	async stop(action: ActionReference, { signal = unaborted() }: CallOptions = {}): Promise<ActionDocument> {
		// The token in a link may only read: stopping takes the key.
		const url = new URL(this.#urlOf(action));
		url.searchParams.delete('token');
		return parseAction(await this.#http.askJson({ url: url.href, method: 'DELETE', signal }));
	}

	#read(question: Question): Promise<{ readonly document: ActionDocument; readonly retryAfterMs: number | undefined }> {
		return this.#http.ask(question, async (response) => {
			const document = parseAction(await this.#http.json(response, question.signal));
			return { document, retryAfterMs: retryAfterMs(response.headers.get('retry-after'), Date.now()) };
		});
	}

	/** @throws {TypeError} for what is neither an id nor a URL. */
	#urlOf(action: ActionReference): string {
		if (typeof action === 'object' && 'links' in action) return action.links.self;
		if (/^[0-9a-f]{64}$/.test(String(action))) return `${this.#url}/${action}`;
		return httpUrl(action).href;
	}
}

/** @throws {ProtocolError} when the value is not an action. */
function parseAction(value: unknown): ActionDocument {
	const isAction = isObject(value) && typeof value.id === 'string' && Number.isSafeInteger(value.done);
	if (isAction && typeof value.status === 'string') return value as unknown as ActionDocument;
	throw new ProtocolError('Expected an action with an id, a status and counts');
}
