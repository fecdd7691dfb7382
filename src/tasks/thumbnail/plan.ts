/** What to do with an image, decided from its header and the client's wishes before a pixel is decoded. Pure. */
import { imageTooLarge } from './errors.ts';
import type { ImageFormat, ImageHeader } from './header.ts';
import { FULL_SIZE_EIGHTHS, MEMORY_BUDGET_BYTES, type MemoryNeeds, memoryNeeds, totalBytes } from './memory.ts';

/** How the image meets the box. */
export type Fit = 'contain' | 'cover' | 'fill';

/** What the client asked for. */
export interface ResizeRequest {
	/** The box, in pixels. A side left out follows from the other and the image's proportions. */
	readonly width?: number | undefined;
	readonly height?: number | undefined;
	readonly fit: Fit;
	readonly format?: ImageFormat | undefined;
	/** 1–100, JPEG only. */
	readonly quality: number;
}

/** A rectangle in pixels; fractions are fine. */
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

/** What will be done. All sizes are of the pixels as stored: the orientation is applied last, while writing. */
export interface Plan {
	readonly format: ImageFormat;
	readonly quality: number;
	/** The part of the image that is used. */
	readonly crop: Rectangle;
	readonly widthPixels: number;
	readonly heightPixels: number;
	readonly orientation: number;
	/** The result's size once it is upright. */
	readonly upright: Size;
	/** The size the image is decoded at, in eighths: 1, 2, 4 or 8. Only JPEG can be decoded smaller than it is. */
	readonly eighths: number;
	/** The memory it will take. */
	readonly needs: MemoryNeeds;
}

/** The longest side of a result, in pixels. */
export const MAX_SIDE_PIXELS = 4_096;

/** The width when the client asks for no size, in pixels. */
export const DEFAULT_WIDTH_PIXELS = 320;

/** The largest image taken, in pixels, however little memory it needs: it bounds the time, half a second at this size. */
export const MAX_PIXELS = 100_000_000;

/** The longest side of an input, in pixels: JPEG's own limit. PNG's is 2 billion, and a row must fit too. */
export const MAX_INPUT_SIDE_PIXELS = 65_535;

const SCALES_IN_EIGHTHS: readonly number[] = [1, 2, 4];
const FIRST_SIDEWAYS_ORIENTATION = 5;
const MEGAPIXEL = 1_000_000;
const MEGABYTE = 1_000_000;

/**
 * Decides how `header`'s image becomes what was asked for.
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
	if (totalBytes(needs) > MEMORY_BUDGET_BYTES) throw tooMuchMemory(shown, header.format, box, format, needs);
	const upright = { widthPixels, heightPixels };
	return { ...plan, upright, orientation: header.orientation, eighths, format, quality, needs };
}

/** The length of a side as a JPEG's decoder makes it at a scale. */
export function scaledSide(sidePixels: number, eighths: number): number {
	return Math.ceil((sidePixels * eighths) / FULL_SIZE_EIGHTHS);
}

function checkInputSize({ widthPixels, heightPixels }: Size): void {
	const is = `The image has ${describe({ widthPixels, heightPixels })}`;
	if (widthPixels * heightPixels > MAX_PIXELS) {
		throw imageTooLarge(`${is}; at most ${MAX_PIXELS / MEGAPIXEL} megapixels are taken.`);
	}
	if (Math.max(widthPixels, heightPixels) > MAX_INPUT_SIDE_PIXELS) {
		throw imageTooLarge(`${is}; a side of at most ${MAX_INPUT_SIDE_PIXELS} pixels is taken.`);
	}
}

/** The result's size and the part of the image it shows, both as people see them. */
function fitToBox(width: number, height: number, request: ResizeRequest): Size & { crop: Rectangle } {
	const whole = { x: 0, y: 0, width, height };
	const noSize = request.width === undefined && request.height === undefined;
	const boxWidth = noSize ? DEFAULT_WIDTH_PIXELS : request.width;
	const boxHeight = request.height;
	if (request.fit === 'contain') {
		const scale = Math.min(1, (boxWidth ?? MAX_SIDE_PIXELS) / width, (boxHeight ?? MAX_SIDE_PIXELS) / height);
		return { widthPixels: side(width * scale), heightPixels: side(height * scale), crop: whole };
	}
	const widthPixels = side(boxWidth ?? ((boxHeight ?? 0) * width) / height);
	const heightPixels = side(boxHeight ?? ((boxWidth ?? 0) * height) / width);
	if (request.fit === 'fill') return { widthPixels, heightPixels, crop: whole };
	const scale = Math.max(widthPixels / width, heightPixels / height);
	const crop = { width: widthPixels / scale, height: heightPixels / scale };
	return { widthPixels, heightPixels, crop: { x: (width - crop.width) / 2, y: (height - crop.height) / 2, ...crop } };
}

function side(pixels: number): number {
	return Math.min(MAX_SIDE_PIXELS, Math.max(1, Math.round(pixels)));
}

function transposed({ widthPixels, heightPixels }: Size): Size {
	return { widthPixels: heightPixels, heightPixels: widthPixels };
}

/** Turning or mirroring leaves a centred crop centred, so only its sides change places. */
function transposedCrop({ x, y, width, height }: Rectangle): Rectangle {
	return { x: y, y: x, width: height, height: width };
}

/** The smallest scale at which no pixel of the result has to be made up. */
function smallestScale(image: Size, plan: Size & { crop: Rectangle }): number {
	const neededWidth = (image.widthPixels * plan.widthPixels) / plan.crop.width;
	const neededHeight = (image.heightPixels * plan.heightPixels) / plan.crop.height;
	const isEnough = (eighths: number) =>
		scaledSide(image.widthPixels, eighths) >= neededWidth && scaledSide(image.heightPixels, eighths) >= neededHeight;
	return SCALES_IN_EIGHTHS.find(isEnough) ?? FULL_SIZE_EIGHTHS;
}

function tooMuchMemory(image: Size, from: ImageFormat, result: Size, to: ImageFormat, needs: MemoryNeeds) {
	return imageTooLarge(
		`Making a ${to} of ${describe(result)} from a ${from} of ${describe(image)} would take ${megabytes(totalBytes(needs))} ` +
			`of memory; ${megabytes(MEMORY_BUDGET_BYTES)} is the limit.`,
	);
}

function megabytes(bytes: number): string {
	return `${Math.round(bytes / MEGABYTE)} MB`;
}

function describe({ widthPixels, heightPixels }: Size): string {
	return `${widthPixels} × ${heightPixels} pixels (${((widthPixels * heightPixels) / MEGAPIXEL).toFixed(1)} megapixels)`;
}
