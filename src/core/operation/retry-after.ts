/** `Retry-After` (RFC 9110 §10.2.3). Pure: the caller passes the current time. */

const MS_PER_SECOND = 1_000;

/**
 * The wait in seconds: the header's number, or the time left until its date.
 *
 * @param now milliseconds since the epoch.
 * @returns `undefined` when the header is absent or malformed.
 */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
	if (header === null) return undefined;
	if (/^\s*\d+\s*$/.test(header)) return Number(header);
	// Every form of an HTTP date begins with the day of the week; `Date.parse` alone accepts almost anything.
	const at = /^[A-Z][a-z]+,? /.test(header) ? Date.parse(header) : Number.NaN;
	return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / MS_PER_SECOND));
}

/** The same in milliseconds. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
	const seconds = parseRetryAfter(header, now);
	return seconds === undefined ? undefined : seconds * MS_PER_SECOND;
}
