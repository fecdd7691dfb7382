/** The PNG codec: the module in `@jsquash/png`, built from the Rust crate png. */
import { type DecodedImage, type Picture, RustCodec } from './codec.ts';

/** The module's exports, with wasm-bindgen's calling convention: bytes are a pointer and a length. */
interface PngExports {
	readonly memory: WebAssembly.Memory;
	__wbindgen_malloc(sizeBytes: number, alignmentBytes: number): number;
	__wbindgen_free(pointer: number, sizeBytes: number, alignmentBytes: number): void;
	__wbindgen_add_to_stack_pointer(bytes: number): number;
	/** Calls {@link IMAGE_DATA} with the pixels. Frees the file. */
	decode(pointer: number, sizeBytes: number): number;
	/** Writes pointer and length of the file to `result`. Frees the pixels. */
	encode(result: number, pointer: number, sizeBytes: number, width: number, height: number, bits: number): void;
}

/** The import that creates an `ImageData` from pixels in the linear memory. Its name ends in a hash of its signature. */
const IMAGE_DATA = '__wbg_newwithownedu8clampedarrayandsh_';
const ALIGNMENT_BYTES = 1;
const RESULT_BYTES = 16;
const BITS_PER_SAMPLE = 8;

/**
 * Reads and writes PNG.
 *
 * The module is called without the JavaScript it comes with, because that copies the pixels out of the linear memory.
 */
export class PngCodec extends RustCodec {
	readonly #exports: PngExports;
	#decoded = { pointer: 0, sizeBytes: 0, widthPixels: 0, heightPixels: 0 };

	constructor(module: WebAssembly.Module) {
		super();
		this.#exports = new WebAssembly.Instance(module, this.#imports(module)).exports as unknown as PngExports;
	}

	protected get memory(): WebAssembly.Memory {
		return this.#exports.memory;
	}

	protected malloc(sizeBytes: number): number {
		return this.#exports.__wbindgen_malloc(sizeBytes, ALIGNMENT_BYTES);
	}

	#free(pointer: number, sizeBytes: number): void {
		this.#exports.__wbindgen_free(pointer, sizeBytes, ALIGNMENT_BYTES);
	}

	protected decodeFile(file: Uint8Array): DecodedImage {
		this.#exports.decode(this.copyIn(file), file.length);
		const { pointer, sizeBytes, widthPixels, heightPixels } = this.#decoded;
		const viewPixels = () => {
			return { data: this.view(pointer, sizeBytes), widthPixels, heightPixels, layout: 'rgba' as const };
		};
		return { widthPixels, heightPixels, pixels: viewPixels, free: () => this.#free(pointer, sizeBytes) };
	}

	protected encodePicture({ data, widthPixels, heightPixels }: Picture): Uint8Array<ArrayBuffer> {
		const codec = this.#exports;
		const pixels = this.copyIn(data);
		const result = codec.__wbindgen_add_to_stack_pointer(-RESULT_BYTES);
		codec.encode(result, pixels, data.length, widthPixels, heightPixels, BITS_PER_SAMPLE);
		const [pointer = 0, sizeBytes = 0] = new Uint32Array(codec.memory.buffer, result, 2);
		const file = this.view(pointer, sizeBytes).slice();
		this.#free(pointer, sizeBytes);
		codec.__wbindgen_add_to_stack_pointer(RESULT_BYTES);
		return file;
	}

	/** A module that reports an error has not cleaned up: it counts as trapped. */
	#imports(module: WebAssembly.Module): WebAssembly.Imports {
		const takePixels = (...[pointer = 0, sizeBytes = 0, widthPixels = 0, heightPixels = 0]: number[]) => {
			this.#decoded = { pointer: pointer >>> 0, sizeBytes: sizeBytes >>> 0, widthPixels, heightPixels };
			return 0;
		};
		const throwFailed = () => {
			throw new Error('The PNG module failed');
		};
		const named = WebAssembly.Module.imports(module).map(({ name }) => {
			return [name, name.startsWith(IMAGE_DATA) ? takePixels : throwFailed] as const;
		});
		return { wbg: Object.fromEntries(named) };
	}
}
