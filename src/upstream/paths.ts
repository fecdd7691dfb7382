/**
 * Which paths below an upstream's base URL may be asked for. A path is judged by what any server on the way could take it
 * for: decoded, decoded again, with either slash. Pure.
 */
import { MAX_DECODINGS } from './limits.ts';

const ENCODED_SLASH = /%(?:2f|5c)/i;
/** A percent sign that encodes nothing; some servers take `%u002e` for a dot. */
const STRAY_PERCENT = /%(?![0-9a-f]{2})/i;
const ENCODED = /(?:%[0-9a-f]{2})+/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Why a path can't be forwarded, as "expected …"; `undefined` when it can. Empty is the base URL itself. */
export function pathRefusalOf(path: string): string | undefined {
	if (path.startsWith('//')) return 'expected a path, got another host';
	if (STRAY_PERCENT.test(path)) return 'expected every % to be followed by two hexadecimal digits';
	let text = path;
	for (let decodings = 0; decodings <= MAX_DECODINGS; decodings++) {
		const refusal = spellingRefusalOf(text);
		if (refusal !== undefined) return refusal;
		const next = decoded(text);
		if (next === undefined) return 'expected UTF-8';
		if (next === text) return undefined;
		text = next;
	}
	return 'expected a path that is encoded once';
}

/** The path as its patterns see it: `/%72eports` is `/reports`. */
export function isAllowedPath(path: string, patterns: readonly string[]): boolean {
	const plain = decoded(path || '/') ?? '';
	return patterns.some((pattern) => {
		const wanted = decoded(pattern) ?? pattern;
		return wanted.endsWith('*') ? plain.startsWith(wanted.slice(0, -1)) : plain === wanted;
	});
}

/**
 * Where a request goes: the path is put behind the base URL's own, never resolved against it.
 *
 * @throws {TypeError} when that leads elsewhere all the same.
 */
export function targetOf(baseUrl: string, { path, query }: { readonly path: string; readonly query: string }): URL {
	const base = baseUrl.replace(/\/+$/, '');
	const target = new URL(base + path + query);
	const { origin, pathname } = new URL(base);
	const root = pathname.replace(/\/+$/, '');
	const isBelow = target.origin === origin && (target.pathname === pathname || target.pathname.startsWith(`${root}/`));
	if (!isBelow) throw new TypeError('The path leads out of the base URL');
	return target;
}

/** The path of an address below the base URL, as in a request; `undefined` for an address that is not below it. */
export function pathBelow(baseUrl: string, { origin, pathname }: URL): string | undefined {
	const base = new URL(baseUrl);
	const root = base.pathname.replace(/\/+$/, '');
	const isBelow = origin === base.origin && (pathname === root || pathname.startsWith(`${root}/`));
	return isBelow ? pathname.slice(root.length) : undefined;
}

function spellingRefusalOf(text: string): string | undefined {
	if (CONTROL.test(text)) return 'expected no control characters';
	if (ENCODED_SLASH.test(text) || text.includes('\\')) return 'expected no encoded slash and no backslash';
	if (/%u/i.test(text)) return 'expected every % to be followed by two hexadecimal digits';
	// Compatibility forms too: a full-width dot is a dot to some.
	const isEscape = text.normalize('NFKC').split(/[/\\]/).some(isDots);
	return isEscape ? 'expected no "." or ".." segment' : undefined;
}

/** `..`, and what is left of it when parameters (`..;a=b`) and spaces are dropped. */
function isDots(segment: string): boolean {
	const bare = (segment.split(';', 1)[0] ?? '').trim();
	return bare === '.' || bare === '..';
}

function decoded(text: string): string | undefined {
	try {
		return text.replace(ENCODED, decodeURIComponent);
	} catch {
		return undefined;
	}
}
