/** Preconditions of requests (RFC 9110 §13). Pure. */

/** The validators of the response to an unconditional GET. */
export interface Validators {
	readonly etag: string | null;
	readonly lastModified: string | null;
}

export type Verdict = 'proceed' | 'not-modified' | 'failed';

/** One entity tag of a list, weak or strong. */
const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Evaluates preconditions of GET and HEAD, in the order of RFC 9110 §13.2.2. */
export function evaluateForRead(headers: Headers, { etag, lastModified }: Validators): Verdict {
	const ifMatch = headers.get('if-match');
	if (ifMatch !== null) {
		if (!isAny(ifMatch) && !hasStrongMatch(ifMatch, etag)) return 'failed';
	} else if (isAfter(lastModified, headers.get('if-unmodified-since'))) return 'failed';
	const ifNoneMatch = headers.get('if-none-match');
	if (ifNoneMatch !== null) return isAny(ifNoneMatch) || hasWeakMatch(ifNoneMatch, etag) ? 'not-modified' : 'proceed';
	const since = headers.get('if-modified-since');
	const isComparable = lastModified !== null && since !== null && !Number.isNaN(Date.parse(since));
	return isComparable && !isAfter(lastModified, since) ? 'not-modified' : 'proceed';
}

/**
 * Whether a command on a job may run. A job's entity tags are weak, and `If-Match` uses strong comparison, so only `*` matches.
 * Commands ignore `If-None-Match`, because polling clients send it with every request.
 */
export function mayChange(headers: Headers): boolean {
	const ifMatch = headers.get('if-match');
	return ifMatch === null || isAny(ifMatch);
}

function isAny(condition: string): boolean {
	return condition.trim() === '*';
}

function hasStrongMatch(condition: string, etag: string | null): boolean {
	return [...condition.matchAll(TAG)].some(([, weak, tag]) => weak === undefined && tag === etag);
}

function hasWeakMatch(condition: string, etag: string | null): boolean {
	const opaque = etag?.replace(/^W\//, '');
	return [...condition.matchAll(TAG)].some(([, , tag]) => tag === opaque);
}

/** Invalid dates are ignored (RFC 9110 §13.1.3). */
function isAfter(lastModified: string | null, date: string | null): boolean {
	return lastModified !== null && date !== null && Date.parse(lastModified) > Date.parse(date);
}
