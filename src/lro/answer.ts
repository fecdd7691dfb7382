/** An answer of another service, and where its links lead. Pure. */

/** As much of an answer as tells how an operation is. A `Response`'s own `headers` will do. */
export interface Answer {
	/** Where it came from: relative links start here. */
	readonly url: string;
	readonly status: number;
	readonly headers: { get(name: string): string | null };
	/** What the body says, when it is JSON. */
	readonly body?: unknown;
	/** Whether redirects were followed on the way to it, unseen, as a browser does. */
	readonly isRedirected?: boolean;
}

/** A link in one of these headers, the first that is there; `malformed` when it leads nowhere. */
export type Link =
	| { readonly is: 'absent' }
	| { readonly is: 'url'; readonly url: string }
	| { readonly is: 'malformed'; readonly name: string };

export type Json = Readonly<Record<string, unknown>>;

export function linkIn({ headers, url }: Answer, names: readonly string[]): Link {
	for (const name of names) {
		const value = headers.get(name);
		if (value !== null) return linkFrom(value, url, name);
	}
	return { is: 'absent' };
}

/** @param name what the value is called where it was found. */
export function linkFrom(value: string, base: string, name: string): Link {
	const url = URL.canParse(value, base) ? new URL(value, base) : undefined;
	const isUsable = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
	return isUsable ? { is: 'url', url: url.href } : { is: 'malformed', name };
}

/** The body when it is a JSON object, else an empty one. */
export function objectIn({ body }: Answer): Json {
	return isObject(body) ? body : {};
}

export function isObject(value: unknown): value is Json {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
