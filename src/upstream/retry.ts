/** What an upstream's answer means for the job: whether it is asked again, and whether it seems to be well. Pure. */

/** Safe and idempotent methods (RFC 9110 §9.2): sending one twice does no more than sending it once. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** The upstream didn't begin: whatever the method, it can be asked again. */
const REFUSALS: ReadonlySet<number> = new Set([429, 503]);
/** It may have begun. */
const FAILURES: ReadonlySet<number> = new Set([408, 425, 500, 502, 504]);
/** The upstream, or the gateway before it, says that it can't serve requests now. */
const UNWELL: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const REQUEST_TIMEOUT = 408;
const SERVER_ERROR = 500;

/** Whether a request that may have been carried out can be sent again. */
export function isRepeatable(method: string, resend: boolean): boolean {
	return resend || IDEMPOTENT.has(method);
}

export function isRetried(status: number, mayRepeat: boolean): boolean {
	return REFUSALS.has(status) || (mayRepeat && FAILURES.has(status));
}

/**
 * Whether a reply says that the upstream is well; `undefined` when it says nothing. Any other server error is as likely to
 * come from the request: one tenant's requests that always get a 500 must not close the upstream for all.
 */
export function isWell(status: number): boolean | undefined {
	if (UNWELL.has(status)) return false;
	return status >= SERVER_ERROR || status === REQUEST_TIMEOUT ? undefined : true;
}
