/** Reads a WebP's chunks without decoding it. Pure. */
import { Buffer } from 'node:buffer';
import { invalidImage, unsupportedImage } from './errors.ts';
import { readOrientation } from './exif.ts';
import { dataView, type HeaderBase, hasText, textAt } from './image-bytes.ts';

/** The header of a WebP. */
export interface WebpHeader extends HeaderBase {
	readonly format: 'webp';
	/** Whether the picture, or only its transparency, may be lossless, which takes more memory. */
	readonly isLossless: boolean;
}

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const EXTENDED_BYTES = 10;
const FRAME_HEADER_BYTES = 16;
const ALPHA_FLAG = 0x10;
const LOSSLESS_SIGNATURE = 0x2f;
const SIZE_MASK = 0x3fff;
const SIZE_BITS = 14;
const EXIF_NAME = 'Exif\0\0';

/** The data of the first chunk of each type. */
type Chunks = ReadonlyMap<string, Uint8Array>;

/**
 * The size is the canvas, or the picture's own without one: libwebp fails when they differ, before it allocates anything.
 *
 * @throws {TaskError} `InvalidImage` when damaged or truncated, `UnsupportedImage` for an animation whose first frame is only a
 * part of the picture.
 */
export function readWebpHeader(bytes: Uint8Array): WebpHeader {
	const riffEnd = dataView(bytes).getUint32(4, true) + CHUNK_HEADER_BYTES;
	if (riffEnd > bytes.length) throw webpCutOff();
	const chunks = readChunks(bytes.subarray(RIFF_HEADER_BYTES, riffEnd));
	const canvas = chunks.get('VP8X');
	const isExtended = canvas !== undefined && textAt(bytes, RIFF_HEADER_BYTES, 4) === 'VP8X';
	const frame = chunks.get('ANMF');
	const { file, picture } = frame ? firstFrame(frame, canvas) : { file: bytes.subarray(0, riffEnd), picture: chunks };
	const lossy = picture.get('VP8 ');
	const lossless = picture.get('VP8L');
	if (!lossy && !lossless) throw invalidImage('The WebP has no pixels');
	const [widthPixels, heightPixels] = isExtended
		? readCanvas(canvas)
		: lossy
			? readLossy(lossy)
			: readLossless(lossless);
	if (widthPixels === 0 || heightPixels === 0) throw invalidImage('The WebP is damaged: a side is 0 pixels long');
	const isLossless = lossless !== undefined || picture.has('ALPH');
	const orientation = readWebpOrientation(chunks.get('EXIF'));
	return { format: 'webp', file, orientation, profile: chunks.get('ICCP'), widthPixels, heightPixels, isLossless };
}

function webpCutOff() {
	return invalidImage('The WebP ends early: it is truncated or damaged');
}

function readChunks(bytes: Uint8Array): Chunks {
	const view = dataView(bytes);
	const chunks = new Map<string, Uint8Array>();
	for (let at = 0; at + CHUNK_HEADER_BYTES <= bytes.length; ) {
		const dataStart = at + CHUNK_HEADER_BYTES;
		const length = view.getUint32(at + 4, true);
		if (dataStart + length > bytes.length) throw webpCutOff();
		const type = textAt(bytes, at, 4);
		if (!chunks.has(type)) chunks.set(type, bytes.subarray(dataStart, dataStart + length));
		// A padding byte follows an odd length.
		at = dataStart + length + (length % 2);
	}
	return chunks;
}

/** Makes a still WebP of an animation's first frame, because libwebp's decoder reads no animation. */
function firstFrame(frame: Uint8Array, canvas: Uint8Array | undefined): { file: Uint8Array; picture: Chunks } {
	if (canvas?.length !== EXTENDED_BYTES || frame.length < FRAME_HEADER_BYTES) {
		throw invalidImage('The WebP is damaged: a frame has no size');
	}
	const size = canvas.subarray(4);
	if (!Buffer.from(size).equals(frame.subarray(6, 12))) {
		throw unsupportedImage('The WebP is an animation, expected a first frame that fills the canvas');
	}
	const content = frame.subarray(FRAME_HEADER_BYTES);
	const header = Buffer.from('RIFF....WEBPVP8X....', 'latin1');
	header.writeUInt32LE(header.length - CHUNK_HEADER_BYTES + EXTENDED_BYTES + content.length, 4);
	header.writeUInt32LE(EXTENDED_BYTES, 16);
	return { file: Buffer.concat([header, Buffer.of(ALPHA_FLAG, 0, 0, 0), size, content]), picture: readChunks(content) };
}

function readCanvas(data: Uint8Array): [width: number, height: number] {
	if (data.length < EXTENDED_BYTES) throw invalidImage('The WebP is damaged: its header is too short');
	const size = Buffer.from(data);
	return [size.readUIntLE(4, 3) + 1, size.readUIntLE(7, 3) + 1];
}

function readLossy(data: Uint8Array): [width: number, height: number] {
	if (data.length < 10 || !hasText(data, 3, '\x9d\x01\x2a')) throw pictureWithoutSize();
	return [dataView(data).getUint16(6, true) & SIZE_MASK, dataView(data).getUint16(8, true) & SIZE_MASK];
}

function readLossless(data: Uint8Array | undefined): [width: number, height: number] {
	if (!data || data.length < 5 || data[0] !== LOSSLESS_SIGNATURE) throw pictureWithoutSize();
	const bits = dataView(data).getUint32(1, true);
	return [(bits & SIZE_MASK) + 1, ((bits >>> SIZE_BITS) & SIZE_MASK) + 1];
}

function pictureWithoutSize() {
	return invalidImage('The WebP is damaged: its picture has no size');
}

function readWebpOrientation(exif: Uint8Array | undefined): number {
	return readOrientation(exif && hasText(exif, 0, EXIF_NAME) ? exif.subarray(EXIF_NAME.length) : exif);
}
