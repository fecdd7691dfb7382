import { describe, expect, it } from 'vitest';
import { resample, type SourcePixels } from '../../src/tasks/thumbnail/resample.ts';

interface Wanted {
	readonly width: number;
	readonly height: number;
	readonly orientation?: number;
	readonly flatten?: boolean;
	readonly crop?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

function source(layout: SourcePixels['layout'], widthPixels: number, ...data: number[]): SourcePixels {
	const channels = { grey: 1, rgb: 3, rgba: 4, cmyk: 4 }[layout];
	return { data: Uint8Array.from(data), widthPixels, heightPixels: data.length / channels / widthPixels, layout };
}

function resampled(from: SourcePixels, { width, height, orientation = 1, flatten = false, crop }: Wanted): number[] {
	const data = new Uint8ClampedArray(width * height * 4);
	const whole = { x: 0, y: 0, width: from.widthPixels, height: from.heightPixels };
	const target = { data, widthPixels: width, heightPixels: height };
	resample(from, target, { crop: crop ?? whole, orientation, flatten });
	return [...data];
}

/** The red of each pixel. */
function reds(pixels: readonly number[]): number[] {
	return pixels.filter((_, index) => index % 4 === 0);
}

describe('resample', () => {
	const sixPixels = source('grey', 3, 1, 2, 3, 4, 5, 6);

	it('leaves pixels as they are when the size stays', () => {
		expect(reds(resampled(sixPixels, { width: 3, height: 2 }))).toEqual([1, 2, 3, 4, 5, 6]);
		expect(resampled(source('rgba', 1, 10, 20, 30, 40), { width: 1, height: 1 })).toEqual([10, 20, 30, 40]);
	});

	it.each([
		[1, [1, 2, 3, 4, 5, 6]],
		[2, [3, 2, 1, 6, 5, 4]],
		[3, [6, 5, 4, 3, 2, 1]],
		[4, [4, 5, 6, 1, 2, 3]],
		[5, [1, 4, 2, 5, 3, 6]],
		[6, [4, 1, 5, 2, 6, 3]],
		[7, [6, 3, 5, 2, 4, 1]],
		[8, [3, 6, 2, 5, 1, 4]],
	])('puts every pixel where EXIF orientation %i wants it', (orientation, expected) => {
		expect(reds(resampled(sixPixels, { width: 3, height: 2, orientation }))).toEqual(expected);
	});

	it('makes a flat picture of a flat picture, at any size', () => {
		const flat = source('rgb', 7, ...new Array<number>(7 * 5 * 3).fill(200));
		for (const [width, height] of [
			[1, 1],
			[3, 4],
			[7, 5],
			[20, 33],
			[200, 1],
		] as const) {
			expect(new Set(reds(resampled(flat, { width, height })))).toEqual(new Set([200]));
		}
	});

	it('takes nothing but the crop, but for its very edge', () => {
		const halves = source('grey', 20, ...new Array<number>(10).fill(0), ...new Array<number>(10).fill(100));
		const right = resampled(halves, { width: 2, height: 1, crop: { x: 16, y: 0, width: 4, height: 1 } });
		expect(reds(right)).toEqual([100, 100]);
	});

	it('mixes as much of each pixel as lies under the new one', () => {
		const ramp = source('grey', 8, 0, 0, 0, 0, 80, 80, 80, 80);
		const [left = 0, right = 0] = reds(resampled(ramp, { width: 2, height: 1 }));
		expect(left).toBeLessThan(10);
		expect(right).toBeGreaterThan(70);
		expect(reds(resampled(ramp, { width: 1, height: 1 }))).toEqual([40]);
	});

	it('mixes inks as they look on paper', () => {
		const ink = source('cmyk', 2, 255, 0, 0, 0, 0, 100, 255, 128);
		expect(resampled(ink, { width: 2, height: 1 })).toEqual([0, 153, 227, 255, 139, 92, 0, 255]);
	});

	it('lays what is transparent over white when it is told to', () => {
		const faint = source('rgba', 2, 100, 0, 0, 51, 9, 9, 9, 0);
		expect(resampled(faint, { width: 2, height: 1, flatten: true })).toEqual([224, 204, 204, 255, 255, 255, 255, 255]);
	});
});
