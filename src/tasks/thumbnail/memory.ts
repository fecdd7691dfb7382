/**
 * Estimates the memory that an image needs, before it is decoded. Pure.
 *
 * An isolate has 128 MB for everything. A codec needs a fixed number of bytes a pixel. The numbers here were measured, the
 * tests verify them, and `bench/thumbnail-memory.ts` prints them.
 */
import type { ImageFormat, ImageHeader } from './header.ts';

/** `jpeg` reads and writes JPEG, `photon` PNG and WebP. */
export type CodecName = 'jpeg' | 'photon';

/** The maximum memory that an image needs, in bytes. */
export interface MemoryNeeds {
	/** In the JPEG codec; 0 when it is not used. */
	readonly jpeg: number;
	/** In Photon; 0 when it is not used. */
	readonly photon: number;
	/** Outside the codecs: the encoded result. */
	readonly result: number;
}

/** The facts of a plan that determine its memory. */
export interface Work {
	readonly header: ImageHeader;
	readonly inputBytes: number;
	/** The size that the image is decoded at, in eighths. */
	readonly eighths: number;
	readonly format: ImageFormat;
	readonly quality: number;
	readonly resultPixels: number;
}

/**
 * The maximum memory for images at one time, in bytes: the codecs' linear memory, which holds the input and all pixels, and the
 * result. The rest of the isolate's 128 MB is for the service itself.
 */
export const MEMORY_BUDGET_BYTES = 110_000_000;

/** The full size, in eighths. */
export const FULL_SIZE_EIGHTHS = 8;

/** The initial memory of a codec, and its bookkeeping. */
const CODEC_BASE_BYTES = 3_000_000;

/** The JPEG codec keeps the input and may copy its colour profile. */
const JPEG_INPUT_COPIES = 2;
/** The coefficients of a progressive JPEG are 16-bit and kept for the whole image, at any decoding scale. */
const COEFFICIENT_BYTES = 2;
/** A PNG is decoded to its own channels, then converted to RGBA, then copied. */
const PNG_RGBA_BYTES = 8;
/** A WebP is decoded to planes, then to RGB, then converted to RGBA, then copied. */
const WEBP_PIXEL_BYTES = 15;
/** A WebP's chunk is copied while the copy doubles in size. */
const WEBP_INPUT_COPIES = 3;
const RGBA_BYTES = 4;

/** Bytes of each result pixel in the codec: as RGBA, in the encoder's copies, and encoded in a growing buffer. */
const ENCODE_BYTES_PER_PIXEL: Readonly<Record<ImageFormat, number>> = { jpeg: 14, png: 36, webp: 27 };
/** Above this quality a JPEG of noise is larger than its pixels. */
const MODEST_QUALITY = 95;
const TOP_QUALITY_BYTES_PER_PIXEL = 21;
/** Bytes of each result pixel outside the codec in the worst case (noise). */
const RESULT_BYTES_PER_PIXEL = 4.2;

/** The codec that reads and writes a format. */
export function codecOf(format: ImageFormat): CodecName {
	return format === 'jpeg' ? 'jpeg' : 'photon';
}

/** The memory that the work needs. A codec that decodes and encodes reuses its memory; a second codec has its own. */
export function memoryNeeds(work: Work): MemoryNeeds {
	const reader = codecOf(work.header.format);
	const writer = codecOf(work.format);
	const decode = decodeBytes(work);
	const encode = encodeBytes(work);
	const needs = { jpeg: 0, photon: 0, result: work.resultPixels * RESULT_BYTES_PER_PIXEL };
	needs[writer] = CODEC_BASE_BYTES + encode;
	needs[reader] = CODEC_BASE_BYTES + Math.max(decode.peak, reader === writer ? decode.kept + encode : 0);
	return needs;
}

/** The memory for the input in its codec, before the header is read. */
export function inputNeeds(format: ImageFormat, inputBytes: number): MemoryNeeds {
	return { jpeg: 0, photon: 0, result: 0, [codecOf(format)]: CODEC_BASE_BYTES + inputBytes };
}

/** The total memory of an image, in bytes. */
export function totalBytes({ jpeg, photon, result }: MemoryNeeds): number {
	return jpeg + photon + result;
}

/** The peak memory of decoding, and the part that the decoded pixels still use afterwards. */
function decodeBytes({ header, inputBytes, eighths }: Work): { peak: number; kept: number } {
	const pixels = header.widthPixels * header.heightPixels;
	switch (header.format) {
		case 'jpeg': {
			const scale = (eighths / FULL_SIZE_EIGHTHS) ** 2;
			const kept = pixels * scale * header.channels;
			const planes = header.storedSamples * scale;
			const coefficients = header.progressive ? header.storedSamples * COEFFICIENT_BYTES : 0;
			return { peak: inputBytes * JPEG_INPUT_COPIES + coefficients + planes + kept, kept };
		}
		case 'png':
			return { peak: inputBytes + pixels * (header.bytesPerPixel + PNG_RGBA_BYTES), kept: pixels * RGBA_BYTES };
		case 'webp':
			return { peak: inputBytes * WEBP_INPUT_COPIES + pixels * WEBP_PIXEL_BYTES, kept: pixels * RGBA_BYTES };
	}
}

function encodeBytes({ format, quality, resultPixels }: Work): number {
	const isTopJpeg = format === 'jpeg' && quality > MODEST_QUALITY;
	return resultPixels * (isTopJpeg ? TOP_QUALITY_BYTES_PER_PIXEL : ENCODE_BYTES_PER_PIXEL[format]);
}
