/** Plans the work from an image's header and the client's request, before any pixel is decoded. Pure. */
import { imageTooLarge } from './errors.ts';
import type { ImageFormat, ImageHeader } from './header.ts';
import { MAX_SIDE_PIXELS } from './limits.ts';
import { FULL_SIZE_EIGHTHS, MEMORY_BUDGET_BYTES, type MemoryNeeds, memoryNeeds, totalBytes } from './memory.ts';

/** How the image is fitted to the box. */
export type Fit = 'contain' | 'cover' | 'fill';

/** The client's request. */
export interface ResizeRequest {
	/** The box, in pixels. A missing side follows from the other and the image's proportions. */
	readonly width?: number | undefined;
	readonly height?: number | undefined;
	readonly fit: Fit;
	readonly format?: ImageFormat | undefined;
	/** 1–100, JPEG and WebP only. */
	readonly quality: number;
}

/** A rectangle in pixels; fractions are allowed. */
export interface Rectangle {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** A width and a height. */
export interface Size {
	readonly widthPixels: number;
	readonly heightPixels: number;
}

/** The planned work. All sizes are of the pixels as stored: the orientation is applied last, during writing. */
export interface Plan {
	readonly format: ImageFormat;
	readonly quality: number;
	/** The part of the image that is used. */
	readonly crop: Rectangle;
	readonly widthPixels: number;
	readonly heightPixels: number;
	readonly orientation: number;
	/** The result's size after it is turned upright. */
	readonly upright: Size;
	/** The size that the image is decoded at, in eighths: 1, 2, 4 or 8. Only JPEG can be decoded at a smaller size. */
	readonly eighths: number;
	/** The memory that the work needs. */
	readonly needs: MemoryNeeds;
}

/** The default width when the client requests no size, in pixels. */
export const DEFAULT_WIDTH_PIXELS = 320;

/** Maximum size of an input in pixels, even if it needs little memory. It bounds the time: half a second at this size. */
export const MAX_PIXELS = 100_000_000;

/** Maximum length of an input's side, in pixels: JPEG's own limit. PNG's is 2 billion, but a row must fit in memory. */
export const MAX_INPUT_SIDE_PIXELS = 65_535;

const SCALES_IN_EIGHTHS: readonly number[] = [1, 2, 4];
const FIRST_SIDEWAYS_ORIENTATION = 5;
const MEGAPIXEL = 1_000_000;
const MEGABYTE = 1_000_000;

/**
 * Plans how to turn `header`'s image into the requested one.
 *
 * @param inputBytes the length of the file.
 * @throws {TaskError} `ImageTooLarge` when the image or the result does not fit.
 */
export function planResize(header: ImageHeader, inputBytes: number, request: ResizeRequest): Plan {
	checkInputSize(header);
	const sideways = header.orientation >= FIRST_SIDEWAYS_ORIENTATION;
	const shown = sideways ? transposed(header) : header;
	const box = fitToBox(shown.widthPixels, shown.heightPixels, request);
	const plan = sideways ? { ...transposed(box), crop: transposedCrop(box.crop) } : box;
	const eighths = header.format === 'jpeg' ? smallestScale(header, plan) : FULL_SIZE_EIGHTHS;
	const format = request.format ?? header.format;
	const { quality } = request;
	const { widthPixels, heightPixels } = box;
	const needs = memoryNeeds({ header, inputBytes, eighths, format, quality, resultPixels: widthPixels * heightPixels });
	if (totalBytes(needs) > MEMORY_BUDGET_BYTES) {
		throw tooMuchMemory({ image: shown, from: header.format, result: box, to: format, bytes: totalBytes(needs) });
	}
	const upright = { widthPixels, heightPixels };
	return { ...plan, upright, orientation: header.orientation, eighths, format, quality, needs };
}

/** The length of a side after a JPEG is decoded at a scale. */
export function scaledSide(sidePixels: number, eighths: number): number {
	return Math.ceil((sidePixels * eighths) / FULL_SIZE_EIGHTHS);
}

function checkInputSize({ widthPixels, heightPixels }: Size): void {
	const is = `The image has ${describe({ widthPixels, heightPixels })}`;
	if (widthPixels * heightPixels > MAX_PIXELS) {
		throw imageTooLarge(`${is}, expected at most ${MAX_PIXELS / MEGAPIXEL} megapixels`);
	}
	if (Math.max(widthPixels, heightPixels) > MAX_INPUT_SIDE_PIXELS) {
		throw imageTooLarge(`${is}, expected sides of at most ${MAX_INPUT_SIDE_PIXELS} pixels`);
	}
}

/** The result's size and the visible part of the image, both in upright orientation. */
function fitToBox(width: number, height: number, request: ResizeRequest): Size & { crop: Rectangle } {
	const whole = { x: 0, y: 0, width, height };
	const noSize = request.width === undefined && request.height === undefined;
	const boxWidth = noSize ? DEFAULT_WIDTH_PIXELS : request.width;
	const boxHeight = request.height;
	if (request.fit === 'contain') {
		const scale = Math.min(1, (boxWidth ?? MAX_SIDE_PIXELS) / width, (boxHeight ?? MAX_SIDE_PIXELS) / height);
		return { widthPixels: clampSide(width * scale), heightPixels: clampSide(height * scale), crop: whole };
	}
	const widthPixels = clampSide(boxWidth ?? ((boxHeight ?? 0) * width) / height);
	const heightPixels = clampSide(boxHeight ?? ((boxWidth ?? 0) * height) / width);
	if (request.fit === 'fill') return { widthPixels, heightPixels, crop: whole };
	const scale = Math.max(widthPixels / width, heightPixels / height);
	const crop = { width: widthPixels / scale, height: heightPixels / scale };
	return { widthPixels, heightPixels, crop: { x: (width - crop.width) / 2, y: (height - crop.height) / 2, ...crop } };
}

function clampSide(pixels: number): number {
	return Math.min(MAX_SIDE_PIXELS, Math.max(1, Math.round(pixels)));
}

function transposed({ widthPixels, heightPixels }: Size): Size {
	return { widthPixels: heightPixels, heightPixels: widthPixels };
}

/** A centred crop stays centred after turning or mirroring, so only its sides are swapped. */
function transposedCrop({ x, y, width, height }: Rectangle): Rectangle {
	return { x: y, y: x, width: height, height: width };
}

/** The smallest scale at which the result needs no upscaling. */
function smallestScale(image: Size, plan: Size & { crop: Rectangle }): number {
	const neededWidth = (image.widthPixels * plan.widthPixels) / plan.crop.width;
	const neededHeight = (image.heightPixels * plan.heightPixels) / plan.crop.height;
	const isEnough = (eighths: number) =>
		scaledSide(image.widthPixels, eighths) >= neededWidth && scaledSide(image.heightPixels, eighths) >= neededHeight;
	return SCALES_IN_EIGHTHS.find(isEnough) ?? FULL_SIZE_EIGHTHS;
}

interface TooLarge {
	readonly image: Size;
	readonly from: ImageFormat;
	readonly result: Size;
	readonly to: ImageFormat;
	readonly bytes: number;
}

function tooMuchMemory({ image, from, result, to, bytes }: TooLarge) {
	return imageTooLarge(
		`A ${to} of ${describe(result)} from a ${from} of ${describe(image)} would take ${roundedMegabytes(bytes)} ` +
			`of memory, the limit is ${roundedMegabytes(MEMORY_BUDGET_BYTES)}`,
	);
}

function roundedMegabytes(bytes: number): string {
	return `${Math.round(bytes / MEGABYTE)} MB`;
}

function describe({ widthPixels, heightPixels }: Size): string {
	return `${widthPixels} × ${heightPixels} pixels (${((widthPixels * heightPixels) / MEGAPIXEL).toFixed(1)} megapixels)`;
}
