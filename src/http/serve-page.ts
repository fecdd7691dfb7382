/** Serves the file of the dashboard. Loaded with the first request for a page. */

/** Nothing is loaded from elsewhere, nothing is inline, and a text can't become a script. */
const POLICY = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data:",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
].join('; ');

/** The part of the platform's binding that is used. */
export interface PageFiles {
	fetch(url: URL, init: { readonly headers: Record<string, string> }): Promise<Response>;
}

export async function servePage(
	files: PageFiles,
	{ url, headers }: Pick<Request, 'url' | 'headers'>,
): Promise<Response> {
	const validator = headers.get('if-none-match');
	const file = await files.fetch(new URL('/', url), {
		headers: validator === null ? {} : { 'if-none-match': validator },
	});
	const response = new Response(file.body, file);
	response.headers.set('content-security-policy', POLICY);
	response.headers.set('cross-origin-opener-policy', 'same-origin');
	// A new deployment is seen at once: the page is small, and names its scripts.
	response.headers.set('cache-control', 'no-cache');
	return response;
}
