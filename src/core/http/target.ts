/**
 * Decides which addresses the service may call for a client: public ones, by https. ALLOW_PRIVATE_TARGETS allows more, for
 * local development. Also recognizes loopback names.
 */
import ipaddr from 'ipaddr.js';
import { once } from '../once.ts';

/**
 * Reserved and local names (RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC 9476, and common practice). `.example` is reserved,
 * too, but allowed for examples.
 */
const PRIVATE_NAMES =
	/(^|\.)(localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa|test|invalid|onion|alt)$/;

/** The only public range of IPv6 (RFC 4291 §2.4). Other ranges can embed an IPv4 address. */
const globalUnicast = once(() => ipaddr.IPv6.parseCIDR('2000::/3'));

/** The reason why an address is not allowed; `undefined` if it is. */
export function targetRefusal(url: string | URL, allowPrivateTargets: boolean): string | undefined {
	const target = URL.parse(String(url));
	if (!target) return 'the URL is not valid';
	// `fetch` rejects or drops them. Receivers can authenticate the call by a secret path or the signature.
	if (target.username !== '' || target.password !== '') return 'the URL contains credentials (user:password@)';
	if (allowPrivateTargets && (target.protocol === 'http:' || target.protocol === 'https:')) return undefined;
	if (target.protocol !== 'https:') return 'the scheme is not https';
	return isPrivate(target.hostname) ? 'the address is not public' : undefined;
}

/** The URL parser has already normalized all spellings of IPv4 addresses (octal, hex, one number). */
function isPrivate(hostname: string): boolean {
	const bare = hostname.replace(/^\[|\]$/g, '');
	if (!ipaddr.isValid(bare)) return isPrivateName(hostname.toLowerCase());
	const address = ipaddr.process(bare);
	const isGlobal = address instanceof ipaddr.IPv4 || address.match(globalUnicast());
	return !isGlobal || address.range() !== 'unicast';
}

function isPrivateName(hostname: string): boolean {
	const name = hostname.replace(/\.$/, '');
	const labels = name.split('.');
	// A resolver completes a single label from its search list. A name with an empty label is invalid.
	return labels.length < 2 || labels.includes('') || PRIVATE_NAMES.test(name);
}

/**
 * Names and addresses that always lead to the local machine (RFC 6761 §6.3): 127.0.0.0/8, also inside IPv6, ::1, `localhost` and
 * names below it.
 */
const LOOPBACK = /^(127(\.\d+){3}|\[::(1|ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4})\]|(.*\.)?localhost\.?)$/;

/** @param hostname as the URL parser writes it: it knows all spellings of addresses, and has one for each. */
export function isLoopback(hostname: string): boolean {
	return LOOPBACK.test(hostname);
}
