/**
 * Which addresses a client may have us call: public ones, by https. A deployment on a laptop, or one that means it, may
 * allow more.
 */
import ipaddr from 'ipaddr.js';

/** Names that never leave a machine or a house (RFC 6761, RFC 6762, RFC 9476 and common practice). */
const PRIVATE_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)\.?$/;

/** Why an address may not be called; `undefined` when it may. */
export function refusalOf(url: string | URL, allowPrivateTargets: boolean): string | undefined {
	const target = URL.parse(String(url));
	if (!target) return 'the URL is not valid';
	if (allowPrivateTargets && (target.protocol === 'http:' || target.protocol === 'https:')) return undefined;
	if (target.protocol !== 'https:') return 'only https is allowed';
	if (target.username !== '' || target.password !== '') return 'it carries credentials';
	return isPrivate(target.hostname) ? 'the address is not public' : undefined;
}

/** The URL parser has turned every spelling of an IPv4 address (octal, hex, one number) into dots by now. */
function isPrivate(hostname: string): boolean {
	const bare = hostname.replace(/^\[|\]$/g, '');
	if (!ipaddr.isValid(bare)) return PRIVATE_NAMES.test(hostname.toLowerCase()) || !hostname.includes('.');
	return ipaddr.process(bare).range() !== 'unicast';
}
