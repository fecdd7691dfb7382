/**
 * What a request may have besides its body: looked at before anything else is, so that no later step has to ask itself how
 * much there can be. What single headers and the body may have, whoever reads them says.
 */
import { KIB } from '../job/limits.ts';
import { Problem } from './problem.ts';

export const REQUEST_LIMITS = {
	/** RFC 9110 §4.1 wants 8,000 octets at least to be understood. */
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
		throw new Problem('UriTooLong', `At most ${urlChars} characters of URL are taken here, got: ${url.href.length}`);
	if (url.search !== '' && url.searchParams.size > queryParameters)
		throw new Problem(
			'InvalidRequest',
			`At most ${queryParameters} query parameters are taken here, got: ${url.searchParams.size}`,
		);
	refuseTooManyHeaders(headers);
}

function refuseTooManyHeaders(headers: Headers): void {
	const { headers: maxHeaders, headerBytes } = REQUEST_LIMITS;
	let count = 0;
	let sizeBytes = 0;
	let largest = { name: '', sizeBytes: 0 };
	headers.forEach((value, name) => {
		// What a header can carry is Latin-1: a character is a byte.
		const size = name.length + value.length;
		count++;
		sizeBytes += size;
		if (size > largest.sizeBytes) largest = { name, sizeBytes: size };
	});
	if (count > maxHeaders)
		throw new Problem('HeadersTooLarge', `At most ${maxHeaders} headers are taken here, got: ${count}`);
	if (sizeBytes <= headerBytes) return;
	const message = `At most ${headerBytes} bytes of headers are taken here, got: ${sizeBytes}`;
	const errors = [{ header: largest.name, message: 'is the largest of them' }];
	throw new Problem('HeadersTooLarge', message, { errors });
}
