/** Functions for reading file formats byte by byte, shared by the three header readers. Pure. */

/** The fields of every format's header. Sizes are those of the stored pixels, before the orientation is applied. */
export interface HeaderBase {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** EXIF orientation, 1–8; 1 (upright) when the file has none or an invalid one. */
	readonly orientation: number;
	/** The bytes for the decoder. */
	readonly file: Uint8Array;
	/** The ICC profile; undefined if the file has none. */
	readonly profile: Uint8Array | undefined;
}

/** Whether `text`, one byte a character, is at `offset`. */
export function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
	if (offset + text.length > bytes.length) return false;
	for (let index = 0; index < text.length; index++) {
		if (bytes[offset + index] !== text.charCodeAt(index)) return false;
	}
	return true;
}

/** Returns the `length` bytes at `offset` as text, one byte a character. */
export function textAt(bytes: Uint8Array, offset: number, length: number): string {
	return String.fromCharCode(...bytes.subarray(offset, offset + length));
}

/** Returns a view for reading numbers. Reads outside it throw a `RangeError`, so check the length first. */
export function dataView(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
