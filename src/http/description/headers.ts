/** The headers of responses. */

type HeaderSchema = Readonly<Record<string, unknown>>;

const TEXT = { type: 'string' };
const URI = { type: 'string', format: 'uri' };
const SECONDS = { type: 'integer', minimum: 1 };

const describeHeader = (description: string, schema: HeaderSchema = TEXT) => ({ description, schema });

export const RESPONSE_HEADERS = {
	'X-Correlation-ID': describeHeader("The request's correlation id, else the job's, else a new one"),
	'Cache-Control': describeHeader('Responses about a job are private and not stored'),
	'RateLimit-Policy': describeHeader(
		'The rate limit that counted this request, as in `"key";q=1000;w=10`. Left out without one',
	),
	RateLimit: describeHeader('The requests that are left, as in `"key";r=0;t=10`'),
	'Retry-After': describeHeader('Seconds until the next request makes sense, estimated', SECONDS),
	Location: describeHeader('The URL of the status, or of the result', URI),
	'Operation-Location': describeHeader('The URL of the status that never redirects', URI),
	'Content-Location': describeHeader('The URL of the result in this response', URI),
	Link: describeHeader('The status as `rel="status"`, the stream of events as `rel="monitor"`'),
	ETag: describeHeader("Changes whenever the document does; a result's own"),
	'Last-Modified': describeHeader("A result's own"),
	'Content-Disposition': describeHeader(
		'`attachment` for an input; for a result `inline` with a file name, unless its task gave another',
	),
	Vary: describeHeader('The request headers that select the response'),
	'Idempotent-Replayed': describeHeader('The key was used before: this is the same job', {
		type: 'string',
		const: 'true',
	}),
	'Preference-Applied': describeHeader('The `wait` that was applied'),
	'WWW-Authenticate': describeHeader('The challenge (RFC 6750)'),
	Allow: describeHeader('The methods of this path'),
	'Accept-Post': describeHeader('The media types that the task takes'),
	Upgrade: describeHeader('`websocket`'),
	'Sec-WebSocket-Protocol': describeHeader('`coatcheck.v1`, if the client offers it'),
} as const;

export type HeaderName = keyof typeof RESPONSE_HEADERS;

/** Headers that every response has, or may have. */
export const EVERYWHERE: readonly HeaderName[] = ['X-Correlation-ID', 'Cache-Control', 'RateLimit-Policy', 'Vary'];

/** Headers of a failure that answers a request which waited for it. */
export const OUTCOME_HEADERS: readonly HeaderName[] = ['Content-Location', 'Preference-Applied'];
