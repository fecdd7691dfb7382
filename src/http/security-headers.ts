/** Security headers of every response. */

const ALWAYS = Object.entries({
	'x-content-type-options': 'nosniff',
	// Links carry tokens.
	'referrer-policy': 'no-referrer',
});

/** Defaults for responses that don't set these headers. */
const USUALLY = Object.entries({
	'cache-control': 'no-store',
	// The API serves no pages.
	'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
	'cross-origin-resource-policy': 'same-origin',
});

/** Duration for which a browser uses only https, in seconds. */
const HTTPS_ONLY_SECONDS = 31_536_000;

/** @param origin the deployment's origin from the client's point of view. */
export function addSecurityHeaders(headers: Headers, origin: string): void {
	for (const [name, value] of ALWAYS) headers.set(name, value);
	for (const [name, value] of USUALLY) if (!headers.has(name)) headers.set(name, value);
	if (origin.startsWith('https:')) headers.set('strict-transport-security', `max-age=${HTTPS_ONLY_SECONDS}`);
}
