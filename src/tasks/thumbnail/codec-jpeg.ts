/**
 * The JPEG codec: the module in `imagescript`, built from the Rust crates jpeg-decoder and image.
 *
 * It decodes at 1/8, 1/4 or 1/2 of the size where that is enough, which saves time and memory: a thumbnail of a 12-megapixel
 * photo takes 6 MB. Photon takes 144 MB for the same, more than an isolate has.
 */
import { Codec, type DecodedImage, DecodeError, type DecodeOptions, type EncodeOptions, type Region } from './codec.ts';
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
export class JpegCodec extends Codec {
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

	protected free(pointer: number, sizeBytes: number): void {
		this.#exports.wfree(pointer, sizeBytes);
	}

	protected decodeFile(file: Region, options: DecodeOptions): DecodedImage {
		const codec = this.#exports;
		const image = codec.decode(file.pointer, file.sizeBytes, ...sizeToAskFor(options)) >>> 0;
		if (image <= FAILED) throw new DecodeError(`decode JPEG: failed with ${image}`);
		this.hold({ pointer: image, sizeBytes: 0 }, () => codec.decode_free(image));
		const layout = LAYOUTS[codec.decode_format(image)];
		if (!layout) throw new Error('decode JPEG: unknown pixel layout');
		const widthPixels = codec.decode_width(image) >>> 0;
		const heightPixels = codec.decode_height(image) >>> 0;
		const decodePixels = () => {
			const pointer = codec.decode_buffer(image) >>> 0;
			return { data: this.view({ pointer, sizeBytes: codec.wlen() >>> 0 }), widthPixels, heightPixels, layout };
		};
		return { widthPixels, heightPixels, pixels: decodePixels, free: () => this.release(image) };
	}

	protected encodePixels(pixels: Region, { widthPixels, heightPixels, quality }: EncodeOptions): Region {
		const pointer = this.#exports.encode(pixels.pointer, widthPixels, heightPixels, quality) >>> 0;
		return { pointer, sizeBytes: this.#exports.wlen() >>> 0 };
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
