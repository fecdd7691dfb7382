/** `Retry-After` (RFC 9110 §10.2.3). Pure: what time it is comes in as a number. */

const MS_PER_SECOND = 1_000;

/**
 * In seconds: a number, or what is left until a date.
 *
 * @param now milliseconds since the epoch.
 * @returns `undefined` when there is none, or none that can be understood.
 */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
	if (header === null) return undefined;
	if (/^\s*\d+\s*$/.test(header)) return Number(header);
	// Every form of an HTTP date begins with the day of the week; `Date.parse` takes almost anything.
	const at = /^[A-Z][a-z]+,? /.test(header) ? Date.parse(header) : Number.NaN;
	return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / MS_PER_SECOND));
}

/** The same in milliseconds. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
	const seconds = retryAfterSeconds(header, now);
	return seconds === undefined ? undefined : seconds * MS_PER_SECOND;
}
