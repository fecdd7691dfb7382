/** What every answer says to browsers, whoever made it. */

const ALWAYS = {
	'x-content-type-options': 'nosniff',
	// Links carry tokens.
	'referrer-policy': 'no-referrer',
} as const;

/** Unless the answer says something else itself. */
const USUALLY = {
	'cache-control': 'no-store',
	// Nothing here is a page.
	'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
	'cross-origin-resource-policy': 'same-origin',
} as const;

/** How long a browser that came by https comes by nothing else, in seconds. */
const HTTPS_ONLY_SECONDS = 31_536_000;

/** @param origin where the client believes us to be. */
export function addSecurityHeaders(headers: Headers, origin: string): void {
	for (const [name, value] of Object.entries(ALWAYS)) headers.set(name, value);
	for (const [name, value] of Object.entries(USUALLY)) if (!headers.has(name)) headers.set(name, value);
	if (origin.startsWith('https:')) headers.set('strict-transport-security', `max-age=${HTTPS_ONLY_SECONDS}`);
}
