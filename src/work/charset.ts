/** The character encoding of text, as its media type names it (RFC 9110 §8.3.2). */
import { parse } from 'content-type';

/** The `charset` parameter of a media type, as it was sent; `undefined` when there is none. */
export function charsetOf(mediaType: string): string | undefined {
	return parse(mediaType).parameters.charset || undefined;
}

/** Creates a decoder for a stream of text. @returns `undefined` for an encoding that the runtime doesn't support. */
export function decoderFor(charset: string): TextDecoder | undefined {
	try {
		return new TextDecoder(charset);
	} catch {
		return undefined;
	}
}
