/**
 * Which addresses a client may have us call: public ones, by https. A deployment on a laptop, or one that means it, may
 * allow more. And which names lead to the machine itself.
 */
import ipaddr from 'ipaddr.js';

/**
 * Names that are nobody's on the internet, or never leave a machine or a house (RFC 6761, RFC 6762, RFC 7686, RFC 8375,
 * RFC 9476, and common practice). `.example` is nobody's either, and is left to those who write examples.
 */
const PRIVATE_NAMES =
	/(^|\.)(localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa|test|invalid|onion|alt)$/;

/** The only IPv6 addresses that are given out to the public (RFC 4291 §2.4): others can stand for an IPv4 one. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Why an address may not be called; `undefined` when it may. */
export function refusalOf(url: string | URL, allowPrivateTargets: boolean): string | undefined {
	const target = URL.parse(String(url));
	if (!target) return 'the URL is not valid';
	// `fetch` refuses or drops them. A secret path, or the signature, says who calls.
	if (target.username !== '' || target.password !== '')
		return 'it carries credentials (user:password@): leave them out';
	if (allowPrivateTargets && (target.protocol === 'http:' || target.protocol === 'https:')) return undefined;
	if (target.protocol !== 'https:') return 'only https is allowed';
	return isPrivate(target.hostname) ? 'the address is not public' : undefined;
}

/** The URL parser has turned every spelling of an IPv4 address (octal, hex, one number) into dots by now. */
function isPrivate(hostname: string): boolean {
	const bare = hostname.replace(/^\[|\]$/g, '');
	if (!ipaddr.isValid(bare)) return isPrivateName(hostname.toLowerCase());
	const address = ipaddr.process(bare);
	const isGlobal = address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST);
	return !isGlobal || address.range() !== 'unicast';
}

function isPrivateName(hostname: string): boolean {
	const name = hostname.replace(/\.$/, '');
	const labels = name.split('.');
	// A resolver completes a single label from its own search list; a name with an empty label is none.
	return labels.length < 2 || labels.includes('') || PRIVATE_NAMES.test(name);
}

/** Whether a name always leads to the machine that asks (RFC 6761 §6.3): 127.0.0.0/8, ::1, `localhost` and names below it. */
export function isLoopback(hostname: string): boolean {
	const bare = hostname.replace(/^\[|\]$/g, '');
	if (ipaddr.isValid(bare)) return ipaddr.process(bare).range() === 'loopback';
	return /(^|\.)localhost\.?$/i.test(hostname);
}
