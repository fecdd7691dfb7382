/** Bulk actions: cancel, retry or purge every job that matches a filter. */
import type { Http } from './http.ts';
import type { CallOptions } from './job.ts';
import { loadPart } from './load-part.ts';
import type { ActionRequests } from './parts/action-requests.ts';

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
	readonly #requests: () => Promise<ActionRequests>;

	/** @internal Use `client.actions`. */
	constructor(http: Http, base: string) {
		this.#requests = async () => {
			const part = await loadPart(import('./parts/action-requests.ts'));
			return new part.ActionRequests(http, `${base}/v1/actions`);
		};
	}

	/**
	 * Makes an action. It acts on the jobs that match now. While the same action of the tenant is unfinished, returns that one: a
	 * request that breaks off is therefore sent again.
	 *
	 * @example
	 * const { id } = await client.actions.create('retry', { phase: 'dead-lettered' });
	 * const { done, refused } = await client.actions.wait(id);
	 */
	async create(action: ActionName, filter: ActionFilter, options: CallOptions = {}): Promise<ActionDocument> {
		return (await this.#requests()).create(action, filter, options);
	}

	/** Reads an action. */
	async get(action: ActionReference, options: CallOptions = {}): Promise<ActionDocument> {
		return (await this.#requests()).get(action, options);
	}

	/** Reads an action until it is over, as often as `Retry-After` says. Returns it whatever its end is: look at `status`. */
	async wait(action: ActionReference, options: ActionWaitOptions = {}): Promise<ActionDocument> {
		return (await this.#requests()).wait(action, options);
	}

	/**
	 * Stops an action. What it has done stays done. Its phase is `canceling` until the jobs in work are finished: `wait` returns
	 * the final counts.
	 */
	async stop(action: ActionReference, options: CallOptions = {}): Promise<ActionDocument> {
		return (await this.#requests()).stop(action, options);
	}
}
