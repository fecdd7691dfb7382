/** What an upstream is told of a caller: everything but what is between the caller and us, and what could be misused. Pure. */
import { isOurs, namedByConnection } from './header-names.ts';

type Header = readonly [name: string, value: string];

/** What a browser or a proxy says of the caller's way to us. An upstream that believed it would believe the caller. */
const OF_THE_WAY: ReadonlySet<string> = new Set([
	'cdn-loop',
	'early-data',
	'forwarded',
	'max-forwards',
	'origin',
	'referer',
	'true-client-ip',
	'upgrade-insecure-requests',
	'via',
	'x-client-ip',
	'x-cluster-client-ip',
	'x-forwarded',
	'x-host',
	'x-real-ip',
]);
const OF_THE_WAY_PREFIXES = ['access-control-', 'cf-', 'sec-', 'x-forwarded-'];

/** Servers that believe these do something else than the method and path say that were allowed. */
const OVERRIDES: ReadonlySet<string> = new Set([
	'x-http-method',
	'x-http-method-override',
	'x-method-override',
	'x-original-uri',
	'x-original-url',
	'x-rewrite-url',
]);

/** Names like these carry cookies and credentials: `Authorization`, `X-Api-Key`, `X-Auth-Token`, `X-Session-Id`, … */
const CREDENTIAL = /authorization|cookie|api-?key|token|secret|passw|credential|session|jwt|assertion|client-cert/;

/**
 * The caller's own key is unique within its tenant only, and an upstream sees one operator's credential for all tenants: it
 * would answer the second tenant with the stored reply to the first. It gets a key derived from the job instead.
 */
const KEY_OF_THE_CALLER = 'idempotency-key';

/** What changes from one try of a caller to the next, and doesn't make it another request. */
const OF_THE_TRY =
	/^(date|user-agent|baggage|b3|tracestate|sentry-trace|newrelic|elastic-apm-traceparent|uber-trace-id|(x-)?request-id|x-(b3|datadog)-.*|x-(amzn|cloud)-trace.*|x-trace-id)$/;

/**
 * The headers that are stored with the job and sent to the upstream, names in lower case.
 *
 * @param letThrough names of credentials and of other headers that are otherwise dropped, lower case.
 */
export function forwardedHeaders(headers: Iterable<Header>, letThrough: readonly string[]): Header[] {
	const all = [...headers].map(([name, value]) => [name.toLowerCase(), value] as const);
	const hops = namedByConnection(all);
	return all.filter(([name]) => !hops.has(name) && !isOurs(name) && (letThrough.includes(name) || isPlain(name)));
}

/** What may be told to another origin than the upstream's own: nothing that was let through for the upstream. */
export function plainHeaders(headers: readonly Header[]): Header[] {
	return headers.filter(([name]) => isPlain(name));
}

/** The headers that make two submissions the same request. */
export function identifyingHeaders(headers: readonly Header[]): Header[] {
	return headers.filter(([name]) => !OF_THE_TRY.test(name));
}

function isPlain(name: string): boolean {
	const isOfTheWay = OF_THE_WAY.has(name) || OF_THE_WAY_PREFIXES.some((prefix) => name.startsWith(prefix));
	return !isOfTheWay && !OVERRIDES.has(name) && !CREDENTIAL.test(name) && name !== KEY_OF_THE_CALLER;
}
