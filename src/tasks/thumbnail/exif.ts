/** Reads the orientation from EXIF, which is all that a thumbnail needs. Pure. */
import { dataView } from './image-bytes.ts';

const UPRIGHT = 1;
const LAST_ORIENTATION = 8;
const ORIENTATION_TAG = 0x0112;
const TYPE_SHORT = 3;
const TIFF_HEADER_BYTES = 8;
const ENTRY_COUNT_BYTES = 2;
const ENTRY_BYTES = 12;
const LITTLE_ENDIAN = 0x4949;
const BIG_ENDIAN = 0x4d4d;

/**
 * Reads the orientation from a TIFF block (the bytes after `Exif\0\0` in a JPEG).
 *
 * Never throws: cameras and editors write many wrong blocks, and the image is still usable.
 *
 * @returns 1–8 as in EXIF; 1 (upright) when the block has none.
 */
export function readOrientation(tiff: Uint8Array | undefined): number {
	if (!tiff || tiff.length < TIFF_HEADER_BYTES) return UPRIGHT;
	const view = dataView(tiff);
	const byteOrder = view.getUint16(0);
	if (byteOrder !== LITTLE_ENDIAN && byteOrder !== BIG_ENDIAN) return UPRIGHT;
	const littleEndian = byteOrder === LITTLE_ENDIAN;
	const directory = view.getUint32(4, littleEndian);
	if (directory + ENTRY_COUNT_BYTES > tiff.length) return UPRIGHT;
	const firstEntry = directory + ENTRY_COUNT_BYTES;
	const entriesThatFit = Math.floor((tiff.length - firstEntry) / ENTRY_BYTES);
	const entryCount = Math.min(view.getUint16(directory, littleEndian), entriesThatFit);
	for (let index = 0; index < entryCount; index++) {
		const entry = firstEntry + index * ENTRY_BYTES;
		if (view.getUint16(entry, littleEndian) !== ORIENTATION_TAG) continue;
		if (view.getUint16(entry + 2, littleEndian) !== TYPE_SHORT) return UPRIGHT;
		const orientation = view.getUint16(entry + 8, littleEndian);
		return orientation >= UPRIGHT && orientation <= LAST_ORIENTATION ? orientation : UPRIGHT;
	}
	return UPRIGHT;
}
