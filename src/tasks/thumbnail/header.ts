/**
 * Reads an image's header before decoding. Pure.
 *
 * A decoder allocates the memory that the header asks for, some of it twice. So the header is read here first, with every bound
 * checked. This also finds truncated files: decoders paint the missing part grey without an error.
 */
import { invalidImage, unsupportedImage } from './errors.ts';
import { type JpegHeader, readJpegHeader } from './header-jpeg.ts';
import { type PngHeader, readPngHeader } from './header-png.ts';
import { readWebpHeader, type WebpHeader } from './header-webp.ts';
import { hasText } from './image-bytes.ts';

/** The supported formats, for input and output. */
export type ImageFormat = 'jpeg' | 'png' | 'webp';

/** The header of an image. */
export type ImageHeader = JpegHeader | PngHeader | WebpHeader;

/** Number of leading bytes that {@link detectFormat} needs. */
export const SIGNATURE_BYTES = 12;

/** Other image formats that clients send, so that the error can name them. */
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
 * Detects the format from the leading bytes. The client's content type is ignored, because it is often wrong.
 *
 * @param bytes at least {@link SIGNATURE_BYTES} of the file, or all of it if it is shorter.
 * @throws {TaskError} `UnsupportedImage` for another image format, `InvalidImage` for anything else.
 */
export function detectFormat(bytes: Uint8Array): ImageFormat {
	if (hasText(bytes, 0, '\xff\xd8\xff')) return 'jpeg';
	if (hasText(bytes, 0, '\x89PNG\r\n\x1a\n')) return 'png';
	if (hasText(bytes, 0, 'RIFF') && hasText(bytes, 8, 'WEBP')) return 'webp';
	for (const [name, offset, signature] of UNSUPPORTED_SIGNATURES) {
		if (hasText(bytes, offset, signature)) throw unsupportedImage(`The image is ${name}, expected JPEG, PNG or WebP`);
	}
	throw invalidImage('The bytes are not an image, expected JPEG, PNG or WebP');
}

/**
 * Reads the header of a complete file of a known format.
 *
 * @throws {TaskError} `InvalidImage` when the file is damaged or truncated, `UnsupportedImage` when no decoder supports it.
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
