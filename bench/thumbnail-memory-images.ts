/** Generates images of any size and kind for the thumbnail bench and tests, so that the repository contains no large files. */
import { deflateSync } from 'node:zlib';
import type { Codec, Picture } from '../src/tasks/thumbnail/codec.ts';
import type { CodecLoaders } from '../src/tasks/thumbnail/codecs.ts';
import { type ImageFormat, readHeader } from '../src/tasks/thumbnail/header.ts';
import { readerFor, writerFor } from '../src/tasks/thumbnail/memory.ts';
import { resample } from '../src/tasks/thumbnail/resample.ts';

export type { Picture };

type Bytes = Uint8Array<ArrayBuffer>;

/** A flat JPEG, written by hand, with the parts of the format that our encoder does not write. */
export interface FlatJpeg {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** Default: 3. */
	readonly channels?: 1 | 2 | 3 | 4;
	/** Stores colour at half the size in each direction, as phones do. Default: at full size. */
	readonly halfColour?: boolean;
	readonly progressive?: boolean;
	/** Number of passes over the whole image. Default: 1. */
	readonly scans?: number;
	/** Default: 8. */
	readonly bits?: number;
	/** The frame marker, for kinds that no decoder here supports. Default: baseline, or progressive. */
	readonly frameMarker?: number;
	/** Leaves out the marker that says four channels are CMYK. */
	readonly unnamedChannels?: boolean;
	/** Segments to insert after the start. */
	readonly extra?: Uint8Array;
}

const BLOCK_PIXELS = 8;
const BITS_PER_BYTE = 8;
const RGBA_BYTES = 4;

/** Encodes a picture of any size with the codec of the format. Default quality: 90. */
export async function encodePicture(
	picture: Picture,
	format: ImageFormat,
	{ loaders, quality = 90 }: { readonly loaders: CodecLoaders; readonly quality?: number },
): Promise<Bytes> {
	return (await loaders[writerFor(format)]()).encode(picture, quality);
}

/** Decodes an image to RGBA as stored, without applying the orientation. */
export async function decodePicture(bytes: Uint8Array, format: ImageFormat, loaders: CodecLoaders): Promise<Picture> {
	return scaledPicture(await loaders[readerFor(format)](), readHeader(format, bytes.slice()).file, 1);
}

/** Resizes a photo to a number of megapixels. */
export async function photoOf(photo: Uint8Array, megapixels: number, loaders: CodecLoaders): Promise<Picture> {
	const { widthPixels, heightPixels } = readHeader('jpeg', photo);
	const scale = Math.sqrt((megapixels * 1_000_000) / (widthPixels * heightPixels));
	return scaledPicture(await loaders.jpeg(), photo, scale);
}

function scaledPicture(codec: Codec, file: Uint8Array, scale: number): Picture {
	const decoded = codec.decode(file, { widthPixels: 1, heightPixels: 1, eighths: BLOCK_PIXELS });
	const widthPixels = Math.round(decoded.widthPixels * scale);
	const heightPixels = Math.round(decoded.heightPixels * scale);
	const data = new Uint8ClampedArray(widthPixels * heightPixels * RGBA_BYTES);
	const crop = { x: 0, y: 0, width: decoded.widthPixels, height: decoded.heightPixels };
	resample(decoded.pixels(), { data, widthPixels, heightPixels }, { crop, orientation: 1, flatten: false });
	return { widthPixels, heightPixels, data };
}

/** Paints a picture from a function of the coordinates. */
export function paint(
	widthPixels: number,
	heightPixels: number,
	colour: (x: number, y: number) => readonly [red: number, green: number, blue: number, alpha?: number],
): Picture {
	const data = new Uint8ClampedArray(widthPixels * heightPixels * RGBA_BYTES);
	for (let y = 0; y < heightPixels; y++) {
		for (let x = 0; x < widthPixels; x++) {
			const [red, green, blue, alpha = 255] = colour(x, y);
			data.set([red, green, blue, alpha], (y * widthPixels + x) * RGBA_BYTES);
		}
	}
	return { widthPixels, heightPixels, data };
}

