/**
 * The JPEG codec: the module in `imagescript`, built from the Rust crates jpeg-decoder and image.
 *
 * It decodes at 1/8, 1/4 or 1/2 of the size where that is enough, which saves time and memory: a thumbnail of a 12-megapixel
 * photo takes 6 MB. A codec that cannot scale takes 100 MB for the same.
 */
import { type DecodedImage, DecodeError, type DecodeOptions, type Picture, RustCodec } from './codec.ts';
import { FULL_SIZE_EIGHTHS } from './memory.ts';
import { scaledSide } from './plan.ts';

/** The module's exports, as its own JavaScript calls them. */
interface JpegExports {
	readonly memory: WebAssembly.Memory;
	walloc(sizeBytes: number): number;
	wfree(pointer: number, sizeBytes: number): void;
	/** The length of the bytes that `decode_buffer` or `encode` has just returned. */
	wlen(): number;
	/**
	 * Returns an image, or an error code up to {@link FAILED}. Decodes at the smallest scale that reaches the width *or* the
	 * height.
	 */
	decode(pointer: number, sizeBytes: number, width: number, height: number): number;
	decode_width(image: number): number;
	decode_height(image: number): number;
	decode_format(image: number): number;
	decode_buffer(image: number): number;
	decode_free(image: number): void;
	encode(pointer: number, width: number, height: number, quality: number): number;
}

const FAILED = 1;
const LAYOUTS = ['grey', 'rgb', 'cmyk'] as const;
/** A side that no image reaches below its full size. */
const UNREACHABLE_PIXELS = 65_535;

/** Reads and writes JPEG. */
export class JpegCodec extends RustCodec {
	readonly #exports: JpegExports;

	constructor(module: WebAssembly.Module) {
		super();
		this.#exports = new WebAssembly.Instance(module).exports as unknown as JpegExports;
	}

	protected get memory(): WebAssembly.Memory {
		return this.#exports.memory;
	}

	protected malloc(sizeBytes: number): number {
		return this.#exports.walloc(sizeBytes);
	}

	#free(pointer: number, sizeBytes: number): void {
		this.#exports.wfree(pointer, sizeBytes);
	}

	protected decodeFile(file: Uint8Array, options: DecodeOptions): DecodedImage {
		const codec = this.#exports;
		const image = codec.decode(this.copyIn(file), file.length, ...sizeToAskFor(options)) >>> 0;
		if (image <= FAILED) throw new DecodeError(`decode JPEG: failed with ${image}`);
		const layout = LAYOUTS[codec.decode_format(image)];
		if (!layout) throw new Error('decode JPEG: unknown pixel layout');
		const widthPixels = codec.decode_width(image) >>> 0;
		const heightPixels = codec.decode_height(image) >>> 0;
		const decodePixels = () => {
			const pointer = codec.decode_buffer(image) >>> 0;
			return { data: this.view(pointer, codec.wlen() >>> 0), widthPixels, heightPixels, layout };
		};
		return { widthPixels, heightPixels, pixels: decodePixels, free: () => codec.decode_free(image) };
	}

	protected encodePicture({ data, widthPixels, heightPixels }: Picture, quality: number): Uint8Array<ArrayBuffer> {
		const pointer = this.#exports.encode(this.copyIn(data), widthPixels, heightPixels, quality) >>> 0;
		const sizeBytes = this.#exports.wlen() >>> 0;
		const file = this.view(pointer, sizeBytes).slice();
		this.#free(pointer, sizeBytes);
		return file;
	}
}

/**
 * The size to request so that the codec decodes at `eighths`. The codec stops at the first side that is long enough, and a side
 * of one pixel has that length at any scale: so only the longer side is requested.
 */
function sizeToAskFor({ widthPixels, heightPixels, eighths }: DecodeOptions): [width: number, height: number] {
	if (eighths === FULL_SIZE_EIGHTHS) return [UNREACHABLE_PIXELS, UNREACHABLE_PIXELS];
	return widthPixels >= heightPixels
		? [scaledSide(widthPixels, eighths), UNREACHABLE_PIXELS]
		: [UNREACHABLE_PIXELS, scaledSide(heightPixels, eighths)];
}
