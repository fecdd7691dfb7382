/** A handle on an asynchronous operation of another service: anything that answers "not yet", and where to ask. */
import type { FinalStateVia, Operation } from '../lro/step.ts';
import { OperationCanceledError, OperationFailedError } from './errors.ts';
import { EventStream } from './event-stream.ts';
import { type Fetch, Http } from './http.ts';
import type { CallOptions } from './job.ts';
import { ANSWER_TIMEOUT_MS, MAX_OPERATION_TRIES, WAIT_MS } from './limits.ts';
import { OperationExchange, type Turn } from './operation-exchange.ts';
import { type OperationInit, operationUrl } from './operation-request.ts';
import type { OperationState } from './operation-state.ts';
import { unlessAborted, wait } from './wait.ts';
import { nextWaitMs, type WaitBounds } from './waiting.ts';

export interface OperationOptions {
	/** Sent as `Authorization: Bearer` to the origin of the URL, and to nobody else, whoever wrote the link. Default: none. */
	readonly apiKey?: string | undefined;
	/** Default: the platform's. */
	readonly fetch?: Fetch | undefined;
	/** How long an answer may take to begin, or fall silent, in milliseconds. Default: 30,000. */
	readonly timeoutMs?: number;
	/**
	 * The wait before each question, in milliseconds: `first`, then twice as long each time nothing has changed, at most `max`;
	 * a `Retry-After` that asks for more is heeded. Default: `{ first: 500, max: 30_000 }`.
	 */
	readonly waitMs?: WaitBounds;
	/** How often in a row a question may fail before it is given up. Default: 8, about a minute of outage. */
	readonly maxFailures?: number;
	/**
	 * Where the result is, when the service's OpenAPI description says so in `x-ms-long-running-operation-options`.
	 * Default: after PUT and PATCH the URL itself, after DELETE the operation's last answer, else the first answer's `Location`.
	 */
	readonly finalStateVia?: FinalStateVia;
}

/** What the waits are made from. */
type Pace = Required<Pick<OperationOptions, 'waitMs' | 'maxFailures'>>;

/**
 * Made by {@link followOperation}. It holds nothing open by itself: timers live as long as the call that needs them.
 *
 * Besides what is said at each method, all of them throw {@link ProblemError} when the service refuses, the first request or a
 * later question, {@link TransportError} when there is no answer after several tries, and {@link ProtocolError} when an answer
 * doesn't say how the operation goes on.
 */
export class FollowedOperation<Result = unknown> {
	readonly #exchange: OperationExchange;
	readonly #pace: Pace;
	readonly #first: Promise<Turn>;
	/** The newest that is known, for whoever asks next. */
	#last: Turn | undefined;

	/** @internal */
	constructor(exchange: OperationExchange, first: Promise<Turn>, pace: Pace) {
		this.#exchange = exchange;
		this.#first = first;
		this.#pace = pace;
		// Whoever uses the handle is told; a handle that nobody uses must not end the process.
		first.catch(() => {});
	}

	/**
	 * How the operation is, each time it was asked for, from what is known now to its end: the last state is not `running`.
	 * A failed operation ends the states; it is `result()` that throws.
	 *
	 * @example
	 * for await (const { word, percentComplete } of operation.states()) console.log(word, percentComplete);
	 */
	states({ signal }: CallOptions = {}): EventStream<OperationState> {
		return new EventStream((stop) => this.#states(stop), signal);
	}

	/**
	 * Waits for the operation to end. JSON is given as a value, a result without a body as `undefined`, and any other as the
	 * `Response` with its bytes, which can be read once. A request that was answered at once has its result at once.
	 *
	 * @throws {OperationFailedError} {@link OperationCanceledError}
	 */
	async result({ signal = new AbortController().signal }: CallOptions = {}): Promise<Result> {
		let last = await this.#known(signal);
		for await (const turn of this.#turns(signal)) last = turn;
		const { step, state, value } = last;
		if (step.is === 'failed') throw new OperationFailedError(step.error, state);
		if (step.is === 'canceled') throw new OperationCanceledError(step.error, state);
		// The one place where what came is taken for what the caller says it is.
		return (step.is === 'fetch' ? await this.#fetched(step.operation, signal) : value) as Result;
	}

	async *#states(signal: AbortSignal): AsyncGenerator<OperationState, void> {
		for await (const { state } of this.#turns(signal)) yield state;
	}

	async *#turns(signal: AbortSignal): AsyncGenerator<Turn, void> {
		let turn = await this.#known(signal);
		yield turn;
		for (let quiet = 0; turn.step.is === 'ask'; ) {
			const { operation, retryAfterMs } = turn.step;
			await this.#wait(quiet, retryAfterMs, signal);
			const next = await this.#exchange.next(operation, signal);
			quiet = isNews(turn, next) ? 0 : quiet + 1;
			turn = next;
			this.#remember(turn);
			yield turn;
		}
	}

	/** A result may still be on its way where it is said to be. */
	async #fetched(operation: Operation, signal: AbortSignal): Promise<unknown> {
		let { step, value } = await this.#exchange.next(operation, signal);
		for (let quiet = 0; step.is === 'ask'; quiet++) {
			await this.#wait(quiet, step.retryAfterMs, signal);
			({ step, value } = await this.#exchange.next(step.operation, signal));
		}
		return value;
	}

	async #known(signal: AbortSignal): Promise<Turn> {
		return this.#last ?? unlessAborted(this.#first, signal);
	}

	/** Two may be following at once: what is over stays so. */
	#remember(turn: Turn): void {
		if (this.#last === undefined || this.#last.step.is === 'ask') this.#last = turn;
	}

	#wait(quiet: number, retryAfterMs: number | undefined, signal: AbortSignal): Promise<void> {
		return wait(nextWaitMs({ quiet, retryAfterMs, random: Math.random(), waitMs: this.#pace.waitMs }), signal);
	}
}

function isNews({ state: before }: Turn, { state: now }: Turn): boolean {
	return before.word !== now.word || before.percentComplete !== now.percentComplete;
}

/**
 * Starts an operation of any service that answers 202 with `Operation-Location`, `Azure-AsyncOperation` or `Location`, or a
 * resource that says that it is being made, and follows it to its end. It needs no Coatcheck on the other side. The request is
 * on its way when this returns.
 *
 * After a network failure the request is sent again only when its method is idempotent (RFC 9110 §9.2.2) or it has an
 * `Idempotency-Key`; a refusal, 429 or 503, is repeated for every method. Questions about the operation are always repeated.
 *
 * In a browser the service has to show us its headers (`Access-Control-Expose-Headers`).
 *
 * @typeParam Result what you know of the result. It is not checked.
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
	// The key goes along as a header of the operation's own: it knows which questions may have it.
	const http = new Http({ fetch, apiKey: undefined, origin: new URL(href).origin, timeoutMs });
	const { apiKey, finalStateVia } = options;
	const exchange = new OperationExchange(http, href, init, { apiKey, finalStateVia, maxFailures, waitMs });
	const first = exchange.first(init.signal ?? new AbortController().signal);
	return new FollowedOperation(exchange, first, { waitMs, maxFailures });
}
