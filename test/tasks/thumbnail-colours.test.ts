/// <reference types="vite/client" />
import { describe, expect, it } from 'vitest';
import { decodePicture, exif, flatJpeg, jpegSegment, type Picture } from '../../bench/thumbnail-memory-images.ts';
import { Codecs } from '../../src/tasks/thumbnail/codecs.ts';
import { convertToSrgb } from '../../src/tasks/thumbnail/colour-profile.ts';
import { loaders } from '../../src/tasks/thumbnail/loaders.ts';
import type { ResizeRequest } from '../../src/tasks/thumbnail/plan.ts';
import { resizeImage } from '../../src/tasks/thumbnail/resize.ts';
import cmykUrl from './fixtures/cmyk.jpg?inline';
import cmykWithoutAdobeUrl from './fixtures/cmyk-without-adobe.jpg?inline';
import displayP3JpegUrl from './fixtures/display-p3.jpg?inline';
import displayP3PngUrl from './fixtures/display-p3.png?inline';
import displayP3WebpUrl from './fixtures/display-p3.webp?inline';
import expected from './fixtures/expected.json';
import losslessUrl from './fixtures/lossless.webp?inline';
import lossyUrl from './fixtures/lossy.webp?inline';
import lossyRedUrl from './fixtures/lossy-red.webp?inline';
import lossyTransparentUrl from './fixtures/lossy-transparent.webp?inline';
import sidewaysGreyUrl from './fixtures/sideways-grey.jpg?inline';

/** The expected pixels are every fifth of every fifth row, beginning with the third. */
const SAMPLE_EVERY = 5;
const FIRST_SAMPLE = 2;

/** Maximum difference from sharp, in levels of 255: on average, and in any channel of any pixel. */
const CLOSE = { mean: 1.5, max: 12 };
/** Both convert inks by a table, and ours has 81 colours. */
const CLOSE_FOR_INKS = { mean: 6, max: 40 };

const FIXTURES = [
	['lossy-red.webp', lossyRedUrl, CLOSE],
	['lossy.webp', lossyUrl, CLOSE],
	['lossy-transparent.webp', lossyTransparentUrl, CLOSE],
	['lossless.webp', losslessUrl, CLOSE],
	['display-p3.jpg', displayP3JpegUrl, CLOSE],
	['display-p3.png', displayP3PngUrl, CLOSE],
	['display-p3.webp', displayP3WebpUrl, CLOSE],
	['sideways-grey.jpg', sidewaysGreyUrl, CLOSE],
	['cmyk.jpg', cmykUrl, CLOSE_FOR_INKS],
	['cmyk-without-adobe.jpg', cmykWithoutAdobeUrl, CLOSE_FOR_INKS],
] as const;

