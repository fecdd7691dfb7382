/**
 * Resizes an image: Lanczos filter, crop and orientation in one pass. Pure.
 *
 * The resize functions of codecs copy the whole image first (`docs/thumbnail.md` has the figures). This one reads the pixels
 * directly from a codec's memory, and needs one row of its own. It processes rows first, then columns, so that memory is read in
 * order.
 */
import { mixInks } from './cmyk.ts';
import type { Rectangle } from './plan.ts';

/** Pixels row by row without gaps. In `cmyk`, 0 is no ink. */
export interface SourcePixels {
	readonly data: Uint8Array;
	readonly widthPixels: number;
	readonly heightPixels: number;
	readonly layout: keyof typeof CHANNELS;
}

/** The target of the RGBA pixels. The sizes are before the orientation is applied. */
export interface TargetPixels {
	readonly data: Uint8ClampedArray;
	readonly widthPixels: number;
	readonly heightPixels: number;
}

/** Options for resampling. */
export interface ResampleOptions {
	/** The part of the source that becomes the target, in source pixels. */
	readonly crop: Rectangle;
	/** EXIF orientation, 1–8: how to turn and mirror the pixels to make them upright. */
	readonly orientation: number;
	/** Whether to blend transparent pixels with white, for formats without transparency. */
	readonly flatten: boolean;
}

const CHANNELS = { grey: 1, rgb: 3, rgba: 4, cmyk: 4 } as const;
const OPAQUE = 255;
/** Half the width of the Lanczos filter, in pixels of the smaller image. */
const LANCZOS_RADIUS = 3;

/** For each target pixel of one axis: its source pixels, from `first`, and their weights. */
interface Taps {
	readonly first: Int32Array;
	readonly count: Int32Array;
	/** `stride` weights for each target pixel; the first `count` are used. */
	readonly weights: Float32Array;
	readonly stride: number;
}

/** Fills `target` with the part of `source` in `crop`. */
export function resample(source: SourcePixels, target: TargetPixels, options: ResampleOptions): void {
	const { crop } = options;
	const [columns, rows] = [
		filterTaps({
			sourceLength: source.widthPixels,
			start: crop.x,
			length: crop.width,
			targetLength: target.widthPixels,
		}),
		filterTaps({
			sourceLength: source.heightPixels,
			start: crop.y,
			length: crop.height,
			targetLength: target.heightPixels,
		}),
	];
	const row = new Float32Array(source.widthPixels * CHANNELS[source.layout]);
	const pixel = new Float32Array(CHANNELS[source.layout]);
	const add = source.layout === 'rgba' ? premultipliedAdder(row, source.data) : plainAdder(row, source.data);
	const sum = columnSummer(pixel, row, columns);
	const write = pixelWriter(target.data, pixel, { layout: source.layout, flatten: options.flatten });
	const place = placement(options.orientation, target.widthPixels, target.heightPixels);
	for (let y = 0; y < target.heightPixels; y++) {
		row.fill(0);
		for (let tap = 0; tap < at(rows.count, y); tap++) {
			add((at(rows.first, y) + tap) * row.length, at(rows.weights, y * rows.stride + tap));
		}
		for (let x = 0; x < target.widthPixels; x++) {
			sum(x);
			write((place.origin + x * place.stepX + y * place.stepY) * CHANNELS.rgba);
		}
	}
}

/** Returns an element of a typed array that is known to exist. */
function at(array: Int32Array | Float32Array, index: number): number {
	return array[index] ?? 0;
}

/** One axis: `targetLength` pixels are made from `length` source pixels starting at `start`. */
interface Axis {
	readonly sourceLength: number;
	readonly start: number;
	readonly length: number;
	readonly targetLength: number;
}

/** The taps of one axis. Pixels just outside the crop take part, so that its edge looks like the rest. */
function filterTaps({ sourceLength, start, length, targetLength }: Axis): Taps {
	const ratio = length / targetLength;
	const filterScale = Math.max(1, ratio);
	const radius = LANCZOS_RADIUS * filterScale;
	const stride = Math.min(sourceLength, Math.ceil(radius * 2) + 1);
	const first = new Int32Array(targetLength);
	const count = new Int32Array(targetLength);
	const weights = new Float32Array(targetLength * stride);
	for (let index = 0; index < targetLength; index++) {
		const centre = start + (index + 0.5) * ratio;
		const from = Math.max(0, Math.ceil(centre - radius - 0.5));
		const to = Math.min(sourceLength, from + stride, Math.floor(centre + radius + 0.5));
		first[index] = from;
		count[index] = to - from;
		const own = weights.subarray(index * stride, index * stride + to - from);
		for (let tap = 0; tap < own.length; tap++) own[tap] = lanczos((from + tap + 0.5 - centre) / filterScale);
		normalise(own);
	}
	return { first, count, weights, stride };
}

function lanczos(x: number): number {
	if (x === 0) return 1;
	if (Math.abs(x) >= LANCZOS_RADIUS) return 0;
	const angle = Math.PI * x;
	return (LANCZOS_RADIUS * Math.sin(angle) * Math.sin(angle / LANCZOS_RADIUS)) / (angle * angle);
}

