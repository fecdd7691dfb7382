/**
 * Which web pages may read our answers (Fetch standard, CORS protocol). Written out because it must leave bodies alone:
 * a result can be a stream of 32 MiB, and a middleware that clones it would hold all of it in memory.
 */
import type { Config } from '../config.ts';

/** What a script may read besides the few headers that it always may. */
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
].join(', ');

/** How long a browser may remember a preflight, in seconds: the longest that any of them takes. */
const PREFLIGHT_MAX_AGE_SECONDS = 86_400;

/** The answer to `OPTIONS`. */
export function preflight(request: Request, config: Config | undefined, methods: readonly string[]): Response {
	const asksFor = request.headers.get('access-control-request-headers');
	const headers = new Headers({ allow: methods.join(', ') });
	if (config && allowedOrigin(request, config) !== undefined) {
		headers.set('access-control-allow-methods', methods.join(', '));
		if (asksFor !== null) headers.set('access-control-allow-headers', asksFor);
		headers.set('access-control-max-age', String(PREFLIGHT_MAX_AGE_SECONDS));
	}
	return new Response(null, { status: 204, headers });
}

export function addCors(headers: Headers, request: Request, config: Config): void {
	if (config.corsOrigins.length === 0) return;
	if (!config.corsOrigins.includes('*')) headers.append('vary', 'Origin');
	const origin = allowedOrigin(request, config);
	if (origin === undefined) return;
	headers.set('access-control-allow-origin', origin);
	headers.set('access-control-expose-headers', EXPOSED);
}

function allowedOrigin(request: Request, { corsOrigins }: Config): string | undefined {
	if (corsOrigins.includes('*')) return '*';
	const origin = request.headers.get('origin');
	return origin !== null && corsOrigins.includes(origin) ? origin : undefined;
}
