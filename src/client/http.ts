/** Sends HTTP requests: adds the API key for its own origin only, limits every wait, and retries transient failures. */
import { defined } from '../core/defined.ts';
import { isJson } from '../core/http/media-type.ts';
import { discardBody, type ReadOptions, readText, responseMediaType } from './body.ts';
import { parseResponseText } from './document.ts';
import { AnswerTimeoutError, ForeignAnswerError, TransportError } from './errors.ts';
import { withoutQuery } from './job-urls.ts';
import { readProblem } from './problem.ts';
import { startTimer, unlessAborted, wait } from './wait.ts';
import { isRefusal, type RepeatLimits, waitToRepeatMs } from './waiting.ts';

/** The part of `fetch` that this client uses: the platform's, a service binding's, or a test's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Question {
	readonly url: string;
	/** Default: `GET`. */
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: NonNullable<RequestInit['body']>;
	/** Maximum time until the response begins, in milliseconds. Default: the client's. */
	readonly timeoutMs?: number;
	/**
	 * Whether the request can be retried after a failure. `when refused`: only after 429 and 503, when the server did nothing.
	 * Default: true.
	 */
	readonly isRepeatable?: boolean | 'when refused';
	readonly repeat?: RepeatLimits;
	/** Default: `manual` with the API key, otherwise the platform's: `follow`. */
	readonly redirect?: 'follow' | 'manual';
	readonly signal: AbortSignal;
}

export interface HttpOptions {
	readonly fetch: Fetch;
	readonly apiKey: string | undefined;
	/** The only origin that the API key is sent to. */
	readonly origin: string;
	readonly timeoutMs: number;
}

export class Http {
	readonly #options: HttpOptions;

	constructor(options: HttpOptions) {
		this.#options = options;
	}

	/**
	 * Sends a request, retries transient failures, and reads the response.
	 *
	 * @param read makes a value of a response below 400. When it fails with a transient error, the request is sent again.
	 * @throws {ProblemError} {@link TransportError} when the failure is not transient, or all tries have failed.
	 */
	async ask<Value>(question: Question, read: (response: Response) => Promise<Value>): Promise<Value> {
		for (let tries = 1; ; tries++) {
			try {
				return await read(await this.once(question));
			} catch (error) {
				const waitMs = mayRepeat(question, error)
					? waitToRepeatMs(error, { tries, random: Math.random() }, question.repeat)
					: undefined;
				if (waitMs === undefined) throw error;
				await wait(waitMs, question.signal);
			}
		}
	}

	/** {@link ask} for a JSON response. @throws {ForeignAnswerError} for any other response, after several tries. */
	async askJson(question: Question): Promise<unknown> {
		return this.ask(question, (response) => this.json(response, question.signal));
	}

	/** Sends a request once. @throws {ProblemError} for 400 and above; {@link TransportError} when no response arrives. */
	async once(question: Question): Promise<Response> {
		const response = await this.#send(question);
		if (response.status >= 400)
			throw await readProblem(describeAction(question), response, this.reading(question.signal));
		return response;
	}

	/** Reads a response's JSON. @throws {ForeignAnswerError} when the response is not JSON. */
	async json(response: Response, signal: AbortSignal): Promise<unknown> {
		const mediaType = responseMediaType(response);
		if (isJson(mediaType)) return parseResponseText(await readText(response, this.reading(signal)));
		discardBody(response);
		throw new ForeignAnswerError(`Expected JSON, got: ${response.status} ${mediaType || 'without a media type'}`);
	}

	/** Options for reading a response, with the same timeout as for its beginning. */
	reading(signal: AbortSignal): ReadOptions {
		return { silenceMs: this.#options.timeoutMs, signal };
	}

	async #send(question: Question): Promise<Response> {
		const { url, method = 'GET', headers, body, signal, timeoutMs = this.#options.timeoutMs } = question;
		signal.throwIfAborted();
		const timeout = new AbortController();
		const authorization = this.#authorizationFor(url);
		const either = AbortSignal.any([signal, timeout.signal]);
		const init: RequestInit & { duplex?: 'half' } = defined({
			method,
			headers: { ...headers, ...authorization },
			signal: either,
			// A redirect must not take the key to another origin.
			redirect: question.redirect ?? (authorization ? 'manual' : undefined),
			body,
			duplex: body instanceof ReadableStream ? ('half' as const) : undefined,
		});
		assertSendable(init.headers);
		const stopTimer = startTimer(() => timeout.abort(), timeoutMs);
		try {
			// Not every `fetch` honors its signal.
			return await unlessAborted(this.#options.fetch(url, init), either);
		} catch (cause) {
			signal.throwIfAborted();
			const action = describeAction(question);
			if (timeout.signal.aborted)
				throw new AnswerTimeoutError(`${action}: no response within ${timeoutMs} ms`, { cause });
			throw new TransportError(`${action}: no response`, { cause });
		} finally {
			stopTimer();
		}
	}

	/** A link's token takes precedence over the key, because it is for this job only. */
	#authorizationFor(url: string): { authorization: string } | undefined {
		const { apiKey } = this.#options;
		const { origin, searchParams } = new URL(url);
		if (apiKey === undefined || origin !== this.#options.origin || searchParams.has('token')) return undefined;
		return { authorization: `Bearer ${apiKey}` };
	}
}

/** A platform's `fetch` would fail as without a network, and name no header. @throws {TypeError} */
function assertSendable(headers: RequestInit['headers'] = {}): void {
	for (const [name, value] of Object.entries(headers)) {
		try {
			new Headers([[name, value]]);
		} catch (cause) {
			throw new TypeError(`Expected text of a header in "${name}"`, { cause });
		}
	}
}

function mayRepeat({ isRepeatable = true }: Question, error: unknown): boolean {
	return isRepeatable === 'when refused' ? isRefusal(error) : isRepeatable;
}

function describeAction({ method = 'GET', url }: Question): string {
	return `${method} ${withoutQuery(url)}`;
}
