/** The request that starts an operation, and which of its headers go along with the questions that follow. Pure. */
import { httpUrl } from './job-urls.ts';

/** What starts an operation, as `fetch` takes it. */
export interface OperationInit {
	/** Default: `GET`. */
	readonly method?: string;
	/**
	 * Those that are not about the body go along with every later question to the same origin, an `Authorization` among them;
	 * other origins see none. With an `Idempotency-Key` a request can be sent again after any passing failure.
	 */
	readonly headers?: RequestInit['headers'];
	/** A stream can be sent only once: a request with one is never sent again. */
	readonly body?: RequestInit['body'];
	/** Ends the request, and with it the handle's use. Default: never. */
	readonly signal?: AbortSignal | undefined;
}

/** RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** About the body, about the first request only, or never anybody's to send on. */
const OF_ONE_REQUEST = /^(content-.*|if-.*|range|expect|prefer|idempotency-key)$/;
/** What tells nothing about who asks. */
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

	/** Of the request itself. Redirected to another origin, it takes nothing along that is not for everybody. */
	ofRequest(url: string): Readonly<Record<string, string>> {
		return this.#where((name) => this.#isHome(url) || OPEN.test(name));
	}

	/** Of a later question. */
	ofQuestion(url: string): Readonly<Record<string, string>> {
		return this.#where((name) => !OF_ONE_REQUEST.test(name) && (this.#isHome(url) || OPEN.test(name)));
	}

	/** Whether there is something that a redirect must not take to who knows where. */
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

/** What the request can bear when it fails. Who sends an idempotency key has a server that knows it again. */
export function isRepeatable({ method = 'GET', headers, body }: OperationInit): boolean | 'when refused' {
	if (body instanceof ReadableStream) return false;
	const isIdempotent = IDEMPOTENT.has(method.toUpperCase()) || new Headers(headers).has('idempotency-key');
	return isIdempotent || 'when refused';
}

/** @throws {TypeError} */
export function operationUrl(url: string | URL): string {
	return httpUrl(url).href;
}
