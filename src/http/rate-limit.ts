/**
 * How many requests are answered. The platform counts and says only whether it was too many, so what is left is not told;
 * the `RateLimit` headers are those of draft-ietf-httpapi-ratelimit-headers-11.
 */
import ipaddr from 'ipaddr.js';
import { serializeList } from 'structured-headers';
import type { Config, RateLimitRule } from '../config.ts';
import { logError } from '../log.ts';
import type { Principal } from './auth.ts';
import { Problem } from './problem.ts';

/** A home or a server has a network of so many bits, and may use a new address in it for each request. */
const IPV6_NETWORK_PARTS = 4;

/**
 * Counts a request: by its key or user; by its job and address, where a good link's token came; by its address alone, where
 * nothing good was shown. Neither a key nor the links of other jobs wait because of requests that share their address, and one
 * reader of a link that many have does not keep the others waiting.
 *
 * @returns headers for the answer.
 * @throws {Problem} `RateLimited`.
 */
export function count(
	request: Request,
	{ rateLimits }: Config,
	principal?: Principal,
): Promise<Record<string, string>> {
	const { name, token } = principal ?? {};
	if (name !== undefined) return countBy('key', rateLimits.perKey, () => name);
	return token === undefined
		? countBy('address', rateLimits.perAddress, () => networkOf(request))
		: countBy('link', rateLimits.perKey, () => `link:${token.job}/${networkOf(request)}`);
}

type Counted = { readonly request: Request; readonly config: Config; readonly principal: Principal };

/** So many are counted at a time: whoever is refused has used up no more than that. */
const COUNTED_AT_ONCE = 50;

/**
 * Counts what one request asks for as so many requests more, and stops at the first that is too many.
 *
 * @throws {Problem} `RateLimited`.
 */
export async function countMore({ request, config, principal }: Counted, times: number): Promise<void> {
	for (let counted = 0; counted < times; counted += COUNTED_AT_ONCE) {
		const some = Math.min(COUNTED_AT_ONCE, times - counted);
		await Promise.all(Array.from({ length: some }, () => count(request, config, principal)));
	}
}

/** How many requests a window has for whoever comes like this; without a limit, no end of them. */
export function windowOf({ config: { rateLimits }, principal }: Pick<Counted, 'config' | 'principal'>): number {
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
	throw new Problem('RateLimited', `More than ${requests} requests in ${windowSeconds} s came from this ${policy}`, {
		headers: {
			...stated,
			ratelimit: item(policy, { r: 0, t: windowSeconds }),
			'retry-after': String(windowSeconds),
		},
	});
}

async function isWithin({ limiter }: RateLimitRule, key: string): Promise<boolean> {
	try {
		return (await limiter.limit({ key })).success;
	} catch (error) {
		// Better uncounted than unanswered.
		logError('request not counted', { error });
		return true;
	}
}

/** One policy of a `RateLimit` or `RateLimit-Policy` header. */
export function item(policy: string, parameters: Readonly<Record<string, number | string>>): string {
	return serializeList([[policy, new Map(Object.entries(parameters))]]);
}

/** The address that Cloudflare saw; of an IPv6 one its network. */
function networkOf(request: Request): string {
	const address = request.headers.get('cf-connecting-ip') ?? '';
	if (!ipaddr.isValid(address)) return 'unknown';
	const parsed = ipaddr.process(address);
	return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, IPV6_NETWORK_PARTS).join(':') : parsed.toString();
}
