/**
 * Chooses the headers of an upstream's reply to keep. They are replayed at a Coatcheck URL, to any client with the link. A
 * header that is meant for the upstream's own URL would be wrong there, or dangerous. Pure.
 */
import { HOP_BY_HOP, namedByConnection } from './header-names.ts';

type Header = readonly [name: string, value: string];

const DROPPED: ReadonlySet<string> = new Set([
	...HOP_BY_HOP,
	// Set anew for the replayed bytes.
	'content-length',
	'content-type',
	'date',
	// Coatcheck serves results only as a whole.
	'accept-ranges',
	// About the upstream's origin: its cookies, its browser policies, its authentication.
	'accept-ch',
	'activate-storage-access',
	'alt-svc',
	'alt-used',
	'authentication-info',
	'clear-site-data',
	'content-security-policy',
	'content-security-policy-report-only',
	'critical-ch',
	'document-policy',
	'expect-ct',
	'feature-policy',
	'integrity-policy',
	'nel',
	'origin-agent-cluster',
	'permissions-policy',
	'permissions-policy-report-only',
	'public-key-pins',
	'referrer-policy',
	'refresh',
	'report-to',
	'reporting-endpoints',
	'service-worker-allowed',
	'set-cookie',
	'set-cookie2',
	'set-login',
	'sourcemap',
	'speculation-rules',
	'strict-transport-security',
	'supports-loading-mode',
	'timing-allow-origin',
	'use-as-dictionary',
	'www-authenticate',
	'x-content-type-options',
	'x-dns-prefetch-control',
	'x-frame-options',
	'x-permitted-cross-domain-policies',
	'x-sourcemap',
	'x-xss-protection',
	// For caches: a job's result is for one reader.
	'age',
	'cache-control',
	'cdn-cache-control',
	'cdn-loop',
	'expires',
	'pragma',
	'vary',
	'via',
	'warning',
	// For a proxy in front of Coatcheck: these make some proxies serve files of their own.
	'x-lighttpd-send-file',
	'x-sendfile',
	// Set by Coatcheck for its own responses.
	'idempotent-replayed',
	'preference-applied',
	'server',
	'x-correlation-id',
]);
const DROPPED_PREFIXES = [
	'access-control-',
	'attribution-reporting-',
	'cf-',
	'cloudflare-',
	'coatcheck-',
	'cross-origin-',
	'observe-browsing-topics',
	'sec-',
	'surrogate-',
	'x-accel-',
];

/** Valid only for the encoded bytes. */
const OF_THE_ENCODING: ReadonlySet<string> = new Set([
	'content-encoding',
	'content-digest',
	'repr-digest',
	'digest',
	'content-md5',
]);

/** Links in these headers are resolved against the upstream's URL. */
const LINKS: ReadonlySet<string> = new Set([
	'azure-asyncoperation',
	'content-location',
	'location',
	'operation-location',
]);

/** The codings that the runtime decodes itself. */
const DECODED: ReadonlySet<string> = new Set(['gzip', 'br']);

/** Whether the runtime delivers the reply's bytes already decoded. */
export function isDecoded(contentEncoding: string | null): boolean {
	return DECODED.has(contentEncoding?.trim().toLowerCase() ?? '');
}

/** @param url the reply's URL, the base of its relative links. */
export function keptHeaders(headers: Headers, url: string): Header[] {
	const hops = namedByConnection(headers);
	const decoded = isDecoded(headers.get('content-encoding'));
	return [...headers]
		.filter(([name]) => !hops.has(name) && isKept(name) && !(decoded && OF_THE_ENCODING.has(name)))
		.map(([name, value]) => [name, rewritten([name, value], url, decoded)]);
}

/** The headers of a HEAD reply that describe the body of a GET (RFC 9110 §9.3.2). */
export function headHeaders(headers: Headers): Header[] {
	// The length of encoded bytes is wrong for a reader that gets them decoded.
	const told = isDecoded(headers.get('content-encoding')) ? ['content-type'] : ['content-type', 'content-length'];
	return told.flatMap((name) => {
		const value = headers.get(name);
		return value === null ? [] : [[name, value] as const];
	});
}

function isKept(name: string): boolean {
	return !DROPPED.has(name) && !DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function rewritten([name, value]: Header, url: string, decoded: boolean): string {
	if (LINKS.has(name)) return absolute(value, url);
	if (name === 'link') return withAbsoluteTargets(value, url);
	// The same content in other bytes, so the ETag becomes weak (RFC 9110 §8.8.1).
	if (name === 'etag' && decoded && !value.startsWith('W/')) return `W/${value}`;
	return value;
}

/**
 * Makes the targets of a `Link` header absolute (RFC 8288 §3). All text between them stays unchanged, including quoted strings.
 */
function withAbsoluteTargets(value: string, url: string): string {
	return value.replace(QUOTED_OR_TARGET, (token: string, target: string | undefined) =>
		target === undefined ? token : `<${absolute(target.trim(), url)}>`,
	);
}

/** The next quoted string (RFC 9110 §5.6.4), which ends with the value if it has no closing quote; or the next target. */
const QUOTED_OR_TARGET = /"(?:[^"\\]|\\.)*(?:"|\\?$)|<([^>]*)>/g;

function absolute(link: string, base: string): string {
	return URL.parse(link, base)?.href ?? link;
}
