/** A handle on an asynchronous operation of another service, which answers "not yet" with a URL for the status. */
import type { FinalStateVia, Operation } from '../../core/operation/step.ts';
import { OperationCanceledError, OperationFailedError } from '../errors.ts';
import { EventStream } from '../events/event-stream.ts';
import { type Fetch, Http } from '../http.ts';
import type { CallOptions } from '../job.ts';
import { ANSWER_TIMEOUT_MS, MAX_OPERATION_TRIES, WAIT_MS } from '../limits.ts';
import { unlessAborted, wait } from '../wait.ts';
import { nextWaitMs, type WaitBounds } from '../waiting.ts';
import { OperationExchange, type OperationUpdate } from './exchange.ts';
import { type OperationInit, operationUrl } from './request.ts';
import type { OperationState } from './state.ts';

export interface OperationOptions {
	/** Sent as `Authorization: Bearer` only to the origin of the URL, even if the service links elsewhere. Default: none. */
	readonly apiKey?: string | undefined;
	/** Default: the platform's `fetch`. */
	readonly fetch?: Fetch | undefined;
	/** Maximum time until a response begins, and maximum silence within it, in milliseconds. `Infinity`: no limit. Default: 30,000. */
	readonly timeoutMs?: number;
	/**
	 * The wait before each status request, in milliseconds: `first`, then doubled each time nothing has changed, at most `max`.
	 * A longer `Retry-After` takes precedence. Default: `{ first: 500, max: 30_000 }`.
	 */
	readonly waitMs?: WaitBounds;
	/** Maximum number of consecutive failures of a request. Default: 8, about a minute of outage. */
	readonly maxFailures?: number;
	/**
	 * The result's location, if the service's OpenAPI description has it in `x-ms-long-running-operation-options`.
	 * Default: after PUT and PATCH the URL itself, after DELETE the operation's last response, otherwise the first response's
	 * `Location`.
	 */
	readonly finalStateVia?: FinalStateVia;
}

/** The options that determine the waits. */
type Pace = Required<Pick<OperationOptions, 'waitMs' | 'maxFailures'>>;

/**
 * Made by {@link followOperation}. It holds nothing open by itself: timers live as long as the call that needs them.
 *
 * All methods throw {@link ProblemError} when the service refuses the first or a later request, {@link TransportError} when no
 * response arrives after several tries, and {@link ProtocolError} when a response doesn't say how the operation continues. Each
 * method lists its other errors.
 */
export class FollowedOperation<Result = unknown> {
	readonly #exchange: OperationExchange;
	readonly #pace: Pace;
	readonly #first: Promise<OperationUpdate>;
	/** The latest known response, for the next call. */
	#last: OperationUpdate | undefined;

	/** @internal */
	constructor(exchange: OperationExchange, first: Promise<OperationUpdate>, pace: Pace) {
		this.#exchange = exchange;
		this.#first = first;
		this.#pace = pace;
		// Each method reports the rejection. An unused handle must not end the process with an unhandled one.
		first.catch(() => {});
	}

