/**
 * A codec is a WebAssembly module that decodes and encodes images in its own memory.
 *
 * A hostile image may make a module trap. The instance is then in any state, so it is dropped.
 */
import { invalidImage } from './errors.ts';
import type { SourcePixels } from './resample.ts';

/** Options for decoding. */
export interface DecodeOptions {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** The size to decode at, in eighths. It is 8 for codecs that cannot scale. */
	readonly eighths: number;
}

/** RGBA pixels row by row without gaps. */
export interface Picture {
	readonly data: Uint8ClampedArray<ArrayBuffer>;
	readonly widthPixels: number;
	readonly heightPixels: number;
}

/** Decoded pixels. */
export interface DecodedImage {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** May be a view of the codec's memory, valid until the next call to the codec. */
	pixels(): SourcePixels;
	/** Returns the memory to the codec. */
	free(): void;
}

/** An instance of a codec. */
export abstract class Codec {
	#isSpent = false;

	/** The instance's linear memory. */
	protected abstract readonly memory: WebAssembly.Memory;
	protected abstract decodeFile(file: Uint8Array, options: DecodeOptions): DecodedImage;
	protected abstract encodePicture(picture: Picture, quality: number): Uint8Array<ArrayBuffer>;

	/** The size of the linear memory. It never shrinks, so it is the maximum that any image has needed so far. */
	get memoryBytes(): number {
		return this.memory.buffer.byteLength;
	}

	/** Whether the instance has trapped. It may then be in any state and must not be called again. */
	get isSpent(): boolean {
		return this.#isSpent;
	}

	/** @throws {TaskError} `InvalidImage` when the codec cannot decode the bytes, usually because of a trap. */
	decode(file: Uint8Array, options: DecodeOptions): DecodedImage {
		try {
			return this.#guarded(() => this.decodeFile(file, options));
		} catch (error) {
			throw invalidImage('The image is damaged: it cannot be decoded', error);
		}
	}

	/** @param quality 1–100; PNG is lossless and ignores it. */
	encode(picture: Picture, quality: number): Uint8Array<ArrayBuffer> {
		return this.#guarded(() => this.encodePicture(picture, quality));
	}

	/** Prepares the instance for the next image. */
	reset(): void {}

	/** Calls the module, and notes whether it has trapped. */
	#guarded<Result>(call: () => Result): Result {
		try {
			return call();
		} catch (error) {
			this.#isSpent ||= !(error instanceof DecodeError);
			throw error;
		}
	}
}

/** A codec that is built from Rust: the caller allocates memory for what it hands over. */
export abstract class RustCodec extends Codec {
	protected abstract malloc(sizeBytes: number): number;

	/** Copies bytes into the linear memory. @returns their address. */
	protected copyIn(bytes: Uint8Array | Uint8ClampedArray): number {
		const pointer = this.malloc(bytes.length) >>> 0;
		this.view(pointer, bytes.length).set(bytes);
		return pointer;
	}

	/** Returns a view of the linear memory, valid until the next call to the codec: growing the memory moves it. */
	protected view(pointer: number, sizeBytes: number): Uint8Array<ArrayBuffer> {
		return new Uint8Array(this.memory.buffer as ArrayBuffer, pointer, sizeBytes);
	}
}

/** The codec reports that it cannot decode. The instance remains usable. */
export class DecodeError extends Error {}
