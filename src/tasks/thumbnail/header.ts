/**
 * What an image's bytes say about themselves, read before anything is decoded. Pure.
 *
 * A decoder allocates what the header asks for, some of it twice, so the header is read here first, with every bound
 * checked. The same walk finds files that were cut off: decoders paint the missing part grey and say nothing.
 */
import { invalidImage, unsupportedImage } from './errors.ts';
import { type JpegHeader, readJpegHeader } from './header-jpeg.ts';
import { type PngHeader, readPngHeader } from './header-png.ts';
import { readWebpHeader, type WebpHeader } from './header-webp.ts';
import { hasText } from './image-bytes.ts';

/** The formats read and written. */
export type ImageFormat = 'jpeg' | 'png' | 'webp';

/** What is known of an image before it is decoded. */
export type ImageHeader = JpegHeader | PngHeader | WebpHeader;

/** How many leading bytes {@link detectFormat} looks at. */
export const SIGNATURE_BYTES = 12;

/** Other kinds of image that people do send, so that the refusal can name them. */
const UNSUPPORTED_SIGNATURES: readonly (readonly [name: string, offset: number, signature: string])[] = [
	['GIF', 0, 'GIF8'],
	['BMP', 0, 'BM'],
	['TIFF', 0, 'II*\0'],
	['TIFF', 0, 'MM\0*'],
	['HEIC or AVIF', 4, 'ftyp'],
	['JPEG XL', 0, '\xff\x0a'],
	['JPEG XL', 4, 'JXL '],
	['SVG', 0, '<svg'],
];

/**
 * The format by the leading bytes. The content type the client sent is not asked: it is often wrong, the bytes never.
 *
 * @param bytes at least {@link SIGNATURE_BYTES} of the file, or all of it if it is shorter.
 * @throws {TaskError} `UnsupportedImage` for another kind of image, `InvalidImage` for anything else.
 */
export function detectFormat(bytes: Uint8Array): ImageFormat {
	if (hasText(bytes, 0, '\xff\xd8\xff')) return 'jpeg';
	if (hasText(bytes, 0, '\x89PNG\r\n\x1a\n')) return 'png';
	if (hasText(bytes, 0, 'RIFF') && hasText(bytes, 8, 'WEBP')) return 'webp';
	for (const [name, offset, signature] of UNSUPPORTED_SIGNATURES) {
		if (hasText(bytes, offset, signature))
			throw unsupportedImage(`The image is ${name}; JPEG, PNG and WebP are taken.`);
	}
	throw invalidImage('The bytes are not an image: neither JPEG, PNG nor WebP.');
}

/**
 * Reads the header of a whole file whose format is known.
 *
 * @throws {TaskError} `InvalidImage` when the file is damaged or ends early, `UnsupportedImage` when no decoder takes it.
 */
export function readHeader(format: ImageFormat, bytes: Uint8Array): ImageHeader {
	switch (format) {
		case 'jpeg':
			return readJpegHeader(bytes);
		case 'png':
			return readPngHeader(bytes);
		case 'webp':
			return readWebpHeader(bytes);
	}
}
