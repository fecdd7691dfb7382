/** Reads a WebP's chunks without decoding it. Pure. */
import { invalidImage, unsupportedImage } from './errors.ts';
import { readOrientation } from './exif.ts';
import { dataView, type Essentials, type HeaderBase, hasText, textAt } from './image-bytes.ts';

/** The header of a WebP. */
export interface WebpHeader extends HeaderBase {
	readonly format: 'webp';
	/**
	 * A still WebP with only the picture or, of an animation, its first frame. The decoder copies every chunk it meets, and
	 * fails on an unknown one.
	 */
	readonly essentials: Essentials;
}

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const EXTENDED_BYTES = 10;
const FRAME_HEADER_BYTES = 16;
const ALPHA_FLAG = 0x10;
const LOSSY_HEADER_BYTES = 10;
const LOSSLESS_HEADER_BYTES = 5;
const LOSSLESS_SIGNATURE = 0x2f;
const SIZE_MASK = 0x3fff;
const SIZE_BITS = 14;
const EXIF_NAME = 'Exif\0\0';
const USED_CHUNKS: ReadonlySet<string> = new Set(['VP8X', 'ALPH', 'VP8 ', 'VP8L', 'ANMF', 'EXIF']);

interface Chunk {
	readonly type: string;
	readonly data: Uint8Array;
	readonly startByte: number;
	/** Includes the padding byte after an odd length. */
	readonly endByte: number;
}

interface Size {
	readonly widthPixels: number;
	readonly heightPixels: number;
}

/** The first chunk of each relevant type, by type. */
type Chunks = ReadonlyMap<string, Chunk>;

/**
 * @throws {TaskError} `InvalidImage` when damaged or truncated, `UnsupportedImage` for an animation whose first frame is only a
 * part of the picture.
 */
export function readWebpHeader(bytes: Uint8Array): WebpHeader {
	const riffEnd = dataView(bytes).getUint32(4, true) + CHUNK_HEADER_BYTES;
	if (riffEnd > bytes.length) throw webpCutOff();
	const chunks = readChunks(bytes, RIFF_HEADER_BYTES, riffEnd);
	const extended = chunks.get('VP8X');
	const canvas = extended?.startByte === RIFF_HEADER_BYTES ? readCanvas(extended.data) : undefined;
	const frame = chunks.get('ANMF');
	const picture = readPicture(frame ? readWebpFrame(bytes, frame, canvas) : chunks, canvas !== undefined);
	if (canvas && !sameSize(canvas, picture)) {
		throw invalidImage('The WebP is damaged: its picture and its canvas differ in size');
	}
	return { format: 'webp', orientation: orientationOf(chunks.get('EXIF')), ...picture };
}

function orientationOf(exif: Chunk | undefined): number {
	if (!exif) return 1;
	return readOrientation(hasText(exif.data, 0, EXIF_NAME) ? exif.data.subarray(EXIF_NAME.length) : exif.data);
}

function webpCutOff() {
	return invalidImage('The WebP ends early: it is truncated or damaged');
}

function readChunks(bytes: Uint8Array, startByte: number, endByte: number): Chunks {
	const view = dataView(bytes);
	const chunks = new Map<string, Chunk>();
	for (let at = startByte; at + CHUNK_HEADER_BYTES <= endByte; ) {
		const dataStart = at + CHUNK_HEADER_BYTES;
		const length = view.getUint32(at + 4, true);
		if (dataStart + length > endByte) throw webpCutOff();
		const paddedEnd = Math.min(dataStart + length + (length % 2), endByte);
		const type = textAt(bytes, at, 4);
		if (USED_CHUNKS.has(type) && !chunks.has(type)) {
			chunks.set(type, {
				type,
				data: bytes.subarray(dataStart, dataStart + length),
				startByte: at,
				endByte: paddedEnd,
			});
		}
		at = paddedEnd;
	}
	return chunks;
}

function readCanvas(data: Uint8Array): Size {
	if (data.length < EXTENDED_BYTES) throw invalidImage('The WebP is damaged: its header is too short');
	return { widthPixels: uint24(data, 4) + 1, heightPixels: uint24(data, 7) + 1 };
}