/** Noise, which gives the largest encoded images. */
export function noise(widthPixels: number, heightPixels: number): Picture {
	const data = new Uint8ClampedArray(widthPixels * heightPixels * RGBA_BYTES);
	const maxAtOnce = 65_536;
	const bytes = new Uint8Array(data.buffer);
	for (let at = 0; at < bytes.length; at += maxAtOnce) crypto.getRandomValues(bytes.subarray(at, at + maxAtOnce));
	return { widthPixels, heightPixels, data };
}

/** Concatenates the pieces. */
export function concat(...pieces: readonly (Uint8Array | readonly number[] | string)[]): Bytes {
	const arrays = pieces.map((piece) =>
		typeof piece === 'string' ? Uint8Array.from(piece, (letter) => letter.charCodeAt(0)) : Uint8Array.from(piece),
	);
	const all = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const array of arrays) {
		all.set(array, at);
		at += array.length;
	}
	return all;
}

/** A JPEG segment. */
export function jpegSegment(marker: number, data: Uint8Array): Bytes {
	return concat([0xff, marker], bigEndian(data.length + 2, 2), data);
}

/**
 * A JPEG whose every block is the same grey. The Huffman codes are one bit long and that bit is 0, so the coded pixels
 * are zeros, and a decoder needs for them exactly what it needs for a photo of this kind and size.
 */
export function flatJpeg(options: FlatJpeg): Bytes {
	const { widthPixels, heightPixels, channels = 3, halfColour = false, progressive = false, scans = 1 } = options;
	const frameMarker = options.frameMarker ?? (progressive ? 0xc2 : 0xc0);
	const ids = Array.from({ length: channels }, (_, index) => index + 1);
	const sampling = ids.map((id) => (id === 1 && halfColour ? 0x22 : 0x11));
	const size = [...bigEndian(heightPixels, 2), ...bigEndian(widthPixels, 2)];
	const frame = [options.bits ?? 8, ...size, channels, ...ids.flatMap((id, index) => [id, sampling[index] ?? 0, 0])];
	const lastCoefficient = progressive ? 0 : 63;
	const scanHeader = [channels, ...ids.flatMap((id) => [id, 0x00]), 0, lastCoefficient, 0];
	const unitPixels = BLOCK_PIXELS * (halfColour ? 2 : 1);
	const units = Math.ceil(widthPixels / unitPixels) * Math.ceil(heightPixels / unitPixels);
	const blocks = units * (halfColour ? channels + 3 : channels);
	const codesPerBlock = progressive ? 1 : 2;
	const pixels = new Uint8Array(Math.ceil((blocks * codesPerBlock) / BITS_PER_BYTE));
	const scan = concat(jpegSegment(0xda, Uint8Array.from(scanHeader)), pixels);
	const oneCode = [1, ...new Array<number>(15).fill(0), 0];
	return concat(
		[0xff, 0xd8],
		options.extra ?? [],
		channels === 4 && !options.unnamedChannels ? ADOBE_CMYK : [],
		jpegSegment(0xdb, concat([0], new Uint8Array(64).fill(1))),
		jpegSegment(frameMarker, Uint8Array.from(frame)),
		jpegSegment(0xc4, concat([0x00], oneCode)),
		jpegSegment(0xc4, concat([0x10], oneCode)),
		...new Array<Bytes>(scans).fill(scan),
		[0xff, 0xd9],
	);
}

const ADOBE_CMYK = jpegSegment(0xee, concat('Adobe', [0, 100, 0, 0, 0, 0, 0]));

/** A PNG chunk, with its checksum. */
export function pngChunk(type: string, data: Uint8Array): Bytes {
	const body = concat(type, data);
	return concat(bigEndian(data.length, 4), body, bigEndian(crc32(body), 4));
}

