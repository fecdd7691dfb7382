import { describe, expect, it } from 'vitest';
import type { ImageHeader } from '../../src/tasks/thumbnail/header.ts';
import { MEMORY_BUDGET_BYTES, totalBytes } from '../../src/tasks/thumbnail/memory.ts';
import { MAX_PIXELS, planResize, type ResizeRequest } from '../../src/tasks/thumbnail/plan.ts';
import { TaskError } from '../../src/work/task.ts';

const INPUT_BYTES = 3_000_000;
const NO_METADATA = { file: new Uint8Array(), profile: undefined };

function jpeg(widthPixels: number, heightPixels: number, more: object = {}): ImageHeader {
	const kind = {
		format: 'jpeg',
		channels: 3,
		progressive: false,
		orientation: 1,
		...NO_METADATA,
	} as const;
	return { ...kind, widthPixels, heightPixels, storedSamples: widthPixels * heightPixels * 1.5, ...more };
}

function png(widthPixels: number, heightPixels: number): ImageHeader {
	return { format: 'png', decodedBytesPerPixel: 9.2, orientation: 1, widthPixels, heightPixels, ...NO_METADATA };
}

function plan(header: ImageHeader, request: Partial<ResizeRequest>) {
	return planResize(header, INPUT_BYTES, { fit: 'contain', quality: 80, ...request });
}

function refusal(header: ImageHeader, request: Partial<ResizeRequest>): TaskError {
	try {
		plan(header, request);
	} catch (error) {
		if (error instanceof TaskError) return error;
		throw error;
	}
	throw new Error('expected a refusal');
}

describe('the plan', () => {
	it.each([
		[{ width: 500 }, 1],
		[{ width: 501 }, 2],
		[{ width: 1000 }, 2],
		[{ height: 376 }, 2],
		[{ width: 2000 }, 4],
		[{ width: 2001 }, 8],
		[{ width: 500, height: 376, fit: 'fill' }, 2],
		[{ width: 375, height: 375, fit: 'cover' }, 1],
		[{ width: 376, height: 376, fit: 'cover' }, 2],
	] as const)('decodes a JPEG of 4000 × 3000 for %o at %i eighths', (request, eighths) => {
		expect(plan(jpeg(4000, 3000), request).eighths).toBe(eighths);
	});

	it('decodes at full size what is made larger, and what is no JPEG', () => {
		expect(plan(jpeg(100, 100), { width: 300, fit: 'fill' }).eighths).toBe(8);
		expect(plan(png(1000, 1000), { width: 10 }).eighths).toBe(8);
	});

	it('takes the box as seen, and says both sizes', () => {
		const sideways = plan(jpeg(4000, 3000, { orientation: 6 }), { width: 300 });
		expect(sideways).toMatchObject({ widthPixels: 400, heightPixels: 300 });
		expect(sideways.upright).toEqual({ widthPixels: 300, heightPixels: 400 });
	});

	it('crops the middle, in the pixels as stored', () => {
		const request = { width: 100, height: 100, fit: 'cover' } as const;
		expect(plan(jpeg(400, 300), request).crop).toEqual({ x: 50, y: 0, width: 300, height: 300 });
		expect(plan(jpeg(300, 400, { orientation: 8 }), request).crop).toEqual({ x: 0, y: 50, width: 300, height: 300 });
	});

	it('has room for any JPEG of 12 megapixels on the way to a thumbnail', () => {
		for (const progressive of [false, true]) {
			for (const storedSamples of [18_000_000, 24_000_000, 36_000_000]) {
				const header = jpeg(4000, 3000, { progressive, storedSamples });
				expect(totalBytes(plan(header, { width: 1000 }).needs)).toBeLessThan(MEMORY_BUDGET_BYTES);
			}
		}
	});

	it('has room for a 4K screenshot with transparency', () => {
		expect(totalBytes(plan(png(3840, 2160), { width: 320 }).needs)).toBeLessThan(MEMORY_BUDGET_BYTES);
	});

	it.each([
		['more pixels than are ever taken', jpeg(10_001, 10_000), {}],
		['a side longer than any JPEG has', png(70_000, 10), {}],
		['a PNG that does not fit', png(4000, 3000), {}],
		['a result that does not fit', jpeg(4000, 3000), { width: 4000, format: 'png' }],
		['a progressive JPEG that does not fit', jpeg(6000, 4000, { progressive: true, storedSamples: 72_000_000 }), {}],
	] as const)('refuses %s, and gives both numbers', (_, header, request) => {
		const error = refusal(header, request);
		expect(error).toMatchObject({ code: 'ImageTooLarge', status: 413, retryable: false });
		expect(error.message).toMatch(/\d+ × \d+ pixels/);
		expect(error.message).toMatch(/the limit is 110 MB|100 megapixels|65535 pixels/);
	});

	it('takes the largest JPEG there is room for', () => {
		expect(plan(jpeg(10_000, MAX_PIXELS / 10_000), {}).eighths).toBe(1);
	});
});