/** Returns the chunks of an animation's first frame. */
function readWebpFrame(bytes: Uint8Array, frame: Chunk, canvas: Size | undefined): Chunks {
	if (!canvas || frame.data.length < FRAME_HEADER_BYTES) throw invalidImage('The WebP is damaged: a frame has no size');
	const frameSize = { widthPixels: uint24(frame.data, 6) + 1, heightPixels: uint24(frame.data, 9) + 1 };
	if (!sameSize(frameSize, canvas)) {
		throw unsupportedImage('The WebP is an animation, expected a first frame that fills the canvas');
	}
	const start = frame.startByte + CHUNK_HEADER_BYTES;
	return readChunks(bytes, start + FRAME_HEADER_BYTES, start + frame.data.length);
}

function readPicture(chunks: Chunks, mayHaveAlpha: boolean): Size & { essentials: Essentials } {
	const pixels = chunks.get('VP8 ') ?? chunks.get('VP8L');
	if (!pixels) throw invalidImage('The WebP has no pixels');
	const isLossy = pixels.type === 'VP8 ';
	const alpha = mayHaveAlpha && isLossy ? chunks.get('ALPH') : undefined;
	if (alpha && alpha.startByte > pixels.startByte)
		throw invalidImage('The WebP is damaged: its chunks are out of order');
	const size = isLossy ? readLossy(pixels.data) : readLossless(pixels.data);
	const parts = alpha ? [alpha, pixels] : [pixels];
	const ranges = parts.map(({ startByte, endByte }): [number, number] => [startByte, endByte]);
	const partsBytes = ranges.reduce((sum, [start, end]) => sum + end - start, 0);
	return { ...size, essentials: { prefix: fileHeader(partsBytes, alpha ? size : undefined), ranges } };
}

function readLossy(data: Uint8Array): Size {
	const isKeyFrame = data.length >= LOSSY_HEADER_BYTES && hasText(data, 3, '\x9d\x01\x2a');
	if (!isKeyFrame) throw invalidImage('The WebP is damaged: its picture has no size');
	const view = dataView(data);
	return checkedSize(view.getUint16(6, true) & SIZE_MASK, view.getUint16(8, true) & SIZE_MASK);
}

function readLossless(data: Uint8Array): Size {
	if (data.length < LOSSLESS_HEADER_BYTES || data[0] !== LOSSLESS_SIGNATURE) {
		throw invalidImage('The WebP is damaged: its picture has no size');
	}
	const bits = dataView(data).getUint32(1, true);
	return checkedSize((bits & SIZE_MASK) + 1, ((bits >>> SIZE_BITS) & SIZE_MASK) + 1);
}

function checkedSize(widthPixels: number, heightPixels: number): Size {
	if (widthPixels === 0 || heightPixels === 0) throw invalidImage('The WebP is damaged: a side is 0 pixels long');
	return { widthPixels, heightPixels };
}

/** Builds the file header of a WebP with `partsBytes`; with a canvas, which transparency requires, if one is given. */
function fileHeader(partsBytes: number, canvas: Size | undefined): Uint8Array {
	const extendedBytes = canvas ? CHUNK_HEADER_BYTES + EXTENDED_BYTES : 0;
	const header = new Uint8Array(RIFF_HEADER_BYTES + extendedBytes);
	const view = dataView(header);
	writeText(header, 0, 'RIFF');
	view.setUint32(4, header.length - CHUNK_HEADER_BYTES + partsBytes, true);
	writeText(header, 8, 'WEBP');
	if (canvas) {
		writeText(header, 12, 'VP8X');
		view.setUint32(16, EXTENDED_BYTES, true);
		header[20] = ALPHA_FLAG;
		writeUint24(header, 24, canvas.widthPixels - 1);
		writeUint24(header, 27, canvas.heightPixels - 1);
	}
	return header;
}

function sameSize(one: Size, other: Size): boolean {
	return one.widthPixels === other.widthPixels && one.heightPixels === other.heightPixels;
}

function uint24(bytes: Uint8Array, at: number): number {
	return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
}

function writeUint24(bytes: Uint8Array, at: number, value: number): void {
	bytes.set([value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff], at);
}

function writeText(bytes: Uint8Array, at: number, text: string): void {
	for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
}
