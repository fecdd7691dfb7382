/**
 * Rate limits. The platform counts, and reports only whether the limit is exceeded, so responses don't tell the remaining
 * requests. The `RateLimit` headers follow draft-ietf-httpapi-ratelimit-headers-11.
 */
import ipaddr from 'ipaddr.js';
import type { Config, RateLimitRule } from '../../config/config.ts';
import { logError } from '../../log.ts';
import { Problem } from '../problem.ts';
import type { Principal } from './auth.ts';

/** 64 bits, the usual network of a home or a server, which can use a new address for each request. */
const IPV6_NETWORK_PARTS = 4;

/**
 * Counts a request: by its key or user; with a valid link's token, by job and address; without valid credentials, by address
 * alone. So unauthenticated requests don't delay keys or links that share their address, and one reader of a shared link does
 * not delay the others.
 *
 * @returns headers for the response.
 * @throws {Problem} `RateLimited`.
 */
export function countRequest(
	request: Request,
	{ rateLimits }: Config,
	principal?: Principal,
): Promise<Record<string, string>> {
	const { name, token } = principal ?? {};
	if (name !== undefined) return countBy('key', rateLimits.perKey, () => name);
	return token === undefined
		? countBy('address', rateLimits.perAddress, () => clientNetwork(request))
		: countBy('link', rateLimits.perKey, () => `link:${token.job}/${clientNetwork(request)}`);
}

type Counted = { readonly request: Request; readonly config: Config; readonly principal: Principal };

/** Counts at most 50 requests at a time, so that a rejected batch uses up no more than that. */
const COUNTED_AT_ONCE = 50;

/**
 * Counts one request as several more requests, and stops at the first that exceeds the limit.
 *
 * @throws {Problem} `RateLimited`.
 */
export async function countMoreRequests({ request, config, principal }: Counted, times: number): Promise<void> {
	for (let counted = 0; counted < times; counted += COUNTED_AT_ONCE) {
		const some = Math.min(COUNTED_AT_ONCE, times - counted);
		await Promise.all(Array.from({ length: some }, () => countRequest(request, config, principal)));
	}
}

/** The limit per window for a principal like this; infinite without a limit. */
export function requestsPerWindow({
	config: { rateLimits },
	principal,
}: Pick<Counted, 'config' | 'principal'>): number {
	const isKnown = principal.name !== undefined || principal.token !== undefined;
	const rule = isKnown ? rateLimits.perKey : rateLimits.perAddress;
	return rule?.requests ?? Number.POSITIVE_INFINITY;
}

async function countBy(
	policy: 'key' | 'link' | 'address',
	rule: RateLimitRule | undefined,
	keyOf: () => string,
): Promise<Record<string, string>> {
	if (!rule) return {};
	const { requests, windowSeconds } = rule;
	const stated = { 'ratelimit-policy': item(policy, { q: requests, w: windowSeconds }) };
	if (await isWithin(rule, keyOf())) return stated;
	throw new Problem(
		'RateLimited',
		`Expected at most ${requests} requests in ${windowSeconds} s from one ${policy}: try again after Retry-After`,
		{
			headers: {
				...stated,
				ratelimit: item(policy, { r: 0, t: windowSeconds }),
				'retry-after': String(windowSeconds),
			},
		},
	);
}

async function isWithin({ limiter }: RateLimitRule, key: string): Promise<boolean> {
	try {
		return (await limiter.limit({ key })).success;
	} catch (error) {
		// A failing limiter must not block requests.
		logError('rate limit not applied', { error });
		return true;
	}
}

/**
 * One policy of a `RateLimit` or `RateLimit-Policy` header (RFC 9651 §4.1). Its texts are words of this code, so JSON writes them as structured
 * fields do.
 */
export function item(policy: string, parameters: Readonly<Record<string, number | string>>): string {
	const written = Object.entries(parameters).map(([name, value]) => `;${name}=${JSON.stringify(value)}`);
	return JSON.stringify(policy) + written.join('');
}

/** The client's address as Cloudflare reports it; for IPv6, its network. */
function clientNetwork(request: Request): string {
	const address = request.headers.get('cf-connecting-ip') ?? '';
	if (!ipaddr.isValid(address)) return 'unknown';
	const parsed = ipaddr.process(address);
	return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, IPV6_NETWORK_PARTS).join(':') : parsed.toString();
}
