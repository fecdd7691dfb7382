/**
 * Which of an upstream's headers are kept with its reply. They are replayed at an address of ours, to whoever has the link:
 * what was meant for the upstream's own address would be a lie there, or worse. Pure.
 */
import { HOP_BY_HOP, namedByConnection } from './header-names.ts';

type Header = readonly [name: string, value: string];

const DROPPED: ReadonlySet<string> = new Set([
	...HOP_BY_HOP,
	// Set anew for the bytes as they are replayed.
	'content-length',
	'content-type',
	'date',
	// A result is only given whole.
	'accept-ranges',
	// About the upstream's address: its cookies, its rules for browsers, its passwords.
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
	// For caches on the way: a job's result is one reader's.
	'age',
	'cache-control',
	'cdn-cache-control',
	'cdn-loop',
	'expires',
	'pragma',
	'vary',
	'via',
	'warning',
	// For a proxy in front of us: these make some serve files of their own.
	'x-lighttpd-send-file',
	'x-sendfile',
	// Words that are ours at this address.
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

/** True only of the bytes as they were encoded. */
const OF_THE_ENCODING: ReadonlySet<string> = new Set([
	'content-encoding',
	'content-digest',
	'repr-digest',
	'digest',
	'content-md5',
]);

/** A link in one of these leads where it led from the upstream's address. */
const LINKS: ReadonlySet<string> = new Set([
	'azure-asyncoperation',
	'content-location',
	'location',
	'operation-location',
]);

/** The codings that the runtime undoes by itself. */
const DECODED: ReadonlySet<string> = new Set(['gzip', 'br']);

/** Whether the bytes of a reply arrive without the coding that it names. */
export function isDecoded(contentEncoding: string | null): boolean {
	return DECODED.has(contentEncoding?.trim().toLowerCase() ?? '');
}

/** @param url where the reply came from: relative links start there. */
export function keptHeaders(headers: Headers, url: string): Header[] {
	const hops = namedByConnection(headers);
	const decoded = isDecoded(headers.get('content-encoding'));
	return [...headers]
		.filter(([name]) => !hops.has(name) && isKept(name) && !(decoded && OF_THE_ENCODING.has(name)))
		.map(([name, value]) => [name, rewritten(name, value, url, decoded)]);
}

/** What the reply to a HEAD tells of the body that a GET would get (RFC 9110 §9.3.2). */
export function headHeaders(headers: Headers): Header[] {
	// The length of bytes that the runtime would decode says nothing to a reader of the decoded ones.
	const told = isDecoded(headers.get('content-encoding')) ? ['content-type'] : ['content-type', 'content-length'];
	return told.flatMap((name) => {
		const value = headers.get(name);
		return value === null ? [] : [[name, value] as const];
	});
}

function isKept(name: string): boolean {
	return !DROPPED.has(name) && !DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function rewritten(name: string, value: string, url: string, decoded: boolean): string {
	if (LINKS.has(name)) return absolute(value, url);
	if (name === 'link') return withAbsoluteTargets(value, url);
	// The same content in other bytes (RFC 9110 §8.8.1).
	if (name === 'etag' && decoded && !value.startsWith('W/')) return `W/${value}`;
	return value;
}

/** The targets of a `Link` header (RFC 8288 §3). Everything between them stays as it is spelled, quoted text above all. */
function withAbsoluteTargets(value: string, url: string): string {
	return value.replace(QUOTED_OR_TARGET, (token: string, target: string | undefined) =>
		target === undefined ? token : `<${absolute(target.trim(), url)}>`,
	);
}

/** The next quoted string (RFC 9110 §5.6.4), which ends with the value if it is never closed; or the next target. */
const QUOTED_OR_TARGET = /"(?:[^"\\]|\\.)*(?:"|\\?$)|<([^>]*)>/g;

function absolute(link: string, base: string): string {
	return URL.parse(link, base)?.href ?? link;
}
