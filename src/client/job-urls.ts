/** Derives all URLs of a job from any one of its links, so that a handle needs only a URL and no request. */

const LINK = /^(.*\/v1)\/(?:jobs|operations)\/([0-9a-f]{64})(?:\/[a-z]+)?$/;

export interface JobUrls {
	readonly id: string;
	/** The job's `Location`, with its token. Another process can attach to it. */
	readonly self: string;
	/** Always returns the status document. */
	readonly operation: string;
	readonly result: string;
	readonly events: string;
	readonly socket: string;
	readonly cancel: string;
	/** Has no token, because no link may purge: that requires an API key. */
	readonly purge: string;
	/** Has no token: retrying a job is a submission, which requires an API key. */
	readonly retry: string;
}

/**
 * @param link the job's `Location` or `Operation-Location`, or any other of its links.
 * @throws {TypeError} when the URL is not a job's. The message doesn't show its token.
 */
export function jobUrls(link: string | URL): JobUrls {
	const { origin, pathname, searchParams } = httpUrl(link);
	const [, base, id] = LINK.exec(pathname) ?? [];
	if (base === undefined || id === undefined) {
		throw new TypeError(
			`Expected the URL of a job, ending in /v1/jobs/{64 hexadecimal digits}, got: "${origin}${pathname}"`,
		);
	}
	const job = `${origin}${base}/jobs/${id}`;
	const token = searchParams.get('token');
	const query = token === null ? '' : `?${new URLSearchParams({ token })}`;
	return {
		id,
		self: job + query,
		operation: `${origin}${base}/operations/${id}${query}`,
		result: `${job}/result${query}`,
		events: `${job}/events${query}`,
		socket: `${job.replace(/^http/, 'ws')}/socket${query}`,
		cancel: `${job}/cancel${query}`,
		purge: `${job}/purge`,
		retry: `${job}/retry`,
	};
}

/** Adds a cursor to a URL, to request only the events after it. */
export function afterCursor(url: string, after: number | undefined): string {
	if (after === undefined) return url;
	const cursed = new URL(url);
	cursed.searchParams.set('after', String(after));
	return cursed.href;
}

export function withoutQuery(url: string): string {
	return url.replace(/[?#].*$/s, '');
}

/** @throws {TypeError} */
export function httpUrl(url: string | URL): URL {
	const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
	if (parsed && /^(https?|wss?):$/.test(parsed.protocol)) {
		return new URL(parsed.href.replace(/^ws/, 'http'));
	}
	throw new TypeError(`Expected an absolute http(s) URL, got: "${withoutQuery(String(url))}"`);
}
