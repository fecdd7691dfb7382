/** The WebP codec: libwebp, from `@jsquash/webp`. Its decoder and its encoder are two modules. */
import { Codec, type DecodedImage, DecodeError, type Picture } from './codec.ts';

/** A module's JavaScript, written by Emscripten. */
export type EmscriptenFactory<Exports> = (options: {
	readonly noInitialRun: true;
	instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): unknown;
}) => Promise<Exports>;

/** The decoder's functions. */
export interface WebpDecoderExports {
	/** @returns a copy of the pixels, or null when the file is damaged. */
	decode(file: Uint8Array): { data: Uint8ClampedArray<ArrayBuffer>; width: number; height: number } | null;
}

/** The encoder's functions. */
export interface WebpEncoderExports {
	/** @param options every field of libwebp's `WebPConfig`. */
	encode(pixels: Uint8ClampedArray, width: number, height: number, options: object): Uint8Array<ArrayBuffer> | null;
}

/** A running module. */
export interface EmscriptenInstance<Exports> {
	readonly exports: Exports;
	readonly memory: WebAssembly.Memory;
}

/** Instantiates a module with its JavaScript. */
export async function instantiate<Exports>(
	factory: EmscriptenFactory<Exports>,
	module: WebAssembly.Module,
): Promise<EmscriptenInstance<Exports>> {
	let memory: WebAssembly.Memory | undefined;
	const exports = await factory({
		noInitialRun: true,
		instantiateWasm(imports, receive) {
			const instance = new WebAssembly.Instance(module, imports);
			memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory);
			receive(instance);
			return instance.exports;
		},
	});
	if (!memory) throw new Error('The module has no memory');
	return { exports, memory };
}

abstract class EmscriptenCodec<Exports> extends Codec {
	protected readonly exports: Exports;
	protected readonly memory: WebAssembly.Memory;
	/** The memory before the first image, up to its last byte that is not 0. */
	readonly #pristine: Uint8Array;

	constructor({ exports, memory }: EmscriptenInstance<Exports>) {
		super();
		this.exports = exports;
		this.memory = memory;
		const bytes = new Uint8Array(memory.buffer);
		this.#pristine = bytes.slice(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
	}

	/**
	 * Restores the memory as it was before the first image. It contains the allocator's own records, so everything is freed. An
	 * image that corrupts the memory changes no other image, and reads no pixel of one.
	 */
	override reset(): void {
		const bytes = new Uint8Array(this.memory.buffer);
		bytes.set(this.#pristine);
		bytes.fill(0, this.#pristine.length);
	}
}

/** Reads WebP. */
export class WebpDecoder extends EmscriptenCodec<WebpDecoderExports> {
	protected decodeFile(file: Uint8Array): DecodedImage {
		const image = this.exports.decode(file);
		if (!image) throw new DecodeError('decode WebP: failed');
		const { width: widthPixels, height: heightPixels, data } = image;
		const pixels = { data: new Uint8Array(data.buffer), widthPixels, heightPixels, layout: 'rgba' as const };
		return { widthPixels, heightPixels, pixels: () => pixels, free: () => {} };
	}

	protected encodePicture(): never {
		throw new Error('encode WebP: this is the decoder');
	}
}

/** Writes lossy WebP. */
export class WebpEncoder extends EmscriptenCodec<WebpEncoderExports> {
	readonly #defaults: object;

	/** @param defaults a value for every field of libwebp's `WebPConfig`. */
	constructor(instance: EmscriptenInstance<WebpEncoderExports>, defaults: object) {
		super(instance);
		this.#defaults = defaults;
	}

	protected decodeFile(): never {
		throw new Error('decode WebP: this is the encoder');
	}

	protected encodePicture({ data, widthPixels, heightPixels }: Picture, quality: number): Uint8Array<ArrayBuffer> {
		const file = this.exports.encode(data, widthPixels, heightPixels, { ...this.#defaults, quality });
		if (!file) throw new Error('encode WebP: failed');
		return file;
	}
}
