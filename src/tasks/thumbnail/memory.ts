/**
 * Estimates the memory that an image needs, before it is decoded. Pure.
 *
 * An isolate has 128 MB for everything. A codec needs a fixed number of bytes a pixel. The numbers here were measured, the
 * tests verify them, and `bench/thumbnail-memory.ts` prints them.
 */
import type { ImageFormat, ImageHeader } from './header.ts';

export const CODEC_NAMES = ['jpeg', 'png', 'webp-decoder', 'webp-encoder'] as const;
export type CodecName = (typeof CODEC_NAMES)[number];

/** The maximum memory that an image needs, in bytes. */
export interface MemoryNeeds {
	/** The linear memory of each codec; 0 when it is not used. */
	readonly codecs: Readonly<Record<CodecName, number>>;
	/** Outside the codecs: the file, the resized pixels, and the encoded result. */
	readonly outside: number;
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
 * The maximum memory for images at one time, in bytes: the codecs' linear memory, the file, its pixels and the result. The rest
 * of the isolate's 128 MB is for the service itself.
 */
export const MEMORY_BUDGET_BYTES = 110_000_000;

/** The full size, in eighths. */
export const FULL_SIZE_EIGHTHS = 8;

const RGBA_BYTES = 4;
/** The initial memory of a codec that is built from Rust, and its bookkeeping. */
const RUST_BASE_BYTES = 3_000_000;
/** The initial memory of a codec that is built by Emscripten: 256 pages. */
const EMSCRIPTEN_BASE_BYTES = 16_777_216;
/** Emscripten's own data and stack, which come before everything else. */
const EMSCRIPTEN_DATA_BYTES = 1_000_000;
/** Emscripten grows the memory by at least a fifth. */
const EMSCRIPTEN_GROWTH = 1.2;

/** The JPEG codec keeps the file and may copy its colour profile. */
const JPEG_FILE_COPIES = 2;
/** The coefficients of a progressive JPEG are 16-bit and kept for the whole image, at any decoding scale. */
const COEFFICIENT_BYTES = 2;
/** The part of a WebP's pixels beside the RGBA: of a lossless picture, or of the transparency of a lossy one. */
const WEBP_LOSSLESS_BYTES = 4;
/** Rows of a lossy WebP that are decoded at one time, for each pixel of the width. */
const WEBP_ROW_BYTES = 128;

/** Bytes of each result pixel in the codec: as RGBA, in the encoder's copies, and encoded in a growing buffer. */
const ENCODE_BYTES_PER_PIXEL: Readonly<Record<ImageFormat, number>> = { jpeg: 14, png: 24, webp: 40 };
/** Above this quality a JPEG of noise takes much more memory. */
const MODEST_QUALITY = 95;
const TOP_QUALITY_BYTES_PER_PIXEL = 21;
/** Bytes of each encoded result pixel in the worst case (noise). */
const RESULT_BYTES_PER_PIXEL: Readonly<Record<ImageFormat, number>> = { jpeg: 2.5, png: 4.2, webp: 2.3 };
const TOP_QUALITY_RESULT_BYTES_PER_PIXEL = 4.2;

/** The codec that reads a format. */
export function readerFor(format: ImageFormat): CodecName {
	return format === 'webp' ? 'webp-decoder' : format;
}

/** The codec that writes a format. */
export function writerFor(format: ImageFormat): CodecName {
	return format === 'webp' ? 'webp-encoder' : format;
}

/** The memory that the work needs. A codec that decodes and encodes reuses its memory; a second codec has its own. */
export function memoryNeeds(work: Work): MemoryNeeds {
	const reader = readerFor(work.header.format);
	const writer = writerFor(work.format);
	const codecs = { jpeg: 0, png: 0, 'webp-decoder': 0, 'webp-encoder': 0 };
	codecs[writer] = encoderBytes(work);
	codecs[reader] = Math.max(codecs[reader], decoderBytes(work));
	const copiedPixels = reader === 'webp-decoder' ? work.header.widthPixels * work.header.heightPixels : 0;
	const encodedBytes = isTopJpeg(work) ? TOP_QUALITY_RESULT_BYTES_PER_PIXEL : RESULT_BYTES_PER_PIXEL[work.format];
	const resultBytes = work.resultPixels * (RGBA_BYTES + encodedBytes);
	const fileCopies = work.header.file.length > work.inputBytes ? 2 : 1;
	return { codecs, outside: work.inputBytes * fileCopies + copiedPixels * RGBA_BYTES + resultBytes };
}

/** The memory of bytes outside the codecs: of a file before its header is read. */
export function needsOutside(bytes: number): MemoryNeeds {
	return { codecs: { jpeg: 0, png: 0, 'webp-decoder': 0, 'webp-encoder': 0 }, outside: bytes };
}

/** The total memory of an image, in bytes. */
export function totalBytes({ codecs, outside }: MemoryNeeds): number {
	return CODEC_NAMES.reduce((sum, name) => sum + codecs[name], outside);
}

function decoderBytes({ header, inputBytes, eighths }: Work): number {
	const pixels = header.widthPixels * header.heightPixels;
	switch (header.format) {
		case 'jpeg': {
			const scale = (eighths / FULL_SIZE_EIGHTHS) ** 2;
			const planes = (header.storedSamples + pixels * header.channels) * scale;
			const coefficients = header.progressive ? header.storedSamples * COEFFICIENT_BYTES : 0;
			return RUST_BASE_BYTES + inputBytes * JPEG_FILE_COPIES + coefficients + planes;
		}
		case 'png':
			return RUST_BASE_BYTES + inputBytes + pixels * header.decodedBytesPerPixel;
		case 'webp': {
			const besideRgba = header.isLossless ? pixels * WEBP_LOSSLESS_BYTES : header.widthPixels * WEBP_ROW_BYTES;
			return emscriptenBytes(inputBytes + pixels * RGBA_BYTES + besideRgba);
		}
	}
}

function isTopJpeg({ format, quality }: Work): boolean {
	return format === 'jpeg' && quality > MODEST_QUALITY;
}

function encoderBytes(work: Work): number {
	const { format, resultPixels } = work;
	const bytes = resultPixels * (isTopJpeg(work) ? TOP_QUALITY_BYTES_PER_PIXEL : ENCODE_BYTES_PER_PIXEL[format]);
	return format === 'webp' ? emscriptenBytes(bytes) : RUST_BASE_BYTES + bytes;
}

function emscriptenBytes(bytes: number): number {
	return Math.max(EMSCRIPTEN_BASE_BYTES, (EMSCRIPTEN_DATA_BYTES + bytes) * EMSCRIPTEN_GROWTH);
}
