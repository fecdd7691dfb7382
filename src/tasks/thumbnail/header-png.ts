/** Reads all chunks of a PNG without inflating them. Pure. */
import { invalidImage } from './errors.ts';
import { readOrientation } from './exif.ts';
import { dataView, type Essentials, type HeaderBase, textAt } from './image-bytes.ts';

/** The header of a PNG. */
export interface PngHeader extends HeaderBase {
	readonly format: 'png';
	/** Bytes of a decoded pixel before its conversion to RGBA: 1–8. */
	readonly bytesPerPixel: number;
	/**
	 * The chunks that contain the pixels. The decoder doesn't get the others: 200 KB of a compressed colour profile inflate to
	 * 500 MB before any check of the size.
	 */
	readonly essentials: Essentials;
}

const SIGNATURE_BYTES = 8;
const LENGTH_BYTES = 4;
const TYPE_BYTES = 4;
const CRC_BYTES = 4;
const IHDR_BYTES = 13;
const BITS_16 = 16;
/** Channels and allowed bit depths by colour type. Grey and palette images may have transparency, so it is counted. */
const COLOUR_TYPES: ReadonlyMap<number, { readonly channels: number; readonly bits: readonly number[] }> = new Map([
	[0, { channels: 2, bits: [1, 2, 4, 8, 16] }],
	[2, { channels: 4, bits: [8, 16] }],
	[3, { channels: 4, bits: [1, 2, 4, 8] }],
	[4, { channels: 2, bits: [8, 16] }],
	[6, { channels: 4, bits: [8, 16] }],
]);
/** A PNG's pixels are one contiguous range, its palette and transparency up to three more. */
const MAX_PIECES = 8;
const PIXEL_CHUNKS: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

interface Chunk {
	readonly type: string;
	readonly data: Uint8Array;
	readonly startByte: number;
	readonly endByte: number;
}

/** @throws {TaskError} `InvalidImage` when damaged or truncated. */
export function readPngHeader(bytes: Uint8Array): PngHeader {
	const ranges: [number, number][] = [];
	let size: Omit<PngHeader, 'format' | 'orientation' | 'essentials'> | undefined;
	let orientation = 1;
	let hasPixels = false;
	let at = SIGNATURE_BYTES;
	for (;;) {
		const chunk = chunkAt(bytes, at);
		at = chunk.endByte;
		if (!size) size = readIhdr(chunk);
		if (PIXEL_CHUNKS.has(chunk.type)) keepChunk(ranges, chunk);
		if (chunk.type === 'eXIf') orientation = readOrientation(chunk.data);
		if (chunk.type === 'IDAT') hasPixels = true;
		if (chunk.type === 'IEND') break;
	}
	if (!hasPixels) throw invalidImage('The PNG has no pixels');
	const prefix = bytes.slice(0, SIGNATURE_BYTES);
	return { format: 'png', orientation, ...size, essentials: { prefix, ranges } };
}

function chunkAt(bytes: Uint8Array, startByte: number): Chunk {
	const dataStart = startByte + LENGTH_BYTES + TYPE_BYTES;
	if (dataStart > bytes.length) throw pngCutOff();
	const dataEnd = dataStart + dataView(bytes).getUint32(startByte);
	const endByte = dataEnd + CRC_BYTES;
	if (endByte > bytes.length) throw pngCutOff();
	const type = textAt(bytes, startByte + LENGTH_BYTES, TYPE_BYTES);
	return { type, data: bytes.subarray(dataStart, dataEnd), startByte, endByte };
}

/** Adjacent chunks become one range: a large file has thousands of pixel chunks, and a hostile one millions. */
function keepChunk(ranges: [number, number][], chunk: Chunk): void {
	const last = ranges.at(-1);
	if (last?.[1] === chunk.startByte) last[1] = chunk.endByte;
	else if (ranges.length === MAX_PIECES) throw invalidImage('The PNG is damaged: its pixel chunks are not contiguous');
	else ranges.push([chunk.startByte, chunk.endByte]);
}

function pngCutOff() {
	return invalidImage('The PNG ends early: it is truncated or damaged');
}

function readIhdr(chunk: Chunk) {
	if (chunk.type !== 'IHDR' || chunk.data.length !== IHDR_BYTES) throw invalidImage('The PNG has no header');
	const view = dataView(chunk.data);
	const widthPixels = view.getUint32(0);
	const heightPixels = view.getUint32(4);
	const bits = view.getUint8(8);
	const colour = COLOUR_TYPES.get(view.getUint8(9));
	if (widthPixels === 0 || heightPixels === 0) throw invalidImage('The PNG is damaged: a side is 0 pixels long');
	if (!colour?.bits.includes(bits)) throw invalidImage('The PNG is damaged: its colour type and bit depth are invalid');
	return { widthPixels, heightPixels, bytesPerPixel: colour.channels * (bits === BITS_16 ? 2 : 1) };
}
