/** Responses with these statuses have no body (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
export const STATUSES_WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** An upstream's response is not usable (RFC 9110 §15.6.3). */
export const BAD_GATEWAY = 502;
