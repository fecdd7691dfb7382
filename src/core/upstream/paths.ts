/**
 * Decides which paths below an upstream's base URL are allowed. A path is refused only if a server that decodes it once more,
 * or differently, could leave the base URL or `paths`. All other paths are forwarded unchanged, byte for byte. Pure.
 *
 * Bytes are kept as a string with one character each (`\xe9`), so that no decoding loses any.
 */
import { MAX_DECODINGS } from './limits.ts';

/** A percent sign that is not part of an encoded byte. */
const STRAY_PERCENT = /%(?![0-9a-f]{2})/i;
const ENCODED_BYTE = /%([0-9a-f]{2})/gi;
/** Older Microsoft servers decode `%u002e` as a dot. */
const ENCODED_UNIT = /%u([0-9a-f]{4})/gi;
const BEYOND_ASCII = /[\u0080-\uffff]+/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches control characters.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** ASCII characters in more bytes than necessary: a lenient decoder reads `%c0%ae` as a dot (RFC 3629 §10). */
const OVERLONG = /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}/;
/** Encodings of `%`, `/` and `\`, which mean another path than the characters themselves. */
const KEPT_ENCODED = /^%(?:25|2f|5c)$/i;

/** The reason why a path can't be forwarded, as "expected …"; `undefined` when it can. An empty path is the base URL itself. */
export function pathRefusal(path: string): string | undefined {
	if (STRAY_PERCENT.test(path)) return 'expected every % to be followed by two hexadecimal digits';
	let bytes = escapeBeyondAscii(path);
	for (let decodings = 0; decodings <= MAX_DECODINGS; decodings++) {
		const refusal = spellingRefusal(bytes);
		if (refusal !== undefined) return refusal;
		const next = decoded(bytes);
		if (next === bytes) return undefined;
		bytes = next;
	}
	return 'expected a path that is percent-encoded only once';
}

/**
 * Whether a path matches one of the patterns: `/%72eports` is `/reports`, but `/reports%2f1` is not `/reports/1`. A server that
 * decodes the slash stays below the same prefix, because paths with dot segments were refused before.
 */
export function isAllowedPath(path: string, patterns: readonly string[]): boolean {
	const plain = comparable(path || '/');
	return patterns.some((pattern) => {
		if (!pattern.endsWith('*')) return plain === comparable(pattern);
		return plain.startsWith(comparable(pattern.slice(0, -1)));
	});
}

/**
 * The URL of a request: the path is appended to the base URL's own path, never resolved against it.
 *
 * @throws {TypeError} when the result is still outside the base URL.
 */
export function upstreamUrl(baseUrl: string, { path, query }: { readonly path: string; readonly query: string }): URL {
	const base = baseUrl.replace(/\/+$/, '');
	const target = new URL(base + path + query);
	const { origin, pathname } = new URL(base);
	const root = pathname.replace(/\/+$/, '');
	const isBelow = target.origin === origin && (target.pathname === pathname || target.pathname.startsWith(`${root}/`));
	if (!isBelow) throw new TypeError('The path leads out of the base URL');
	return target;
}

/** The path of a URL below the base URL, as in a request; `undefined` for a URL outside it. */
export function pathBelow(baseUrl: string, { origin, pathname }: URL): string | undefined {
	const base = new URL(baseUrl);
	const root = base.pathname.replace(/\/+$/, '');
	const isBelow = origin === base.origin && (pathname === root || pathname.startsWith(`${root}/`));
	return isBelow ? pathname.slice(root.length) : undefined;
}

/** @param bytes a path, decoded as many times as a server on the way may decode it. */
function spellingRefusal(bytes: string): string | undefined {
	if (OVERLONG.test(bytes)) return 'expected no overlong UTF-8 encoding';
	// Compatibility forms count too: some servers read a full-width dot as a dot. Invalid UTF-8 is never read as one.
	const text = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))).normalize('NFKC');
	if (CONTROL.test(text)) return 'expected no control characters';
	if (/^[/\\]{2}/.test(text)) return 'expected a path that does not begin with two slashes, which name a host';
	return text.split(/[/\\]/).some(isDots) ? 'expected no "." or ".." segment' : undefined;
}

/** Matches `.` and `..`, also with parameters (`..;a=b`), a decoded query, or spaces, which servers may drop. */
function isDots(segment: string): boolean {
	const bare = (segment.split(/[;?#]/, 1)[0] ?? '').trim();
	return bare === '.' || bare === '..';
}

function escapeBeyondAscii(text: string): string {
	return text.toWellFormed().replace(BEYOND_ASCII, (characters) => decoded(encodeURIComponent(characters)));
}

function decoded(bytes: string): string {
	return bytes
		.replace(ENCODED_UNIT, (_, unit: string) => escapeBeyondAscii(String.fromCharCode(Number.parseInt(unit, 16))))
		.replace(ENCODED_BYTE, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
}

/** Normalizes the spellings that all servers read as the same path. */
function comparable(path: string): string {
	return escapeBeyondAscii(path).replace(ENCODED_BYTE, (encoded, byte: string) =>
		KEPT_ENCODED.test(encoded) ? encoded.toLowerCase() : String.fromCharCode(Number.parseInt(byte, 16)),
	);
}
