/**
 * Controls which web pages may read responses (Fetch standard, CORS protocol). No middleware does this, because bodies must not
 * be cloned: a result can be a stream of 32 MiB, and a clone would hold all of it in memory.
 */
import type { Config } from '../config/config.ts';
import { EVERY_ORIGIN } from '../config/forms.ts';

/** Response headers that a script may read beyond the safelisted ones. */
const EXPOSED = [
	'Location',
	'Operation-Location',
	'Content-Location',
	'Content-Disposition',
	'Retry-After',
	'RateLimit',
	'RateLimit-Policy',
	'Link',
	'ETag',
	'Allow',
	'Idempotent-Replayed',
	'Preference-Applied',
	'X-Correlation-ID',
	'WWW-Authenticate',
	'Accept-Post',
];
const EXPOSED_LOWER_CASE: ReadonlySet<string> = new Set(EXPOSED.map((name) => name.toLowerCase()));

/** Cache lifetime of a preflight, in seconds: the maximum that any browser accepts. */
const PREFLIGHT_MAX_AGE_SECONDS = 86_400;

/** The response to `OPTIONS`. */
export function preflight(request: Request, config: Config | undefined, methods: readonly string[]): Response {
	const asksFor = request.headers.get('access-control-request-headers');
	const headers = new Headers({ allow: methods.join(', ') });
	if (config && allowedOrigin(request, config.corsOrigins) !== undefined) {
		headers.set('access-control-allow-methods', methods.join(', '));
		if (asksFor !== null) headers.set('access-control-allow-headers', asksFor);
		headers.set('access-control-max-age', String(PREFLIGHT_MAX_AGE_SECONDS));
	}
	return new Response(null, { status: 204, headers });
}

/** @param headers the handler's headers: a script may read all of them, including a result's own. */
export function addCors(headers: Headers, request: Request, { corsOrigins }: Config): void {
	if (corsOrigins.length === 0) return;
	const origin = allowedOrigin(request, corsOrigins);
	const exposed = [...EXPOSED, ...[...headers.keys()].filter((name) => !EXPOSED_LOWER_CASE.has(name))];
	if (corsOrigins.some((listed) => listed !== EVERY_ORIGIN)) headers.append('vary', 'Origin');
	if (origin === undefined) return;
	headers.set('access-control-allow-origin', origin);
	// Cloudflare Access authenticates by cookie. With `*`, any page could read everything that the cookie gives access to.
	if (origin !== EVERY_ORIGIN) headers.set('access-control-allow-credentials', 'true');
	headers.set('access-control-expose-headers', exposed.join(', '));
}

function allowedOrigin(request: Request, corsOrigins: readonly string[]): string | undefined {
	const origin = request.headers.get('origin');
	if (origin !== null && origin !== EVERY_ORIGIN && corsOrigins.includes(origin)) return origin;
	return corsOrigins.includes(EVERY_ORIGIN) ? EVERY_ORIGIN : undefined;
}
