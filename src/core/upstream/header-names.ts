/** Groups of header names: hop-by-hop headers, and headers that no configuration can set or forward. */

/** RFC 9110 §7.6.1 and §11.7, and the names that older servers use for them. `Connection` names more. */
export const HOP_BY_HOP: readonly string[] = [
	'connection',
	'keep-alive',
	'proxy-connection',
	'proxy-authenticate',
	'proxy-authentication-info',
	'proxy-authorization',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
];

/** The headers named by `Connection`, lower case. */
export function namedByConnection(headers: Iterable<readonly [name: string, value: string]>): ReadonlySet<string> {
	const names = [...headers].filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value);
	return new Set(
		names
			.join(',')
			.split(',')
			.map((name) => name.trim().toLowerCase()),
	);
}

/** Headers that frame the message, or that Coatcheck sets itself. */
const OURS: ReadonlySet<string> = new Set([
	...HOP_BY_HOP,
	'accept-encoding',
	'content-length',
	'expect',
	'host',
	'prefer',
	'traceparent',
	'x-correlation-id',
]);

/** Headers that only Coatcheck sets. */
export function isOwnHeader(name: string): boolean {
	return OURS.has(name) || name.startsWith('coatcheck-');
}

/** RFC 9110 §5.6.2. */
export const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5, ASCII only: workerd sends other characters as UTF-8, and prints the whole value in a warning. */
export const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
