/** Asking over HTTP: with the API key where it belongs, an end to every wait, and passing failures repeated. */
import { discard, isJson, mediaTypeOf, type ReadOptions, textOf } from './body.ts';
import { parsed } from './document.ts';
import { AnswerTimeoutError, ForeignAnswerError, TransportError } from './errors.ts';
import { withoutQuery } from './job-urls.ts';
import { problemOf } from './problem.ts';
import { unlessAborted, wait } from './wait.ts';
import { isRefusal, type RepeatLimits, waitToRepeatMs } from './waiting.ts';

/** As much of `fetch` as is used here: the platform's own, a service binding's, or a test's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Question {
	readonly url: string;
	/** Default: `GET`. */
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: NonNullable<RequestInit['body']>;
	/** Until the answer begins, in milliseconds. Default: the client's. */
	readonly timeoutMs?: number;
	/** Whether it can be asked again after a failure; `when refused`: only when nothing was done, 429 and 503. Default: true. */
	readonly isRepeatable?: boolean | 'when refused';
	readonly repeat?: RepeatLimits;
	/** Default: `manual` with the API key, else the platform's: `follow`. */
	readonly redirect?: 'follow' | 'manual';
	readonly signal: AbortSignal;
}

export interface HttpOptions {
	readonly fetch: Fetch;
	readonly apiKey: string | undefined;
	/** Whom the API key is for; nobody else ever sees it. */
	readonly origin: string;
	readonly timeoutMs: number;
}

export class Http {
	readonly #options: HttpOptions;

	constructor(options: HttpOptions) {
		this.#options = options;
	}

	/**
	 * Asks, again if need be, and reads the answer.
	 *
	 * @param read makes something of an answer below 400. When it fails for a passing reason, the whole is done again.
	 * @throws {ProblemError} {@link TransportError} when asking again doesn't help, or was tried often enough.
	 */
	async ask<Value>(question: Question, read: (response: Response) => Promise<Value>): Promise<Value> {
		for (let tries = 1; ; tries++) {
			try {
				return await read(await this.once(question));
			} catch (error) {
				const waitMs = mayRepeat(question, error)
					? waitToRepeatMs(error, tries, Math.random(), question.repeat)
					: undefined;
				if (waitMs === undefined) throw error;
				await wait(waitMs, question.signal);
			}
		}
	}

	/** {@link ask}, for an answer in JSON. @throws {ForeignAnswerError} for any other, after several tries. */
	async askJson(question: Question): Promise<unknown> {
		return this.ask(question, (response) => this.json(response, question.signal));
	}

	/** Asks once. @throws {ProblemError} for 400 and above; {@link TransportError} when there is no answer. */
	async once(question: Question): Promise<Response> {
		const response = await this.#send(question);
		if (response.status >= 400) throw await problemOf(actionOf(question), response, this.reading(question.signal));
		return response;
	}

	/** An answer's JSON. @throws {ForeignAnswerError} when it is something else. */
	async json(response: Response, signal: AbortSignal): Promise<unknown> {
		const mediaType = mediaTypeOf(response);
		if (isJson(mediaType)) return parsed(await textOf(response, this.reading(signal)));
		discard(response);
		throw new ForeignAnswerError(`Expected JSON, got: ${response.status} ${mediaType || 'without a media type'}`);
	}

	/** How answers are read: as patiently as they are waited for. */
	reading(signal: AbortSignal): ReadOptions {
		return { silenceMs: this.#options.timeoutMs, signal };
	}

	async #send(question: Question): Promise<Response> {
		const { url, method = 'GET', headers, body, signal, timeoutMs = this.#options.timeoutMs } = question;
		signal.throwIfAborted();
		const timeout = new AbortController();
		const timer = setTimeout(() => timeout.abort(), timeoutMs);
		const authorization = this.#authorizationFor(url);
		const either = AbortSignal.any([signal, timeout.signal]);
		const init: RequestInit & { duplex?: 'half' } = {
			method,
			headers: { ...headers, ...authorization },
			signal: either,
			// A key must not follow a redirect to who knows where.
			...(authorization && { redirect: 'manual' }),
			...(question.redirect && { redirect: question.redirect }),
			...(body !== undefined && { body }),
			...(body instanceof ReadableStream && { duplex: 'half' }),
		};
		try {
			// Not every `fetch` heeds its signal.
			return await unlessAborted(this.#options.fetch(url, init), either);
		} catch (cause) {
			signal.throwIfAborted();
			const action = actionOf(question);
			if (timeout.signal.aborted)
				throw new AnswerTimeoutError(`${action}: no answer within ${timeoutMs} ms`, { cause });
			throw new TransportError(`${action}: no answer`, { cause });
		} finally {
			clearTimeout(timer);
		}
	}

	/** A link's token goes before the key: it is for this job only. */
	#authorizationFor(url: string): { authorization: string } | undefined {
		const { apiKey } = this.#options;
		const { origin, searchParams } = new URL(url);
		if (apiKey === undefined || origin !== this.#options.origin || searchParams.has('token')) return undefined;
		return { authorization: `Bearer ${apiKey}` };
	}
}

function mayRepeat({ isRepeatable = true }: Question, error: unknown): boolean {
	return isRepeatable === 'when refused' ? isRefusal(error) : isRepeatable;
}

function actionOf({ method = 'GET', url }: Question): string {
	return `${method} ${withoutQuery(url)}`;
}
