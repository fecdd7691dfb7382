/** The codec for PNG and WebP: Photon, built from the Rust crate image. */
import { Codec, type DecodedImage, type EncodeOptions, type Region } from './codec.ts';

/** The module's exports, with wasm-bindgen's calling convention: bytes are a pointer and a length. */
interface PhotonExports {
	readonly memory: WebAssembly.Memory;
	__wbindgen_start(): void;
	__wbindgen_malloc(sizeBytes: number, alignmentBytes: number): number;
	__wbindgen_free(pointer: number, sizeBytes: number, alignmentBytes: number): void;
	photonimage_new(pointer: number, sizeBytes: number, width: number, height: number): number;
	photonimage_new_from_byteslice(pointer: number, sizeBytes: number): number;
	photonimage_get_width(image: number): number;
	photonimage_get_height(image: number): number;
	photonimage_get_raw_pixels(image: number): PointerAndSize;
	photonimage_get_bytes(image: number): PointerAndSize;
	photonimage_get_bytes_webp(image: number): PointerAndSize;
	__wbg_photonimage_free(image: number, zero: number): void;
}

type PointerAndSize = readonly [pointer: number, sizeBytes: number];

const ALIGNMENT_BYTES = 1;
/**
 * The only import that Photon calls during startup: it reserves a table for JavaScript objects, which this codec never passes.
 */
const CALLED_AT_START = '__wbindgen_init_externref_table';

/** Reads and writes PNG and WebP. */
export class PhotonCodec extends Codec {
	readonly #exports: PhotonExports;

	constructor(module: WebAssembly.Module) {
		super();
		const instance = new WebAssembly.Instance(module, importsThatThrow(module));
		this.#exports = instance.exports as unknown as PhotonExports;
		this.#exports.__wbindgen_start();
	}

	protected get memory(): WebAssembly.Memory {
		return this.#exports.memory;
	}

	protected malloc(sizeBytes: number): number {
		return this.#exports.__wbindgen_malloc(sizeBytes, ALIGNMENT_BYTES);
	}

	protected free(pointer: number, sizeBytes: number): void {
		this.#exports.__wbindgen_free(pointer, sizeBytes, ALIGNMENT_BYTES);
	}

	protected decodeFile(file: Region): DecodedImage {
		const codec = this.#exports;
		const image = codec.photonimage_new_from_byteslice(file.pointer, file.sizeBytes);
		const widthPixels = codec.photonimage_get_width(image) >>> 0;
		const heightPixels = codec.photonimage_get_height(image) >>> 0;
		// This copy fits where the decoder's own buffers were, so the memory does not grow.
		const region = this.hold(regionOf(codec.photonimage_get_raw_pixels(image)));
		codec.__wbg_photonimage_free(image, 0);
		const viewPixels = () => ({ data: this.view(region), widthPixels, heightPixels, layout: 'rgba' as const });
		return { widthPixels, heightPixels, pixels: viewPixels, free: () => this.release(region.pointer) };
	}

	protected encodePixels(pixels: Region, { widthPixels, heightPixels, format }: EncodeOptions): Region {
		const codec = this.#exports;
		const image = codec.photonimage_new(pixels.pointer, pixels.sizeBytes, widthPixels, heightPixels);
		const file = format === 'png' ? codec.photonimage_get_bytes(image) : codec.photonimage_get_bytes_webp(image);
		codec.__wbg_photonimage_free(image, 0);
		return regionOf(file);
	}
}

function regionOf([pointer, sizeBytes]: PointerAndSize): Region {
	return { pointer: pointer >>> 0, sizeBytes: sizeBytes >>> 0 };
}

/**
 * Photon imports canvas, DOM and console functions. For bytes it calls none of them unless it panics. Then an exception serves
 * as well as the trap that would follow.
 */
function importsThatThrow(module: WebAssembly.Module): WebAssembly.Imports {
	const imports: Record<string, Record<string, () => void>> = {};
	for (const { module: from, name } of WebAssembly.Module.imports(module)) {
		imports[from] ??= {};
		imports[from][name] = () => {
			if (name !== CALLED_AT_START) throw new Error(`Photon panicked: it called ${name}`);
		};
	}
	return imports;
}
