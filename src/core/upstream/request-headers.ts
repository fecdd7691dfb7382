/**
 * Chooses the headers of a caller's request to forward: all except those between the caller and Coatcheck, and dangerous ones.
 * Pure.
 */
import { isOwnHeader, namedByConnection } from './header-names.ts';

type Header = readonly [name: string, value: string];

/** Describe the body, and are always forwarded with it. */
const OF_THE_BODY: ReadonlySet<string> = new Set(['content-encoding', 'content-language', 'content-type']);

/** Request a part of the representation, or none. The stored reply also serves readers that want all of it. */
const PARTIAL_READS: ReadonlySet<string> = new Set(['a-im', 'if-modified-since', 'if-none-match', 'if-range', 'range']);
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Browsers and proxies describe the caller's connection to Coatcheck in these. The caller can forge them. */
const OF_THE_WAY: ReadonlySet<string> = new Set([
	'base-url',
	'cdn-loop',
	'client-ip',
	'disguised-host',
	'early-data',
	'fastly-client-ip',
	'fastly-ff',
	'forwarded',
	'front-end-https',
	'max-forwards',
	'origin',
	'referer',
	'true-client-ip',
	'upgrade-insecure-requests',
	'via',
	'was-default-hostname',
	'x-client-ip',
	'x-cluster-client-ip',
	'x-host',
	'x-originating-ip',
	'x-real-host',
	'x-real-ip',
	'x-real-port',
	'x-real-scheme',
	'x-scheme',
	'x-script-name',
	'x-server-name',
	'x-url-scheme',
	'x-waws-unencoded-url',
]);
/** Gateways, load balancers, service meshes and hosting platforms each have prefixes that only they may set. */
const OF_THE_WAY_PREFIXES = [
	'access-control-',
	'cf-',
	'fly-',
	'l5d-',
	'sec-',
	'x-appengine-',
	'x-arr-',
	'x-azure-',
	'x-envoy-',
	'x-forwarded',
	'x-internal',
	'x-istio-',
	'x-kong-',
	'x-nf-',
	'x-original-',
	'x-proxy',
	'x-vercel-',
];

/** Some servers act on these instead of the allowed method and path, or send requests to another server because of them. */
const OVERRIDES: ReadonlySet<string> = new Set([
	'proxy',
	'x-http-destinationurl',
	'x-http-host-override',
	'x-http-method',
	'x-http-method-override',
	'x-http-path-override',
	'x-method-override',
	'x-override-url',
	'x-rewrite-url',
	'x-sendfile-type',
]);
const OVERRIDE_PREFIXES = ['x-accel-', 'x-middleware-'];

/**
 * Matches names that carry cookies and credentials: `Authorization`, `X-Api-Key`, `X-Auth-Token`, `X-Session-Id`, …
 *
 * `Idempotency-Key` is one of them. The caller's key is unique only within its tenant, but the upstream sees one credential for
 * all tenants: it would answer the second tenant with the stored reply to the first.
 */
const CREDENTIAL =
	/authori[sz]ation|authentication|bearer|cookie|api-?key|-key$|token|secret|passw|credential|session|jwt|assertion|client-?cert|-otp$/;
/** Proofs of possession and signatures of the request: RFC 9449, RFC 9421, and those of some API gateways. */
const PROOFS: ReadonlySet<string> = new Set([
	'dpop',
	'signature',
	'signature-agent',
	'signature-input',
	'x-ca-signature',
]);

/**
 * Identity-aware proxies and gateways pass the caller's identity to an upstream in these. The pattern matches whole words:
 * `X-Remote-User`, `X-Amzn-Oidc-Data`, `X-Auth-Request-Groups`, `X-Consumer-Id`, `X-SSL-Client-S-DN`, `Impersonate-User`, …
 */
const IDENTITY =
	/(^|-)(auth|authenticated|authentik|authelia|consumer|hasura|iap|identity|impersonate|oam|oidc|pomerium|principal|remote|run-?as|runas|saml|sm|ssl|sso|tailscale|teleport|userinfo|verified-user|webauth)(-|$)/;
/** The same, with the person at the end of the name: `X-User`, `X-User-Id`, `X-Trino-User`, `X-User-Roles`, `Iv-Groups`, … */
const PERSON =
	/(^|-)(user|username|userid|login|email|e-mail|roles?|groups?|orgid|dn)(-(id|name|email|login|roles?|groups?))?$/;
/** Other products: WebSphere (`$WSRU`) and WebSEAL credentials. */
const IDENTITY_PREFIXES = ['$ws', 'iv-'];

/** A deployment's rules for the request headers of one upstream. Names in lower case. */
export interface ForwardRules {
	/** Forwarded although they are dropped by default. */
	readonly forward: readonly string[];
	/** If set, only these are forwarded, instead of the default headers. */
	readonly forwardOnly?: readonly string[] | undefined;
}

/** The headers that are stored with the job and sent to the upstream, names in lower case. */
export function forwardedHeaders(
	headers: Iterable<Header>,
	method: string,
	{ forward, forwardOnly }: ForwardRules,
): Header[] {
	const all = [...headers].map(([name, value]) => [name.toLowerCase(), value] as const);
	const hops = namedByConnection(all);
	const passes = (name: string) => {
		if (hops.has(name) || isOwnHeader(folded(name))) return false;
		if (forward.includes(name)) return true;
		if (forwardOnly) return forwardOnly.includes(name) || OF_THE_BODY.has(name);
		return isPlain(name) && !(READS.has(method) && PARTIAL_READS.has(name));
	};
	return all.filter(([name]) => passes(name));
}

/** The headers that another origin may get: none of those that are forwarded only because of the upstream's rules. */
export function plainHeaders(headers: readonly Header[]): Header[] {
	return headers.filter(([name]) => isPlain(name));
}

function isPlain(header: string): boolean {
	const name = folded(header);
	const startsWith = (prefix: string) => name.startsWith(prefix);
	const isOfTheWay = OF_THE_WAY.has(name) || OF_THE_WAY_PREFIXES.some(startsWith);
	const isOverride = OVERRIDES.has(name) || OVERRIDE_PREFIXES.some(startsWith);
	const isCredential = CREDENTIAL.test(name) || PROOFS.has(name);
	const isIdentity = IDENTITY.test(name) || PERSON.test(name) || IDENTITY_PREFIXES.some(startsWith);
	return !isOfTheWay && !isOverride && !isCredential && !isIdentity;
}

/** CGI and its descendants (WSGI, Rack, PHP) read `X_Remote_User` as `X-Remote-User`. */
function folded(name: string): string {
	return name.replaceAll('_', '-');
}