/** Makes the weights sum to 1: at the edges a part of the filter is outside the image. */
function normalise(weights: Float32Array): void {
	let sum = 0;
	for (const weight of weights) sum += weight;
	for (let index = 0; index < weights.length; index++) weights[index] = at(weights, index) / sum;
}

// The functions below return the function that the loops call, so that nothing is allocated for a pixel.

/** Adds source pixels from an index of `data` to the row. */
type Adder = (start: number, weight: number) => void;

function plainAdder(row: Float32Array, data: Uint8Array): Adder {
	return (start, weight) => {
		for (let index = 0; index < row.length; index++) {
			row[index] = (row[index] ?? 0) + weight * (data[start + index] ?? 0);
		}
	};
}

/** Weights colour by opacity, so that invisible pixels don't bleed into visible ones. */
function premultipliedAdder(row: Float32Array, data: Uint8Array): Adder {
	return (start, weight) => {
		for (let index = 0; index < row.length; index += 4) {
			const alpha = weight * (data[start + index + 3] ?? 0);
			row[index] = (row[index] ?? 0) + alpha * (data[start + index] ?? 0);
			row[index + 1] = (row[index + 1] ?? 0) + alpha * (data[start + index + 1] ?? 0);
			row[index + 2] = (row[index + 2] ?? 0) + alpha * (data[start + index + 2] ?? 0);
			row[index + 3] = (row[index + 3] ?? 0) + alpha;
		}
	};
}

/** Sums the row's pixels that make up the target's pixel at `x`. */
function columnSummer(pixel: Float32Array, row: Float32Array, columns: Taps): (x: number) => void {
	const channels = pixel.length;
	return (x) => {
		pixel.fill(0);
		const taps = at(columns.count, x);
		const firstWeight = x * columns.stride;
		let index = at(columns.first, x) * channels;
		for (let tap = 0; tap < taps; tap++) {
			const weight = at(columns.weights, firstWeight + tap);
			for (let channel = 0; channel < channels; channel++) {
				pixel[channel] = (pixel[channel] ?? 0) + weight * (row[index++] ?? 0);
			}
		}
	};
}

/** Writes the pixel as RGBA at an index of `target`. The clamped array rounds. */
type Writer = (index: number) => void;

function pixelWriter(
	target: Uint8ClampedArray,
	pixel: Float32Array,
	{ layout, flatten }: Pick<SourcePixels, 'layout'> & Pick<ResampleOptions, 'flatten'>,
): Writer {
	switch (layout) {
		case 'grey':
			return (index) => target.fill(at(pixel, 0), index, index + 3).fill(OPAQUE, index + 3, index + 4);
		case 'rgb':
			return (index) => {
				target.set(pixel, index);
				target[index + 3] = OPAQUE;
			};
		case 'cmyk': {
			const rgb = new Float32Array(3);
			return (index) => {
				mixInks(pixel, rgb);
				target.set(rgb, index);
				target[index + 3] = OPAQUE;
			};
		}
		case 'rgba':
			return flatten ? flatWriter(target, pixel) : rgbaWriter(target, pixel);
	}
}

function rgbaWriter(target: Uint8ClampedArray, pixel: Float32Array): Writer {
	return (index) => {
		const alpha = Math.min(OPAQUE, Math.max(0, at(pixel, 3)));
		for (let channel = 0; channel < 3; channel++) target[index + channel] = at(pixel, channel) / (alpha || OPAQUE);
		target[index + 3] = alpha;
	};
}

/** Blends with white. */
function flatWriter(target: Uint8ClampedArray, pixel: Float32Array): Writer {
	return (index) => {
		const white = OPAQUE - Math.min(OPAQUE, Math.max(0, at(pixel, 3)));
		for (let channel = 0; channel < 3; channel++) target[index + channel] = at(pixel, channel) / OPAQUE + white;
		target[index + 3] = OPAQUE;
	};
}

/**
 * The target index of the pixel at (0, 0), and the offset of a step right or down in the stored image, in pixels of the upright
 * one. EXIF numbers the orientations by the position of the stored first row and column.
 */
function placement(orientation: number, width: number, height: number) {
	const last = width * height - 1;
	switch (orientation) {
		case 2: // mirrored
			return { origin: width - 1, stepX: -1, stepY: width };
		case 3: // upside down
			return { origin: last, stepX: -1, stepY: -width };
		case 4: // upside down and mirrored
			return { origin: last - width + 1, stepX: 1, stepY: -width };
		case 5: // lying on its left side and mirrored
			return { origin: 0, stepX: height, stepY: 1 };
		case 6: // needs a quarter turn clockwise
			return { origin: height - 1, stepX: height, stepY: -1 };
		case 7: // lying on its right side and mirrored
			return { origin: last, stepX: -height, stepY: -1 };
		case 8: // needs a quarter turn anticlockwise
			return { origin: last - height + 1, stepX: -height, stepY: 1 };
		default:
			return { origin: 0, stepX: 1, stepY: width };
	}
}
