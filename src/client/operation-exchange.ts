/** Questions and answers about one operation of another service: what the answers mean is `lro`'s to say. */
import { firstStep } from '../lro/first.ts';
import { nextStep } from '../lro/next.ts';
import type { FinalStateVia, Operation, Step } from '../lro/step.ts';
import { discard } from './body.ts';
import { ProtocolError } from './errors.ts';
import type { Http, Question } from './http.ts';
import { withoutQuery } from './job-urls.ts';
import { MAX_REDIRECTS, UPLOAD_TIMEOUT_MS } from './limits.ts';
import { type OperationAnswer, operationAnswer } from './operation-answer.ts';
import { isRepeatable, type OperationInit, OperationRequestHeaders } from './operation-request.ts';
import { type OperationState, stateAfter, type TellingStep } from './operation-state.ts';
import type { WaitBounds } from './waiting.ts';

/** One answer, and what it says. */
export interface Turn {
	readonly step: TellingStep;
	readonly state: OperationState;
	/** As in {@link OperationAnswer}. */
	readonly value: unknown;
}

export interface ExchangeOptions {
	readonly apiKey: string | undefined;
	readonly finalStateVia: FinalStateVia | undefined;
	readonly maxFailures: number;
	readonly waitMs: WaitBounds;
}

/** An answer and its step, which may be one that only leads elsewhere. */
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

	constructor(http: Http, url: string, init: OperationInit, options: ExchangeOptions) {
		this.#http = http;
		this.#url = url;
		this.#init = init;
		this.#headers = new OperationRequestHeaders(url, init, options.apiKey);
		this.#options = options;
	}

	/** Starts the operation. @throws {ProblemError} {@link TransportError} {@link ProtocolError} */
	first(signal: AbortSignal): Promise<Turn> {
		return this.#elsewhere(this.#url, async (url) => {
			const read = await this.#request(url, signal);
			const { finalStateVia } = this.#options;
			return { read, step: firstStep({ method: this.#method, url, finalStateVia }, read.answer, Date.now()) };
		});
	}

	/** Asks how it is, or for its result. @throws {ProblemError} {@link TransportError} {@link ProtocolError} */
	next(operation: Operation, signal: AbortSignal): Promise<Turn> {
		return this.#elsewhere(operation.askAt, async (askAt) => {
			const read = await this.#question(askAt, signal);
			return { read, step: nextStep({ ...operation, askAt }, read.answer, Date.now()) };
		});
	}

	get #method(): string {
		return this.#init.method ?? 'GET';
	}

	/** Goes where an answer leads, until one says something. */
	async #elsewhere(start: string, at: (url: string) => Promise<Read>): Promise<Turn> {
		let url = start;
		for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
			const { read, step } = await at(url);
			if (step.is !== 'result' && read.value instanceof Response) discard(read.value);
			if (step.is !== 'moved') return turn(url, step, read);
			url = step.url;
		}
		throw new ProtocolError(`Expected an answer from ${withoutQuery(start)}, got more than ${MAX_REDIRECTS} redirects`);
	}

	async #request(url: string, signal: AbortSignal): Promise<OperationAnswer> {
		const { body } = this.#init;
		if (url !== this.#url && body instanceof ReadableStream) {
			throw new ProtocolError(`Expected no redirect of ${withoutQuery(this.#url)}, for a stream can be sent only once`);
		}
		const read = await this.#ask({
			url,
			method: this.#method,
			headers: this.#headers.ofRequest(url),
			...(body != null && { body }),
			...(body != null && typeof body !== 'string' && { timeoutMs: UPLOAD_TIMEOUT_MS }),
			// Where nothing is secret the platform may follow: a browser would not show us where to.
			redirect: this.#headers.areClosed ? 'manual' : 'follow',
			isRepeatable: isRepeatable(this.#init),
			repeat: { maxTries: this.#options.maxFailures, waitMs: this.#options.waitMs },
			signal,
		});
		if (!isHidden(read)) return read;
		throw new ProtocolError(
			`Expected an answer from ${withoutQuery(url)}, got a redirect that may not be followed with headers of one's own`,
		);
	}

	async #question(url: string, signal: AbortSignal): Promise<OperationAnswer> {
		// A service that asks for a long pause is not lost: it has our operation.
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

/** Browsers show that there is a redirect, but not where to: status 0. It may be followed, without what only the origin may see. */
function isHidden({ answer }: OperationAnswer): boolean {
	return answer.status === 0;
}

function turn(url: string, step: Exclude<Step, { is: 'moved' }>, { answer, value }: OperationAnswer): Turn {
	if (step.is === 'nonsense') throw new ProtocolError(`${withoutQuery(url)}: ${step.reason}`);
	// Refusals were thrown where they were received.
	if (step.is === 'refused') throw new ProtocolError(`${withoutQuery(url)}: Expected an answer, got: ${answer.status}`);
	return { step, state: stateAfter(step, answer), value };
}
