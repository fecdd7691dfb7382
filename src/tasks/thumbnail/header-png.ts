/** Reads all chunks of a PNG without inflating its pixels. Pure. */
import { inflateSync } from 'node:zlib';
import { MAX_PROFILE_BYTES } from './colour-profile.ts';
import { invalidImage } from './errors.ts';
import { readOrientation } from './exif.ts';
import { dataView, type HeaderBase, textAt } from './image-bytes.ts';

/** The header of a PNG. */
export interface PngHeader extends HeaderBase {
	readonly format: 'png';
	/** Bytes that the decoder needs for each pixel: it has only one copy of an RGBA picture, and two of any other. */
	readonly decodedBytesPerPixel: number;
}

const SIGNATURE_BYTES = 8;
const CHUNK_HEADER_BYTES = 8;
const CRC_BYTES = 4;
const IHDR_BYTES = 13;
const RGBA_COLOUR_TYPE = 6;
/** The allowed bit depths by colour type. */
const COLOUR_TYPES: ReadonlyMap<number, readonly number[]> = new Map([
	[0, [1, 2, 4, 8, 16]],
	[2, [8, 16]],
	[3, [1, 2, 4, 8]],
	[4, [8, 16]],
	[RGBA_COLOUR_TYPE, [8, 16]],
]);
const RGBA_DECODED_BYTES = 4.2;
const OTHER_DECODED_BYTES = 9.2;
const METADATA_CHUNKS: ReadonlySet<string> = new Set(['eXIf', 'iCCP']);
const PIXEL_CHUNKS: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

/**
 * Moves the chunks that contain the pixels to the front of `bytes`. The decoder doesn't get the others: 200 KB of a compressed
 * text or profile inflate to 500 MB before any check of the size.
 *
 * @throws {TaskError} `InvalidImage` when damaged or truncated.
 */
export function readPngHeader(bytes: Uint8Array): PngHeader {
	const chunks = new Map<string, Uint8Array>();
	let size: ReturnType<typeof readIhdr> | undefined;
	let keptBytes = SIGNATURE_BYTES;
	for (let at = SIGNATURE_BYTES; !chunks.has('IEND'); ) {
		const dataStart = at + CHUNK_HEADER_BYTES;
		if (dataStart > bytes.length) throw pngCutOff();
		const dataEnd = dataStart + dataView(bytes).getUint32(at);
		const endByte = dataEnd + CRC_BYTES;
		if (endByte > bytes.length) throw pngCutOff();
		const type = textAt(bytes, at + 4, 4);
		const data = bytes.subarray(dataStart, dataEnd);
		size ??= readIhdr(type, data);
		if (METADATA_CHUNKS.has(type) && !chunks.has(type)) chunks.set(type, data.slice());
		if (PIXEL_CHUNKS.has(type)) {
			chunks.set(type, data);
			bytes.copyWithin(keptBytes, at, endByte);
			keptBytes += endByte - at;
		}
		at = endByte;
	}
	if (!size || !chunks.has('IDAT')) throw invalidImage('The PNG has no pixels');
	const orientation = readOrientation(chunks.get('eXIf'));
	const profile = inflateProfile(chunks.get('iCCP'));
	return { format: 'png', file: bytes.subarray(0, keptBytes), orientation, profile, ...size };
}

function pngCutOff() {
	return invalidImage('The PNG ends early: it is truncated or damaged');
}

function readIhdr(type: string, data: Uint8Array) {
	if (type !== 'IHDR' || data.length !== IHDR_BYTES) throw invalidImage('The PNG has no header');
	const view = dataView(data);
	const widthPixels = view.getUint32(0);
	const heightPixels = view.getUint32(4);
	const bits = view.getUint8(8);
	const colourType = view.getUint8(9);
	const isInterlaced = view.getUint8(12) !== 0;
	if (widthPixels === 0 || heightPixels === 0) throw invalidImage('The PNG is damaged: a side is 0 pixels long');
	if (!COLOUR_TYPES.get(colourType)?.includes(bits)) {
		throw invalidImage('The PNG is damaged: its colour type and bit depth are invalid');
	}
	const isPlainRgba = colourType === RGBA_COLOUR_TYPE && bits === 8 && !isInterlaced;
	return { widthPixels, heightPixels, decodedBytesPerPixel: isPlainRgba ? RGBA_DECODED_BYTES : OTHER_DECODED_BYTES };
}

/** The data is a name, a NUL, the compression method, and the compressed profile. A damaged or huge one is ignored. */
function inflateProfile(data: Uint8Array | undefined): Uint8Array | undefined {
	try {
		return data && inflateSync(data.subarray(data.indexOf(0) + 2), { maxOutputLength: MAX_PROFILE_BYTES });
	} catch {
		return undefined;
	}
}