/** A PNG of one colour. */
export function flatPng(options: {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** 0 grey, 2 RGB, 4 grey with transparency, 6 RGBA. Default: 6. */
	readonly colourType?: 0 | 2 | 4 | 6;
	/** Default: 8. */
	readonly bits?: 8 | 16;
	/** Chunks to insert before the pixels. */
	readonly extra?: Uint8Array;
	/** Replaces the pixels. */
	readonly rows?: Uint8Array;
}): Bytes {
	const { widthPixels, heightPixels, colourType = 6, bits = 8 } = options;
	const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[colourType];
	const rowBytes = 1 + (widthPixels * channels * bits) / BITS_PER_BYTE;
	const rows = options.rows ?? flatRows(rowBytes, heightPixels);
	const size = [...bigEndian(widthPixels, 4), ...bigEndian(heightPixels, 4)];
	return concat(
		'\x89PNG\r\n\x1a\n',
		pngChunk('IHDR', Uint8Array.from([...size, bits, colourType, 0, 0, 0])),
		options.extra ?? [],
		pngChunk('IDAT', deflateSync(rows)),
		pngChunk('IEND', new Uint8Array()),
	);
}

function flatRows(rowBytes: number, rows: number): Uint8Array {
	const all = new Uint8Array(rowBytes * rows).fill(0x80);
	for (let row = 0; row < rows; row++) all[row * rowBytes] = 0;
	return all;
}

/** An EXIF block (TIFF, big endian) that contains only the orientation. */
export function exif(orientation: number): Bytes {
	const entry = [0x01, 0x12, 0x00, 0x03, 0, 0, 0, 1, 0, orientation, 0, 0];
	return concat('MM\0*', [0, 0, 0, 8], [0, 1], entry, [0, 0, 0, 0]);
}

/** Inserts an EXIF orientation into the image. */
export function withOrientation(image: Uint8Array, format: ImageFormat, orientation: number): Bytes {
	const tiff = exif(orientation);
	switch (format) {
		case 'jpeg':
			return concat(image.subarray(0, 2), jpegSegment(0xe1, concat('Exif\0\0', tiff)), image.subarray(2));
		case 'png': {
			const endOfIhdr = 33;
			return concat(image.subarray(0, endOfIhdr), pngChunk('eXIf', tiff), image.subarray(endOfIhdr));
		}
		case 'webp':
			return withWebpExif(image, tiff);
	}
}

/** Supports only the output of our encoder: a still picture, lossy and perhaps transparent. */
function withWebpExif(image: Uint8Array, tiff: Uint8Array): Bytes {
	const exifFlag = 0x08;
	if (String.fromCharCode(...image.subarray(12, 16)) === 'VP8X') {
		const extended = concat(image.subarray(12));
		extended[8] = (extended[8] ?? 0) | exifFlag;
		return webpFile(extended, webpChunk('EXIF', tiff));
	}
	const pixels = image.subarray(12);
	const view = new DataView(pixels.buffer, pixels.byteOffset);
	const canvas = [...littleEndian(view.getUint16(14, true) - 1, 3), ...littleEndian(view.getUint16(16, true) - 1, 3)];
	const header = webpChunk('VP8X', Uint8Array.from([exifFlag, 0, 0, 0, ...canvas]));
	return webpFile(header, pixels, webpChunk('EXIF', tiff));
}

/** A WebP chunk. */
export function webpChunk(type: string, data: Uint8Array): Bytes {
	return concat(type, littleEndian(data.length, 4), data, data.length % 2 ? [0] : []);
}

/** A WebP file of these chunks. */
export function webpFile(...chunks: readonly Uint8Array[]): Bytes {
	const body = concat('WEBP', ...chunks);
	return concat('RIFF', littleEndian(body.length, 4), body);
}

function bigEndian(value: number, length: number): number[] {
	return littleEndian(value, length).reverse();
}

function littleEndian(value: number, length: number): number[] {
	return Array.from({ length }, (_, index) => (value >>> (index * BITS_PER_BYTE)) & 0xff);
}

function crc32(bytes: Uint8Array): number {
	let crc = 0xffffffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < BITS_PER_BYTE; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
	}
	return ~crc >>> 0;
}
