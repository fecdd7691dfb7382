/**
 * Limits of a request without its body. They are checked first, so that later steps can rely on them. Limits of single headers
 * and of the body are next to the code that reads them.
 */
import { KIB } from '../core/job/limits.ts';
import { Problem } from './problem.ts';

export const REQUEST_LIMITS = {
	/** RFC 9110 §4.1 recommends supporting at least 8,000 octets. */
	urlChars: 8 * KIB,
	queryParameters: 100,
	headers: 100,
	/** Names and values of all headers together: room for two large tokens and a browser's cookies. */
	headerBytes: 32 * KIB,
} as const;

/** @throws {Problem} `UriTooLong`, `HeadersTooLarge` or `InvalidRequest`. */
export function refuseOversized({ headers }: Request, url: URL): void {
	const { urlChars, queryParameters } = REQUEST_LIMITS;
	if (url.href.length > urlChars)
		throw new Problem('UriTooLong', `Expected a URL of at most ${urlChars} characters, got: ${url.href.length}`);
	// Parsing is not free, and each parameter takes a character at least.
	if (url.search.length > queryParameters && url.searchParams.size > queryParameters)
		throw new Problem(
			'InvalidRequest',
			`Expected at most ${queryParameters} query parameters, got: ${url.searchParams.size}`,
		);
	refuseTooManyHeaders(headers);
}

function refuseTooManyHeaders(headers: Headers): void {
	const { headers: maxHeaders, headerBytes } = REQUEST_LIMITS;
	let count = 0;
	let sizeBytes = 0;
	let largest = { name: '', sizeBytes: 0 };
	headers.forEach((value, name) => {
		// Headers are Latin-1: a character is a byte.
		const size = name.length + value.length;
		count++;
		sizeBytes += size;
		if (size > largest.sizeBytes) largest = { name, sizeBytes: size };
	});
	if (count > maxHeaders) throw new Problem('HeadersTooLarge', `Expected at most ${maxHeaders} headers, got: ${count}`);
	if (sizeBytes <= headerBytes) return;
	const message = `Expected at most ${headerBytes} bytes of headers, got: ${sizeBytes}`;
	const errors = [{ header: largest.name, message: 'the largest header' }];
	throw new Problem('HeadersTooLarge', message, { errors });
}
