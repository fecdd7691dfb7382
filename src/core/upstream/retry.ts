/** Interprets an upstream's response: whether the request is retried, and whether the upstream is healthy. Pure. */
import { IDEMPOTENT_METHODS } from '../http/methods.ts';

/** The upstream has not started, so the request can be retried, whatever its method. */
const REFUSALS: ReadonlySet<number> = new Set([429, 503]);
/** The upstream may have started. */
const FAILURES: ReadonlySet<number> = new Set([408, 425, 500, 502, 504]);
/** The upstream, or the gateway in front of it, reports that it can't serve requests now. */
const UNWELL: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const REQUEST_TIMEOUT = 408;
const SERVER_ERROR = 500;

/** Whether a request that may have been carried out can be sent again. */
export function isRepeatable(method: string, resend: boolean): boolean {
	return resend || IDEMPOTENT_METHODS.has(method);
}

export function isRetried(status: number, mayRepeat: boolean): boolean {
	return REFUSALS.has(status) || (mayRepeat && FAILURES.has(status));
}

/**
 * Whether a response shows that the upstream is healthy; `undefined` when it says nothing. Any other server error may as well
 * be caused by the request: one tenant's requests that always get a 500 must not trip the breaker for all.
 */
export function isWell(status: number): boolean | undefined {
	if (UNWELL.has(status)) return false;
	return status >= SERVER_ERROR || status === REQUEST_TIMEOUT ? undefined : true;
}
