/** Sends the requests about one operation of another service. `core/operation` interprets the responses. */
import { defined } from '../../core/defined.ts';
import { firstStep } from '../../core/operation/first.ts';
import { nextStep } from '../../core/operation/next.ts';
import type { FinalStateVia, Operation, Step } from '../../core/operation/step.ts';
import { discardBody } from '../body.ts';
import { ProtocolError } from '../errors.ts';
import type { Http, Question } from '../http.ts';
import { withoutQuery } from '../job-urls.ts';
import { MAX_REDIRECTS, UPLOAD_TIMEOUT_MS } from '../limits.ts';
import type { WaitBounds } from '../waiting.ts';
import { type OperationAnswer, operationAnswer } from './answer.ts';
import { isRepeatableRequest, type OperationInit, OperationRequestHeaders } from './request.ts';
import { type OperationState, stateAfter, type TellingStep } from './state.ts';

/** One response and its meaning. */
export interface OperationUpdate {
	readonly step: TellingStep;
	readonly state: OperationState;
	/** The same as in {@link OperationAnswer}. */
	readonly value: unknown;
}

export interface ExchangeOptions {
	readonly apiKey: string | undefined;
	readonly finalStateVia: FinalStateVia | undefined;
	readonly maxFailures: number;
	readonly waitMs: WaitBounds;
}

/** The request that starts the operation. */
export interface StartingRequest extends OperationInit {
	readonly url: string;
}

/** A response and its step. The step may be only a redirect. */
interface Read {
	readonly read: OperationAnswer;
	readonly step: Step;
}

export class OperationExchange {
	readonly #http: Http;
	readonly #url: string;
	readonly #init: OperationInit;
	readonly #headers: OperationRequestHeaders;
	readonly #options: ExchangeOptions;

	constructor(http: Http, { url, ...init }: StartingRequest, options: ExchangeOptions) {
		this.#http = http;
		this.#url = url;
		this.#init = init;
		this.#headers = new OperationRequestHeaders(url, init, options.apiKey);
		this.#options = options;
	}

	/** Starts the operation. @throws {ProblemError} {@link TransportError} {@link ProtocolError} */
	first(signal: AbortSignal): Promise<OperationUpdate> {
		return this.#elsewhere(this.#url, async (url) => {
			const read = await this.#request(url, signal);
			const { finalStateVia } = this.#options;
			return { read, step: firstStep({ method: this.#method, url, finalStateVia }, read.answer, Date.now()) };
		});
	}

	/** Requests the operation's status, or its result. @throws {ProblemError} {@link TransportError} {@link ProtocolError} */
	next(operation: Operation, signal: AbortSignal): Promise<OperationUpdate> {
		return this.#elsewhere(operation.askAt, async (askAt) => {
			const read = await this.#question(askAt, signal);
			return { read, step: nextStep({ ...operation, askAt }, read.answer, Date.now()) };
		});
	}

	get #method(): string {
		return this.#init.method ?? 'GET';
	}

	/** Follows redirects until a response says something. */
	async #elsewhere(start: string, at: (url: string) => Promise<Read>): Promise<OperationUpdate> {
		let url = start;
		for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
			const { read, step } = await at(url);
			if (step.type !== 'result' && read.value instanceof Response) discardBody(read.value);
			if (step.type !== 'moved') return turn(url, step, read);
			url = step.url;
		}
		throw new ProtocolError(
			`Expected a response from ${withoutQuery(start)}, got more than ${MAX_REDIRECTS} redirects`,
		);
	}

	async #request(url: string, signal: AbortSignal): Promise<OperationAnswer> {
		const { body } = this.#init;
		if (url !== this.#url && body instanceof ReadableStream) {
			throw new ProtocolError(
				`Expected no redirect of ${withoutQuery(this.#url)}, because a stream can be sent only once`,
			);
		}
		const read = await this.#ask(
			defined({
				url,
				method: this.#method,
				headers: this.#headers.ofRequest(url),
				body: body ?? undefined,
				timeoutMs: body == null || typeof body === 'string' ? undefined : UPLOAD_TIMEOUT_MS,
				// Without secret headers the platform may follow redirects: a browser hides their targets from us.
				redirect: this.#headers.areClosed ? ('manual' as const) : ('follow' as const),
				isRepeatable: isRepeatableRequest(this.#init),
				repeat: { maxTries: this.#options.maxFailures, waitMs: this.#options.waitMs },
				signal,
			}),
		);
		if (!isHidden(read)) return read;
		throw new ProtocolError(
			`Expected a response from ${withoutQuery(url)}, got a redirect that must not be followed with custom headers`,
		);
	}

	async #question(url: string, signal: AbortSignal): Promise<OperationAnswer> {
		// A service may ask for a long pause: there is no limit, because it has our operation.
		const { maxFailures: maxTries, waitMs } = this.#options;
		const repeat = { maxTries, waitMs, maxRetryAfterMs: Number.POSITIVE_INFINITY };
		const read = await this.#ask({
			url,
			headers: this.#headers.ofQuestion(url),
			redirect: 'manual',
			repeat,
			signal,
		});
		return isHidden(read) ? this.#ask({ url, redirect: 'follow', repeat, signal }) : read;
	}

	#ask(question: Question): Promise<OperationAnswer> {
		const { url, signal } = question;
		return this.#http.ask(question, (response) => operationAnswer(response, url, this.#http.reading(signal)));
	}
}

/**
 * Browsers hide the target of a redirect: the status is 0. Such a redirect may be followed, but without the headers that are
 * for the origin only.
 */
function isHidden({ answer }: OperationAnswer): boolean {
	return answer.status === 0;
}

function turn(
	url: string,
	step: Exclude<Step, { type: 'moved' }>,
	{ answer, value }: OperationAnswer,
): OperationUpdate {
	if (step.type === 'nonsense') throw new ProtocolError(`${withoutQuery(url)}: ${step.reason}`);
	// `once` has already thrown refusals.
	if (step.type === 'refused')
		throw new ProtocolError(`${withoutQuery(url)}: Expected a successful response, got: ${answer.status}`);
	return { step, state: stateAfter(step, answer), value };
}
