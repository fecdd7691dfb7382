/** What an upstream's answer means for the job: whether it is asked again, and whether it seems to be well. Pure. */

/** Safe and idempotent methods (RFC 9110 §9.2): sending one twice does no more than sending it once. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** The upstream didn't begin: whatever the method, it can be asked again. */
const REFUSALS: ReadonlySet<number> = new Set([429, 503]);
/** It may have begun. */
const FAILURES: ReadonlySet<number> = new Set([408, 425, 500, 502, 504]);
/** What tells of the upstream, and not of the request. */
const UNWELL: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Whether a request that may have been carried out can be sent again. */
export function isRepeatable(method: string, resend: boolean): boolean {
	return resend || IDEMPOTENT.has(method);
}

export function isRetried(status: number, mayRepeat: boolean): boolean {
	return REFUSALS.has(status) || (mayRepeat && FAILURES.has(status));
}

/** Whether a reply says that the upstream is in trouble. */
export function isUnwell(status: number): boolean {
	return UNWELL.has(status);
}