	/**
	 * Streams the operation's state after each status request, from the latest known one to the end: the last state is not
	 * `running`. A failed operation ends the stream normally; only `result()` throws.
	 *
	 * @example
	 * for await (const { word, percentComplete } of operation.states()) console.log(word, percentComplete);
	 */
	states({ signal }: CallOptions = {}): EventStream<OperationState> {
		return new EventStream((stop) => this.#states(stop), signal);
	}

	/**
	 * Waits for the operation to finish and returns its result. JSON is returned as a value, a result without a body as
	 * `undefined`, and any other as the `Response` with its bytes, which can be read once. A request that the service answered
	 * immediately has its result immediately.
	 *
	 * @throws {OperationFailedError} {@link OperationCanceledError}
	 */
	async result({ signal = new AbortController().signal }: CallOptions = {}): Promise<Result> {
		let last = await this.#known(signal);
		for await (const turn of this.#turns(signal)) last = turn;
		const { step, state, value } = last;
		if (step.type === 'failed') throw new OperationFailedError(step.error, state);
		if (step.type === 'canceled') throw new OperationCanceledError(step.error, state);
		// The only unchecked cast to the type that the caller declares.
		return (step.type === 'fetch' ? await this.#fetched(step.operation, signal) : value) as Result;
	}

	async *#states(signal: AbortSignal): AsyncGenerator<OperationState, void> {
		for await (const { state } of this.#turns(signal)) yield state;
	}

	async *#turns(signal: AbortSignal): AsyncGenerator<OperationUpdate, void> {
		let turn = await this.#known(signal);
		yield turn;
		for (let quiet = 0; turn.step.type === 'ask'; ) {
			const { operation, retryAfterMs } = turn.step;
			await this.#wait(quiet, retryAfterMs, signal);
			const next = await this.#exchange.next(operation, signal);
			quiet = isNews(turn, next) ? 0 : quiet + 1;
			turn = next;
			this.#remember(turn);
			yield turn;
		}
	}

	/** The result's URL may still answer that the operation is running. */
	async #fetched(operation: Operation, signal: AbortSignal): Promise<unknown> {
		let { step, value } = await this.#exchange.next(operation, signal);
		for (let quiet = 0; step.type === 'ask'; quiet++) {
			await this.#wait(quiet, step.retryAfterMs, signal);
			({ step, value } = await this.#exchange.next(step.operation, signal));
		}
		return value;
	}

	async #known(signal: AbortSignal): Promise<OperationUpdate> {
		return this.#last ?? unlessAborted(this.#first, signal);
	}

	/** Two calls may follow the operation at once: a final state is never overwritten. */
	#remember(turn: OperationUpdate): void {
		if (this.#last === undefined || this.#last.step.type === 'ask') this.#last = turn;
	}

	#wait(quiet: number, retryAfterMs: number | undefined, signal: AbortSignal): Promise<void> {
		return wait(nextWaitMs({ quiet, retryAfterMs, random: Math.random(), waitMs: this.#pace.waitMs }), signal);
	}
}

function isNews({ state: before }: OperationUpdate, { state: now }: OperationUpdate): boolean {
	return before.word !== now.word || before.percentComplete !== now.percentComplete;
}

/**
 * Starts an operation of any service and follows it to its end. The service needs no Coatcheck. It answers 202 with
 * `Operation-Location`, `Azure-AsyncOperation` or `Location`, or with a resource whose status is not final. The request is on
 * its way when this function returns.
 *
 * After a network failure the request is sent again only when its method is idempotent (RFC 9110 §9.2.2) or it has an
 * `Idempotency-Key`. A refusal with 429 or 503 is retried for every method. Status requests are always retried.
 *
 * In a browser the service must expose its headers (`Access-Control-Expose-Headers`).
 *
 * @typeParam Result the type you expect of the result. It is not checked.
 * @throws {TypeError} for options that can't work.
 * @example
 * const operation = followOperation('https://host/reports', { method: 'POST', headers, body });
 * for await (const { percentComplete } of operation.states()) console.log(percentComplete);
 * const report = await operation.result({ signal: AbortSignal.timeout(600_000) });
 */
export function followOperation<Result = unknown>(
	url: string | URL,
	init: OperationInit = {},
	options: OperationOptions = {},
): FollowedOperation<Result> {
	const { waitMs = WAIT_MS, maxFailures = MAX_OPERATION_TRIES, timeoutMs = ANSWER_TIMEOUT_MS } = options;
	if (!(waitMs.first > 0 && waitMs.max >= waitMs.first)) {
		throw new TypeError(`Expected waitMs with 0 < first <= max, got: ${waitMs.first} and ${waitMs.max}`);
	}
	if (!(maxFailures >= 1)) throw new TypeError(`Expected maxFailures of at least 1, got: ${maxFailures}`);
	const href = operationUrl(url);
	const fetch: Fetch = options.fetch ?? ((at, request) => globalThis.fetch(at, request));
	// `OperationRequestHeaders` adds the key instead, because it knows which requests may carry it.
	const http = new Http({ fetch, apiKey: undefined, origin: new URL(href).origin, timeoutMs });
	const { apiKey, finalStateVia } = options;
	const exchange = new OperationExchange(http, { ...init, url: href }, { apiKey, finalStateVia, maxFailures, waitMs });
	const first = exchange.first(init.signal ?? new AbortController().signal);
	return new FollowedOperation(exchange, first, { waitMs, maxFailures });
}
