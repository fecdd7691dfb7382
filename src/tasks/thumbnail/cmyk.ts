/** Converts CMYK to sRGB, for JPEGs from print. Pure. */
import { Buffer } from 'node:buffer';

/**
 * The sRGB colours of 81 inks: cyan, magenta, yellow and black at 0, 128 and 255 each, black changing fastest. They were computed
 * by libvips 8.18, with the profile that it uses for CMYK without one.
 *
 * The usual formula `(255 - cyan) × (255 - black)` ignores how inks mix on paper: it differs from libvips by 14 levels on
 * average and 138 at most. These colours differ by 5 on average.
 */
const COLOURS = Buffer.from(
	'////hoWEFAUA//iDjYZWDQQA//AAj4MAEwYA9Yq2iFdrFQAA9YZuiVVGDgAA+IMAilEAEwAA6gCAhQBOEgAA5wBRhQUzCAAA6AAAhgYAGQAA' +
		'W8HwRHKFAAUAb7mLSW5VAAEAe7QIT2sBAQQAgHSsUUtnAAAAg3FuU0hEAAAAhm4WVEYBAAAAiA16VQBLAAAAiBVVVQMyAAAAiRsbUwAAAAAA' +
		'AJnjAF2BAAAAAJSMAFhUAAAAAI0tAFUUAAAAAF+jADpjAAAAAF1vADhDAAAAAFglADQOAAAAIAZ1CwBKAAAAHwhQAgAtAAAAIREfEQgSAAAA',
	'base64',
);
const HALF_INK = 128;
const FULL_INK = 255;
const INKS = 4;
/** How far the next colour in each ink's direction is, in the table. */
const STEPS = [27, 9, 3, 1] as const;
const CORNERS = 16;

/** Mixes the sixteen nearest colours. `inks` are 0 (none) to 255. Writes red, green and blue to `rgb`. */
export function mixInks(inks: Float32Array, rgb: Float32Array): void {
	let first = 0;
	for (let ink = 0; ink < INKS; ink++) if ((inks[ink] ?? 0) >= HALF_INK) first += STEPS[ink] ?? 0;
	rgb.fill(0);
	for (let corner = 0; corner < CORNERS; corner++) {
		let weight = 1;
		let colour = first;
		for (let ink = 0; ink < INKS && weight > 0; ink++) {
			const isNext = ((corner >> ink) & 1) === 1;
			const fraction = fractionOfStep(inks[ink] ?? 0);
			weight *= isNext ? fraction : 1 - fraction;
			if (isNext) colour += STEPS[ink] ?? 0;
		}
		if (weight <= 0) continue;
		for (let channel = 0; channel < 3; channel++) {
			rgb[channel] = (rgb[channel] ?? 0) + weight * (COLOURS[colour * 3 + channel] ?? 0);
		}
	}
}

function fractionOfStep(ink: number): number {
	const clamped = Math.min(FULL_INK, Math.max(0, ink));
	return clamped >= HALF_INK ? (clamped - HALF_INK) / (FULL_INK - HALF_INK) : clamped / HALF_INK;
}
