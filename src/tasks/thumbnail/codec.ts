/**
 * What a codec is: a WebAssembly module that decodes and encodes images in memory of its own.
 *
 * The modules are called without the JavaScript they come with: it copies every image out of the memory and back, and
 * keeps one instance for ever, also when it has trapped.
 */
import { invalidImage } from './errors.ts';
import type { ImageFormat } from './header.ts';
import type { SourcePixels } from './resample.ts';

/** Bytes in a codec's memory. */
export interface Region {
	readonly pointer: number;
	readonly sizeBytes: number;
}

/** What a codec has to know to decode. */
export interface DecodeOptions {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** The size to decode at, in eighths. Codecs that cannot scale are given 8. */
	readonly eighths: number;
}

/** What a codec has to know to encode. */
export interface EncodeOptions {
	readonly widthPixels: number;
	readonly heightPixels: number;
	readonly format: ImageFormat;
	/** 1–100, JPEG only: PNG and WebP are written without loss. */
	readonly quality: number;
}

/** Decoded pixels, still in the codec's memory. */
export interface DecodedImage {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** A view for the resampler, good until the codec is called again. */
	pixels(): SourcePixels;
	/** Gives the memory back to the codec. */
	free(): void;
}

/** An instance of a codec. */
export abstract class Codec {
	/** What is in use, by pointer. */
	readonly #inUse = new Map<number, Held>();
	#bareBytes = 0;
	#isSpent = false;

	/** The instance's linear memory. */
	protected abstract readonly memory: WebAssembly.Memory;
	protected abstract malloc(sizeBytes: number): number;
	protected abstract free(pointer: number, sizeBytes: number): void;
	protected abstract decodeFile(file: Region, options: DecodeOptions): DecodedImage;
	protected abstract encodePixels(pixels: Region, options: EncodeOptions): Region;

	/** The size of its linear memory. It grows and never shrinks: the most that any image has taken so far. */
	get memoryBytes(): number {
		return this.memory.buffer.byteLength;
	}

	/** Whether it has trapped. It may be in any state then and is not to be called again. */
	get isSpent(): boolean {
		return this.#isSpent;
	}

	/** How large its memory will be once it has grown to a need. */
	bytesAfter(needBytes: number): number {
		const { memoryBytes } = this;
		return needBytes <= memoryBytes ? memoryBytes : memoryBytes + this.#missingBytes(needBytes);
	}

	/**
	 * Grows the memory to a need, in one step, so that the work itself does not. Left to itself the allocator grows by all
	 * of what it is asked for, also when half of that is free at the end. And the next image of this need fits for certain.
	 */
	growTo(needBytes: number): void {
		if (needBytes > this.memoryBytes) this.release(this.allocate(this.#missingBytes(needBytes)).pointer);
	}

	/** Room for bytes. */
	allocate(sizeBytes: number): Region {
		this.#bareBytes ||= this.memoryBytes;
		const pointer = this.#guarded(() => this.malloc(sizeBytes)) >>> 0;
		return this.hold({ pointer, sizeBytes });
	}

	/** A view of a region, good until the codec is called again: a growing memory moves. */
	view({ pointer, sizeBytes }: Region): Uint8Array<ArrayBuffer> {
		return new Uint8Array(this.memory.buffer as ArrayBuffer, pointer, sizeBytes);
	}

	/**
	 * Decodes a file; its region is used up.
	 *
	 * @throws {TaskError} `InvalidImage` when the codec cannot make sense of the bytes: most often that is a trap.
	 */
	decode(file: Region, options: DecodeOptions): DecodedImage {
		this.#inUse.delete(file.pointer);
		try {
			return this.#guarded(() => this.decodeFile(file, options));
		} catch (error) {
			throw invalidImage('The image is damaged: it cannot be decoded.', error);
		}
	}

	/** Encodes RGBA pixels; their region is used up. */
	encode(pixels: Region, options: EncodeOptions): Uint8Array<ArrayBuffer> {
		this.#inUse.delete(pixels.pointer);
		const file = this.hold(this.#guarded(() => this.encodePixels(pixels, options)));
		const bytes = this.view(file).slice();
		this.release(file.pointer);
		return bytes;
	}

	/** Frees all that is in use, so that the instance can serve another image. */
	reset(): void {
		for (const pointer of [...this.#inUse.keys()]) this.release(pointer);
	}

	/** Remembers that a region, or whatever else begins there, is to be freed. */
	protected hold(region: Region, free = () => this.free(region.pointer, region.sizeBytes)): Region {
		this.#inUse.set(region.pointer, { sizeBytes: region.sizeBytes, free });
		return region;
	}

	protected release(pointer: number): void {
		const held = this.#inUse.get(pointer);
		this.#inUse.delete(pointer);
		if (held) this.#guarded(held.free);
	}

	/** What of a need is neither in use already nor what an instance has from the start. */
	#missingBytes(needBytes: number): number {
		let missingBytes = needBytes - (this.#bareBytes || this.memoryBytes);
		for (const { sizeBytes } of this.#inUse.values()) missingBytes -= sizeBytes;
		return Math.max(0, Math.ceil(missingBytes));
	}

	#guarded<Result>(call: () => Result): Result {
		try {
			return call();
		} catch (error) {
			this.#isSpent ||= !(error instanceof DecodeError);
			throw error;
		}
	}
}

/** Something in a codec's memory that is to be freed. */
interface Held {
	readonly sizeBytes: number;
	free(): void;
}

/** The codec says in an orderly way that it cannot decode: it is still good. */
export class DecodeError extends Error {}
