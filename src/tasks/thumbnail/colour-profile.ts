/**
 * Converts colours to sRGB by an image's ICC profile. Pure.
 *
 * Cameras, screens and editors write profiles of three primaries and tone curves (Display P3, Adobe RGB, ProPhoto), or of one
 * curve for grey. Profiles that are only tables, such as those of printers, are ignored: the image counts as sRGB.
 *
 * @see https://www.color.org/specification/ICC.1-2022-05.pdf
 */
import { dataView, textAt } from './image-bytes.ts';

/** Maximum size of a profile in bytes. One of primaries and curves has 500 bytes to 20 KB. */
export const MAX_PROFILE_BYTES = 1_048_576;

const COLOUR_SPACE_OFFSET = 16;
const TAG_COUNT_OFFSET = 128;
const TAG_ENTRY_BYTES = 12;
const MAX_TAGS = 100;
const FIXED_POINT = 65_536;
const LEVELS = 256;
const MAX_LEVEL = 255;
const RGBA = 4;
/** Steps of the table from light to sRGB: enough for the steepest part of its curve. */
const LIGHT_STEPS = 16_384;

/** Light (XYZ, relative to D50) to linear sRGB: the inverse of sRGB's own primaries. */
const XYZ_TO_SRGB: readonly Triple[] = [
	[3.1341359, -1.6173863, -0.4906619],
	[-0.978795, 1.9162543, 0.0334428],
	[0.0719553, -0.2289768, 1.4053851],
];

/** The parameters g, a, b, c, d, e, f of the five kinds of parametric curve, by the number that are given. */
const PARAMETER_COUNTS: readonly number[] = [1, 3, 4, 5, 7];

type Triple = readonly [number, number, number];
/** A channel's light, 0 to 1, by its 256 levels. */
type Curve = Float64Array;

interface Profile {
	/** Red, green and blue; three times the same for grey. */
	readonly curves: readonly [Curve, Curve, Curve];
	/** Linear light of the profile to linear sRGB; undefined for grey. */
	readonly matrix: readonly Triple[] | undefined;
}

/** Converts RGBA pixels in place. Does nothing if there is no profile, or one that cannot be used. */
export function convertToSrgb(pixels: Uint8ClampedArray, icc: Uint8Array | undefined): void {
	const profile = icc && readProfile(icc);
	if (!profile) return;
	const { curves, matrix } = profile;
	const [reds, greens, blues] = curves;
	const levels = srgbLevels();
	for (let index = 0; index < pixels.length; index += RGBA) {
		const red = reds[pixels[index] ?? 0] ?? 0;
		const green = greens[pixels[index + 1] ?? 0] ?? 0;
		const blue = blues[pixels[index + 2] ?? 0] ?? 0;
		for (let channel = 0; channel < 3; channel++) {
			const row = matrix?.[channel];
			const light = row ? row[0] * red + row[1] * green + row[2] * blue : red;
			pixels[index + channel] = levels[Math.round(Math.min(1, Math.max(0, light)) * LIGHT_STEPS)] ?? 0;
		}
	}
}

/** The levels of sRGB by light. */
function srgbLevels(): Float32Array {
	return Float32Array.from({ length: LIGHT_STEPS + 1 }, (_, step) => {
		const light = step / LIGHT_STEPS;
		return MAX_LEVEL * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055);
	});
}

/** Returns undefined for a damaged profile too: the image is usable without it. */
function readProfile(icc: Uint8Array): Profile | undefined {
	try {
		const tags = readTags(icc);
		switch (textAt(icc, COLOUR_SPACE_OFFSET, 4)) {
			case 'GRAY': {
				const curve = readCurve(tags.get('kTRC'));
				return { curves: [curve, curve, curve], matrix: undefined };
			}
			case 'RGB ': {
				const curves = [readCurve(tags.get('rTRC')), readCurve(tags.get('gTRC')), readCurve(tags.get('bTRC'))] as const;
				const [red, green, blue] = [readXyz(tags.get('rXYZ')), readXyz(tags.get('gXYZ')), readXyz(tags.get('bXYZ'))];
				const matrix = XYZ_TO_SRGB.map((row): Triple => [dot(row, red), dot(row, green), dot(row, blue)]);
				return { curves, matrix };
			}
			default:
				return undefined;
		}
	} catch (error) {
		if (error instanceof RangeError) return undefined;
		throw error;
	}
}

/** @throws {RangeError} when the profile ends early, as the other readers. */
function readTags(icc: Uint8Array): ReadonlyMap<string, DataView> {
	const view = dataView(icc);
	const count = Math.min(MAX_TAGS, view.getUint32(TAG_COUNT_OFFSET));
	const tags = new Map<string, DataView>();
	for (let index = 0; index < count; index++) {
		const entry = TAG_COUNT_OFFSET + 4 + index * TAG_ENTRY_BYTES;
		const offset = view.getUint32(entry + 4);
		const sizeBytes = view.getUint32(entry + 8);
		tags.set(textAt(icc, entry, 4), new DataView(icc.buffer, icc.byteOffset + offset, sizeBytes));
	}
	return tags;
}

function readXyz(tag: DataView | undefined): Triple {
	if (!tag) throw new RangeError('The profile has no primaries');
	const component = (index: number) => tag.getInt32(8 + index * 4) / FIXED_POINT;
	return [component(0), component(1), component(2)];
}

function readCurve(tag: DataView | undefined): Curve {
	const type = tag?.getUint32(0);
	const light = tag && type === CURVE ? tableCurve(tag) : tag && type === PARAMETRIC ? parametricCurve(tag) : undefined;
	if (!light) throw new RangeError('The profile has no tone curve');
	return Float64Array.from({ length: LEVELS }, (_, level) => light(level / MAX_LEVEL));
}

/** `curv` */
const CURVE = 0x63757276;
/** `para` */
const PARAMETRIC = 0x70617261;

/** Nothing (linear), a gamma, or a table. */
function tableCurve(tag: DataView): (value: number) => number {
	const count = tag.getUint32(8);
	if (count === 0) return (value) => value;
	if (count === 1) {
		const gamma = tag.getUint16(12) / 256;
		return (value) => value ** gamma;
	}
	const entry = (index: number) => tag.getUint16(12 + Math.min(count - 1, index) * 2) / 65_535;
	return (value) => {
		const at = value * (count - 1);
		const index = Math.floor(at);
		return entry(index) + (entry(index + 1) - entry(index)) * (at - index);
	};
}

function parametricCurve(tag: DataView): (value: number) => number {
	const count = PARAMETER_COUNTS[tag.getUint16(8)];
	if (count === undefined) throw new RangeError('The profile has an unknown kind of tone curve');
	const given = Array.from({ length: count }, (_, index) => tag.getInt32(12 + index * 4) / FIXED_POINT);
	const [g = 1, a = 1, b = 0] = given;
	const power = (value: number) => Math.max(0, a * value + b) ** g;
	// Below its threshold a curve is a line, and the kinds of one, three and four parameters have a constant there.
	if (count <= 4) {
		const added = given[3] ?? 0;
		return count === 1 ? power : (value) => (value >= -b / a ? power(value) + added : added);
	}
	const [, , , c = 0, d = 0, e = 0, f = 0] = given;
	return (value) => (value >= d ? power(value) + e : c * value + f);
}

function dot(one: Triple, other: Triple): number {
	return one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
}
