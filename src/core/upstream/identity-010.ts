/**
 * The identity of a request to an upstream in version 0.1.0: almost all of its headers, chosen by the rules of that version.
 * Jobs that it accepted keep a hash of this identity, so a repeated submission is also compared in this form. Remove this file
 * in the version after the next: by then no such job is retained. Pure.
 */
import { isOwnHeader, namedByConnection } from './header-names.ts';
import type { UpstreamRequest } from './request.ts';

type Header = readonly [name: string, value: string];

const DROPPED =
	/^(cdn-loop|early-data|forwarded|max-forwards|origin|referer|true-client-ip|upgrade-insecure-requests|via|x-client-ip|x-cluster-client-ip|x-forwarded|x-host|x-real-ip|x-http-method|x-http-method-override|x-method-override|x-original-uri|x-original-url|x-rewrite-url|(access-control|cf|sec|x-forwarded)-.*)$/;
const CREDENTIAL = /authorization|cookie|api-?key|token|secret|passw|credential|session|jwt|assertion|client-cert/;
const OF_THE_TRY =
	/^(date|user-agent|baggage|b3|tracestate|sentry-trace|newrelic|elastic-apm-traceparent|uber-trace-id|(x-)?request-id|x-(b3|datadog)-.*|x-(amzn|cloud)-trace.*|x-trace-id)$/;

/** @param forward the names that pass although they look like credentials, lower case. */
export function identityIn010(
	{ method, path, query }: UpstreamRequest,
	headers: Iterable<Header>,
	forward: readonly string[],
): Record<string, unknown> {
	const all = [...headers].map(([name, value]) => [name.toLowerCase(), value] as const);
	const hops = namedByConnection(all);
	const counted = all.filter(([name]) => {
		if (hops.has(name) || isOwnHeader(name) || OF_THE_TRY.test(name)) return false;
		return forward.includes(name) || (!DROPPED.test(name) && !CREDENTIAL.test(name));
	});
	return { method, path, query, headers: counted };
}
