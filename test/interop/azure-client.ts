/**
 * A client as Azure's generators create them around `@azure/core-lro`: they send, follow, parse and fail in this manner, and
 * start a poller. It needs only the URL that it submits to.
 *
 * It also runs in a separate process (`restored-poller.ts`), which only strips types. The syntax here must not need more
 * than that.
 */
import { createHttpPoller, type OperationState, type RunningOperation } from '@azure/core-lro';
import {
	createHttpPoller as createHttpPoller2,
	LroEngine,
	type OperationState as OperationState2,
	type PollOperationState,
} from 'core-lro-2';

/** Much shorter than any `Retry-After`: a poller that ignores the header would poll a hundred times a second. */
const INTERVAL_MS = 10;
/** Enough for every test; more polls mean an endless loop. */
const MAX_POLLS = 30;

/** One response, in the form that the pollers need, with the times of its request and arrival. */
export interface Answer {
	readonly request: { readonly method: string; readonly url: string };
	readonly statusCode: number;
	/** Names are in lower case. */
	readonly headers: Record<string, string>;
	/** A parsed value for JSON, otherwise text. */
	readonly body: unknown;
	readonly askedAt: number;
	readonly answeredAt: number;
}

export interface AzureClientOptions {
	/**
	 * Whether responses outside the service's description are thrown as `RestError`. The generators for 2.x and
	 * for "modular" clients do that; the one for "REST level" clients leaves them to the poller. Default: false.
	 */
	readonly throwsRestErrors?: boolean;
	/** Whether it supports only `Location`, like ARM's older clients. Default: false, and `Operation-Location` has precedence. */
	readonly knowsOnlyLocation?: boolean;
}

export class AzureClient {
	/** All responses except that to the submission, in order. */
	readonly polls: Answer[] = [];
	readonly #options: AzureClientOptions;

	constructor(options: AzureClientOptions = {}) {
		this.#options = options;
	}

	/** The first request of an operation. */
	async submit(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
		const all = { 'content-type': 'application/json', ...headers };
		const answer = await this.#send(url, { method: 'POST', headers: all, body });
		if (!this.#options.knowsOnlyLocation) return answer;
		const { 'operation-location': _, ...known } = answer.headers;
		return { ...answer, headers: known };
	}

	/** The input of a poller: the first response and a function that polls. Without a first response it can only be restored. */
	operation(submitted?: Answer): RunningOperation {
		return {
			sendInitialRequest: async () => {
				if (submitted === undefined) throw new Error('A restored poller wants to submit again');
				return operationResponse(submitted);
			},
			sendPollRequest: async (path) => {
				if (this.polls.length >= MAX_POLLS) throw new Error('The poller does not come to an end');
				const answer = await this.#send(path, { method: 'GET' });
				this.polls.push(answer);
				return operationResponse(answer);
			},
		};
	}

	async #send(url: string, init: RequestInit & { readonly method: string }): Promise<Answer> {
		const askedAt = performance.now();
		// `redirectPolicy` of core-rest-pipeline follows a 303 only after a POST. After a GET it passes the 303 to the poller.
		const response = await fetch(url, { ...init, redirect: init.method === 'POST' ? 'follow' : 'manual' });
		const text = await response.text();
		const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
		const answer: Answer = {
			request: { method: init.method, url },
			statusCode: response.status,
			headers: Object.fromEntries(response.headers),
			body: isJson ? JSON.parse(text) : text,
			askedAt,
			answeredAt: performance.now(),
		};
		if (this.#options.throwsRestErrors && !EXPECTED.has(answer.statusCode)) throw new RestError(answer);
		return answer;
	}
}

const EXPECTED = new Set([200, 201, 202]);

function operationResponse(answer: Answer) {
	return { flatResponse: answer.body, rawResponse: answer };
}

/** The pollers recognize it by its name. */
class RestError extends Error {
	override readonly name = 'RestError';
	readonly code: string | undefined;
	readonly statusCode: number;

	constructor({ body, statusCode }: Answer) {
		const { error } = body as { error?: { code?: string; message?: string } };
		super(error?.message ?? `Unexpected status code: ${statusCode}`);
		this.code = error?.code;
		this.statusCode = statusCode;
	}
}

/** The common interface of all pollers. */
export interface Poller {
	/** Polls once. */
	poll(): Promise<unknown>;
	/** @throws if the operation failed or was canceled. */
	pollUntilDone(): Promise<unknown>;
	/** The state from which another process can resume. */
	serialize(): Promise<string>;
	/** `running`, `succeeded`, `failed` or `canceled`. */
	status(): string;
}

/** @param restoreFrom the serialized state of another poller; then no request is submitted. */
export type StartPoller = (operation: RunningOperation, restoreFrom?: string) => Promise<Poller>;

/** Every poller, by its package. */
export type PollerName = 'core-lro 3' | 'core-lro 2' | 'LroEngine of core-lro 2';

export const POLLERS: Readonly<Record<PollerName, StartPoller>> = {
	'core-lro 3': async (operation, restoreFrom) => {
		const poller = createHttpPoller<unknown, OperationState<unknown>>(operation, {
			intervalInMs: INTERVAL_MS,
			...(restoreFrom !== undefined && { restoreFrom }),
		});
		await poller.submitted();
		return {
			poll: () => poller.poll(),
			pollUntilDone: () => poller.pollUntilDone(),
			serialize: () => poller.serialize(),
			status: () => poller.operationState?.status ?? 'running',
		};
	},
	'core-lro 2': async (operation, restoreFrom) => {
		const poller = await createHttpPoller2<unknown, OperationState2<unknown>>(operation, {
			intervalInMs: INTERVAL_MS,
			...(restoreFrom !== undefined && { restoreFrom }),
		});
		return {
			poll: () => poller.poll(),
			pollUntilDone: () => poller.pollUntilDone(),
			serialize: async () => poller.toString(),
			status: () => poller.getOperationState().status,
		};
	},
	'LroEngine of core-lro 2': async (operation, restoreFrom) => {
		const poller = new LroEngine<unknown, PollOperationState<unknown>>(operation, {
			intervalInMs: INTERVAL_MS,
			...(restoreFrom !== undefined && { resumeFrom: restoreFrom }),
		});
		return {
			poll: () => poller.poll(),
			pollUntilDone: () => poller.pollUntilDone(),
			serialize: async () => poller.toString(),
			status: () => {
				const { isCancelled, isCompleted, error } = poller.getOperationState();
				if (isCancelled) return 'canceled';
				if (error) return 'failed';
				return isCompleted ? 'succeeded' : 'running';
			},
		};
	},
};

export const POLLER_NAMES = Object.keys(POLLERS) as PollerName[];
