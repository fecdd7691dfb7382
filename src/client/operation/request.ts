/** The request that starts an operation, and the headers that later requests repeat. Pure. */
import { IDEMPOTENT_METHODS } from '../../core/http/methods.ts';
import { httpUrl } from '../job-urls.ts';

/** The request that starts an operation, in the form of `fetch` options. */
export interface OperationInit {
	/** Default: `GET`. */
	readonly method?: string;
	/**
	 * Headers that don't describe the body are repeated in every later request to the same origin, including `Authorization`.
	 * Other origins get only `Accept` and `Accept-Language`. With an `Idempotency-Key` a request can be sent again after any
	 * transient failure.
	 */
	readonly headers?: RequestInit['headers'];
	/** A stream can be sent only once: a request with one is never sent again. */
	readonly body?: RequestInit['body'];
	/** Aborts the request. Once it is answered, only the signal of a method ends that method. Default: never. */
	readonly signal?: AbortSignal | undefined;
}

/** Headers about the body, or about the first request only. */
const OF_ONE_REQUEST = /^(content-.*|if-.*|range|expect|prefer|idempotency-key)$/;
/** Headers that reveal nothing about the client. */
const OPEN = /^(accept|accept-language|content-.*)$/;

export class OperationRequestHeaders {
	readonly #all: Readonly<Record<string, string>>;
	readonly #origin: string;

	constructor(url: string, init: OperationInit, apiKey: string | undefined) {
		const all: Record<string, string> = {};
		new Headers(init.headers).forEach((value, name) => {
			all[name] = value;
		});
		if (apiKey !== undefined) all.authorization ??= `Bearer ${apiKey}`;
		this.#all = all;
		this.#origin = new URL(url).origin;
	}

	/** Headers of the starting request. After a redirect to another origin, only the open ones are sent. */
	ofRequest(url: string): Readonly<Record<string, string>> {
		return this.#where((name) => this.#isHome(url) || OPEN.test(name));
	}

	/** Headers of a later request. */
	ofQuestion(url: string): Readonly<Record<string, string>> {
		return this.#where((name) => !OF_ONE_REQUEST.test(name) && (this.#isHome(url) || OPEN.test(name)));
	}

	/** Whether there are headers that a redirect must not take to another origin. */
	get areClosed(): boolean {
		return Object.keys(this.#all).some((name) => !OPEN.test(name));
	}

	#isHome(url: string): boolean {
		return new URL(url).origin === this.#origin;
	}

	#where(isWanted: (name: string) => boolean): Readonly<Record<string, string>> {
		return Object.fromEntries(Object.entries(this.#all).filter(([name]) => isWanted(name)));
	}
}

/** Whether the request may be sent again after a failure. An idempotency key makes any method idempotent. */
export function isRepeatableRequest({ method = 'GET', headers, body }: OperationInit): boolean | 'when refused' {
	if (body instanceof ReadableStream) return false;
	const isIdempotent = IDEMPOTENT_METHODS.has(method.toUpperCase()) || new Headers(headers).has('idempotency-key');
	return isIdempotent || 'when refused';
}

/** @throws {TypeError} */
export function operationUrl(url: string | URL): string {
	return httpUrl(url).href;
}
