/** A response of another service, and its links. Pure. */
import { isObject } from '../http/json.ts';

/** The part of a response that tells an operation's state. `headers` can be those of a `Response`. */
export interface Answer {
	/** The response's URL, the base of its relative links. */
	readonly url: string;
	readonly status: number;
	readonly headers: { get(name: string): string | null };
	/** The parsed body, if it is JSON. */
	readonly body?: unknown;
	/** Whether the platform followed redirects before this response, as a browser does. */
	readonly isRedirected?: boolean;
}

/** The link in the first of these headers that is present; `malformed` when its value is not a usable URL. */
export type Link =
	| { readonly type: 'absent' }
	| { readonly type: 'url'; readonly url: string }
	| { readonly type: 'malformed'; readonly name: string };

export type Json = Readonly<Record<string, unknown>>;

export function linkIn({ headers, url }: Answer, names: readonly string[]): Link {
	for (const name of names) {
		const value = headers.get(name);
		if (value !== null) return linkFrom(value, url, name);
	}
	return { type: 'absent' };
}

/** @param name the name of the header or field that has the value. */
export function linkFrom(value: string, base: string, name: string): Link {
	const url = URL.canParse(value, base) ? new URL(value, base) : undefined;
	const isUsable = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
	return isUsable ? { type: 'url', url: url.href } : { type: 'malformed', name };
}

/** Returns the body if it is a JSON object, otherwise an empty object. */
export function objectIn({ body }: Answer): Json {
	return isObject(body) ? body : {};
}
