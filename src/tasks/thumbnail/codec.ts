/**
 * A codec is a WebAssembly module that decodes and encodes images in its own memory.
 *
 * The modules are called without the JavaScript they come with: it copies every image out of the memory and back, and keeps one
 * instance for ever, even after a trap.
 */
import { invalidImage } from './errors.ts';
import type { ImageFormat } from './header.ts';
import type { SourcePixels } from './resample.ts';

/** A region of a codec's memory. */
export interface Region {
	readonly pointer: number;
	readonly sizeBytes: number;
}

/** Options for decoding. */
export interface DecodeOptions {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** The size to decode at, in eighths. It is 8 for codecs that cannot scale. */
	readonly eighths: number;
}

/** Options for encoding. */
export interface EncodeOptions {
	readonly widthPixels: number;
	readonly heightPixels: number;
	readonly format: ImageFormat;
	/** 1–100, JPEG only: PNG and WebP are lossless. */
	readonly quality: number;
}

/** Decoded pixels, still in the codec's memory. */
export interface DecodedImage {
	readonly widthPixels: number;
	readonly heightPixels: number;
	/** A view for the resampler, valid until the next call to the codec. */
	pixels(): SourcePixels;
	/** Returns the memory to the codec. */
	free(): void;
}

/** An instance of a codec. */
export abstract class Codec {
	/** Regions in use, by pointer. */
	readonly #inUse = new Map<number, Held>();
	#bareBytes = 0;
	#isSpent = false;

	/** The instance's linear memory. */
	protected abstract readonly memory: WebAssembly.Memory;
	protected abstract malloc(sizeBytes: number): number;
	protected abstract free(pointer: number, sizeBytes: number): void;
	protected abstract decodeFile(file: Region, options: DecodeOptions): DecodedImage;
	protected abstract encodePixels(pixels: Region, options: EncodeOptions): Region;

	/** The size of the linear memory. It never shrinks, so it is the maximum that any image has needed so far. */
	get memoryBytes(): number {
		return this.memory.buffer.byteLength;
	}

	/** Whether the instance has trapped. It may then be in any state and must not be called again. */
	get isSpent(): boolean {
		return this.#isSpent;
	}

	/** The memory's size after growing to a need. */
	bytesAfter(needBytes: number): number {
		const { memoryBytes } = this;
		return needBytes <= memoryBytes ? memoryBytes : memoryBytes + this.#missingBytes(needBytes);
	}

	/**
	 * Grows the memory to a need in one step, so that the work itself does not. By itself the allocator grows by the full size
	 * of each request, even when half of that is free at the end. The next image with this need is then certain to fit.
	 */
	growTo(needBytes: number): void {
		if (needBytes > this.memoryBytes) this.release(this.allocate(this.#missingBytes(needBytes)).pointer);
	}

	/** Allocates a region. */
	allocate(sizeBytes: number): Region {
		this.#bareBytes ||= this.memoryBytes;
		const pointer = this.#guarded(() => this.malloc(sizeBytes)) >>> 0;
		return this.hold({ pointer, sizeBytes });
	}

	/** Returns a view of a region, valid until the next call to the codec: growing the memory moves it. */
	view({ pointer, sizeBytes }: Region): Uint8Array<ArrayBuffer> {
		return new Uint8Array(this.memory.buffer as ArrayBuffer, pointer, sizeBytes);
	}

	/**
	 * Decodes a file, and consumes its region.
	 *
	 * @throws {TaskError} `InvalidImage` when the codec cannot decode the bytes, usually because of a trap.
	 */
	decode(file: Region, options: DecodeOptions): DecodedImage {
		this.#inUse.delete(file.pointer);
		try {
			return this.#guarded(() => this.decodeFile(file, options));
		} catch (error) {
			throw invalidImage('The image is damaged: it cannot be decoded', error);
		}
	}

	/** Encodes RGBA pixels, and consumes their region. */
	encode(pixels: Region, options: EncodeOptions): Uint8Array<ArrayBuffer> {
		this.#inUse.delete(pixels.pointer);
		const file = this.hold(this.#guarded(() => this.encodePixels(pixels, options)));
		const bytes = this.view(file).slice();
		this.release(file.pointer);
		return bytes;
	}

	/** Frees all regions, so that the instance can serve another image. */
	reset(): void {
		for (const pointer of [...this.#inUse.keys()]) this.release(pointer);
	}

	/** Registers a region, or another object at its pointer, to be freed. */
	protected hold(region: Region, free = () => this.free(region.pointer, region.sizeBytes)): Region {
		this.#inUse.set(region.pointer, { sizeBytes: region.sizeBytes, free });
		return region;
	}

	protected release(pointer: number): void {
		const held = this.#inUse.get(pointer);
		this.#inUse.delete(pointer);
		if (held) this.#guarded(held.free);
	}

	/** The part of a need that is neither in use already nor in an instance's initial memory. */
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

/** An object in a codec's memory that must be freed. */
interface Held {
	readonly sizeBytes: number;
	free(): void;
}

/** The codec reports that it cannot decode. The instance remains usable. */
export class DecodeError extends Error {}