async function bytesOf(url: string): Promise<Uint8Array<ArrayBuffer>> {
	return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

async function resize(bytes: Uint8Array<ArrayBuffer>, request: Partial<ResizeRequest>) {
	const input = { sizeBytes: bytes.length, stream: () => new Blob([bytes]).stream() };
	const options = { codecs: new Codecs(loaders), signal: new AbortController().signal, onStage: () => {} };
	return resizeImage(input, { fit: 'contain', quality: 80, ...request }, options);
}

function samples({ data, widthPixels, heightPixels }: Picture): number[] {
	const found: number[] = [];
	for (let y = FIRST_SAMPLE; y < heightPixels; y += SAMPLE_EVERY) {
		for (let x = FIRST_SAMPLE; x < widthPixels; x += SAMPLE_EVERY) {
			const index = (y * widthPixels + x) * 4;
			found.push(...data.subarray(index, index + 4));
		}
	}
	return found;
}

describe('the colours of a thumbnail', () => {
	it.each(FIXTURES)('are those that sharp gives for %s', async (name, url, { mean, max }) => {
		const result = await resize(await bytesOf(url), { width: 160, format: 'png' });
		const data = samples(await decodePicture(result.bytes, 'png', loaders));
		const right = Uint8Array.from(atob(expected[name]), (letter) => letter.charCodeAt(0));
		expect(data.length).toBe(right.length);
		const differences = data.map((level, index) => Math.abs(level - (right[index] ?? 0)));
		const average = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
		expect({ average, largest: Math.max(...differences) }, name).toSatisfy(
			(found: { average: number; largest: number }) => found.average < mean && found.largest <= max,
		);
	});

	it.each([16, 33, 300])('are the same in every pixel of a one-coloured lossy WebP of %i columns', async (width) => {
		const result = await resize(await bytesOf(lossyRedUrl), { width, height: 29, fit: 'fill', format: 'png' });
		const { data } = await decodePicture(result.bytes, 'png', loaders);
		for (let index = 0; index < data.length; index += 4) {
			const [red = 0, green = 0, blue = 0] = data.subarray(index, index + 3);
			expect(Math.max(Math.abs(red - 231), Math.abs(green - 39), Math.abs(blue - 41))).toBeLessThanOrEqual(4);
		}
	});

	it('are left as they are by a damaged profile', async () => {
		const extra = jpegSegment(0xe2, new TextEncoder().encode('ICC_PROFILE\0\x01\x01 and nothing else'));
		const grey = await resize(flatJpeg({ widthPixels: 32, heightPixels: 32, extra }), { width: 8, format: 'png' });
		const { data } = await decodePicture(grey.bytes, 'png', loaders);
		expect([...data.subarray(0, 4)]).toEqual([128, 128, 128, 255]);
	});
});

describe('a WebP result', () => {
	it.each([lossyUrl, displayP3WebpUrl, losslessUrl])('is smaller than its source', async (url) => {
		const bytes = await bytesOf(url);
		expect((await resize(bytes, { width: 40 })).bytes.length).toBeLessThan(bytes.length);
	});

	it('is smaller the lower its quality', async () => {
		const bytes = await bytesOf(displayP3JpegUrl);
		const sizes = await Promise.all(
			[10, 50, 90].map(async (quality) => (await resize(bytes, { width: 60, format: 'webp', quality })).bytes.length),
		);
		expect(sizes).toEqual([...sizes].sort((one, other) => one - other));
		expect(sizes[0]).toBeLessThan((sizes[2] ?? 0) / 2);
	});
});

/** An ICC profile with these tags. */
function profileOf(space: string, tags: Record<string, readonly number[]>): Uint8Array {
	const bytes: number[] = new Array(132 + Object.keys(tags).length * 12).fill(0);
	const put = (at: number, values: readonly number[]) => bytes.splice(at, values.length, ...values);
	const text = (at: number, value: string) => put(at, [...new TextEncoder().encode(value)]);
	const number = (at: number, value: number) =>
		put(at, [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
	text(16, space);
	number(128, Object.keys(tags).length);
	for (const [index, [name, data]] of Object.entries(tags).entries()) {
		text(132 + index * 12, name);
		number(136 + index * 12, bytes.length);
		number(140 + index * 12, data.length);
		bytes.push(...data);
	}
	return Uint8Array.from(bytes);
}

describe('a colour profile', () => {
	const curve = (...values: number[]) => [
		...new TextEncoder().encode('curv'),
		...[0, 0, 0, 0, 0, 0, 0, values.length],
		...values.flatMap((value) => [value >> 8, value & 0xff]),
	];
	const converted = (level: number, icc: Uint8Array) => {
		const pixels = Uint8ClampedArray.of(level, level, level, 77);
		convertToSrgb(pixels, icc);
		return [...pixels];
	};

	it.each([
		['a straight line', curve(), 188],
		['a gamma of 2.2', curve(0x0233), 129],
		['a table', curve(0, 0xffff), 188],
	])('of grey by %s is converted', (_, kTRC, level) => {
		expect(converted(128, profileOf('GRAY', { kTRC }))).toEqual([level, level, level, 77]);
	});

	it.each([
		['no tags', profileOf('RGB ', {})],
		['inks', profileOf('CMYK', { kTRC: curve() })],
		['an unknown kind of curve', profileOf('GRAY', { kTRC: [...new TextEncoder().encode('para'), 0, 0, 0, 0, 0, 9] })],
		['a truncated table', profileOf('GRAY', { kTRC: curve(0, 1).slice(0, 14) })],
		['a tag outside the file', profileOf('GRAY', { kTRC: curve() }).slice(0, 150)],
		['nothing', new Uint8Array()],
		['an EXIF block', exif(1)],
	])('with %s changes nothing', (_, icc) => {
		expect(converted(128, icc)).toEqual([128, 128, 128, 77]);
	});
});
