/// <reference types="vite/client" />
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
	concat,
	encodePicture,
	flatJpeg,
	flatPng,
	noise,
	photoOf,
	pngChunk,
} from '../../bench/thumbnail-memory-images.ts';
import photoUrl from '../../demo/data/hubble-extreme-deep-field.jpg?inline';
import { Codecs } from '../../src/tasks/thumbnail/codecs.ts';
import { loaders } from '../../src/tasks/thumbnail/loaders.ts';
import { MEMORY_BUDGET_BYTES, totalBytes } from '../../src/tasks/thumbnail/memory.ts';
import { type ResizeRequest, scaledSide } from '../../src/tasks/thumbnail/plan.ts';
import { resizeImage } from '../../src/tasks/thumbnail/resize.ts';

const MEGABYTE = 1_000_000;
const FOUR_K = { widthPixels: 3840, heightPixels: 2160 };
const TWELVE_MEGAPIXELS = { widthPixels: 4000, heightPixels: 3000 };

/** A JPEG that its decoder rejects with an error: its first segment, which all others depend on, is missing. */
const WITHOUT_TABLES = concat([0xff, 0xd8], flatJpeg({ widthPixels: 64, heightPixels: 64 }).subarray(71));

const photo = new Uint8Array(await (await fetch(photoUrl)).arrayBuffer());

async function resize(
	bytes: Uint8Array<ArrayBuffer>,
	codecs: Codecs,
	request: Partial<ResizeRequest> = {},
	aborted = '',
) {
	const controller = new AbortController();
	const input = { sizeBytes: bytes.length, stream: () => new Blob([bytes]).stream() };
	const onStage = (stage: string) => {
		if (stage === aborted) controller.abort(new Error('canceled'));
	};
	const options = { codecs, signal: controller.signal, onStage };
	return resizeImage(input, { width: 320, fit: 'contain', quality: 80, ...request }, options);
}

describe('the memory of one image', () => {
	it('is under 10 MB for a photo of 12 megapixels', async () => {
		const bytes = await encodePicture(await photoOf(photo, 12, loaders), 'jpeg', { loaders });
		const codecs = new Codecs(loaders);
		const result = await resize(bytes, codecs);
		expect([result.widthPixels, result.heightPixels]).toEqual([320, 279]);
		expect(codecs.heldBytes).toBeLessThan(10 * MEGABYTE);
	});

	it.each([
		['a JPEG of 12 megapixels, nearly in full', () => flatJpeg(TWELVE_MEGAPIXELS), { width: 2010 }],
		[
			'a progressive JPEG of 12 megapixels',
			() => flatJpeg({ ...TWELVE_MEGAPIXELS, progressive: true }),
			{ width: 1000 },
		],
		['a progressive JPEG for a PNG', () => flatJpeg({ ...TWELVE_MEGAPIXELS, progressive: true }), { format: 'png' }],
		['a grey JPEG', () => flatJpeg({ ...TWELVE_MEGAPIXELS, channels: 1 }), { width: 2000, quality: 100 }],
		['a CMYK JPEG', () => flatJpeg({ ...TWELVE_MEGAPIXELS, channels: 4 }), { width: 1600 }],
		['a 4K screenshot', () => flatPng(FOUR_K), {}],
		['a 16-bit PNG', () => flatPng({ widthPixels: 2500, heightPixels: 1800, bits: 16 }), {}],
		[
			'a grey PNG for a WebP',
			() => flatPng({ widthPixels: 2500, heightPixels: 1800, colourType: 4 }),
			{ format: 'webp' },
		],
	] as const)('is no more than planned for %s', async (_, make, request) => {
		const codecs = new Codecs(loaders);
		const { bytes, plan } = await resize(make(), codecs, request);
		const planned = totalBytes(plan.needs);
		expect(codecs.heldBytes + bytes.length).toBeLessThanOrEqual(planned);
		expect(planned).toBeLessThanOrEqual(MEMORY_BUDGET_BYTES);
	});

	it.each([
		['png', 'png', 1100],
		['png', 'jpeg', 1100],
		['webp', 'webp', 1100],
		['png', 'webp', 1100],
		['jpeg', 'jpeg', 1100],
		['jpeg', 'webp', 1100],
		['webp', 'png', 1100],
		['webp', 'jpeg', 1100],
	] as const)('is no more than planned for noise, %s to %s', async (from, format, width) => {
		const bytes = await encodePicture(noise(1100, 980), from, { loaders });
		const codecs = new Codecs(loaders);
		const result = await resize(bytes, codecs, { width, format, quality: 100 });
		expect(codecs.heldBytes + result.bytes.length).toBeLessThanOrEqual(totalBytes(result.plan.needs));
	});

	it('is not what a compressed colour profile would inflate to', async () => {
		const profile = pngChunk('iCCP', concat('p\0\0', deflateSync(new Uint8Array(40 * MEGABYTE))));
		const codecs = new Codecs(loaders);
		await resize(flatPng({ widthPixels: 64, heightPixels: 64, extra: profile }), codecs);
		expect(codecs.heldBytes).toBeLessThan(4 * MEGABYTE);
	});
});

describe('the memory of many images', () => {
	it('does not grow with their number, whatever becomes of them', async () => {
		const codecs = new Codecs(loaders);
		const png = await encodePicture(noise(200, 150), 'png', { loaders });
		const jpeg = await encodePicture(noise(200, 150), 'jpeg', { loaders, quality: 100 });
		const round = async () => {
			await resize(photo, codecs);
			await resize(png, codecs);
			await resize(photo, codecs, { format: 'webp' });
			await expect(resize(photo, codecs, { width: 4096, fit: 'fill', format: 'png' })).rejects.toThrow('limit');
			await expect(resize(WITHOUT_TABLES, codecs)).rejects.toThrow('damaged');
			for (const stage of ['read', 'decoded', 'resized', 'encoded']) {
				await expect(resize(photo, codecs, { format: 'png' }, stage)).rejects.toThrow('canceled');
			}
		};
		await round();
		await round();
		const { heldBytes } = codecs;
		await round();
		for (let images = 0; images < 100; images++) await resize(images % 2 ? png : jpeg, codecs, { quality: 100 });
		expect(codecs.heldBytes).toBe(heldBytes);
	});

	it('is the same memory for one large image after another', async () => {
		const codecs = new Codecs(loaders);
		const screenshot = flatPng(FOUR_K);
		await resize(screenshot, codecs);
		const codec = await codecs.open('png');
		const { heldBytes } = codecs;
		for (const bytes of [screenshot, screenshot]) await resize(bytes, codecs);
		expect(await codecs.open('png')).toBe(codec);
		expect(codecs.heldBytes).toBe(heldBytes);
	});

	it('stays within the budget when large ones of different kinds take turns', async () => {
		const codecs = new Codecs(loaders);
		const screenshot = flatPng(FOUR_K);
		const grey = flatPng({ ...FOUR_K, colourType: 4 });
		const progressive = flatJpeg({ ...TWELVE_MEGAPIXELS, progressive: true });
		for (const bytes of [grey, screenshot, progressive, photo, screenshot, photo, progressive, screenshot]) {
			const result = await resize(bytes, codecs);
			expect(codecs.heldBytes + result.bytes.length).toBeLessThanOrEqual(MEMORY_BUDGET_BYTES);
		}
	});
});

describe('the JPEG codec', () => {
	it.each([
		[4000, 3000, 1],
		[4000, 3000, 4],
		[3000, 4000, 2],
		[4000, 1, 4],
		[1, 4000, 2],
		[7, 9, 8],
		[4000, 1, 8],
	])('decodes %i × %i pixels at %i eighths, as planned', async (widthPixels, heightPixels, eighths) => {
		const codec = await new Codecs(loaders).open('jpeg');
		const bytes = flatJpeg({ widthPixels, heightPixels });
		const decoded = codec.decode(bytes, { widthPixels, heightPixels, eighths });
		expect(decoded.widthPixels).toBe(scaledSide(widthPixels, eighths));
		expect(decoded.heightPixels).toBe(scaledSide(heightPixels, eighths));
	});
});

describe('a codec that has trapped', () => {
	it('is thrown away, and the next image has a new one', async () => {
		const codecs = new Codecs(loaders);
		const png = await encodePicture(noise(64, 64), 'png', { loaders });
		await resize(png, codecs);
		const before = await codecs.open('png');
		const broken = flatPng({ widthPixels: 64, heightPixels: 64, rows: new Uint8Array(10) });
		await expect(resize(broken, codecs)).rejects.toMatchObject({ code: 'InvalidImage', retryable: false });
		expect(before.isSpent).toBe(true);
		expect(await codecs.open('png')).not.toBe(before);
		expect((await resize(png, codecs, { width: 32 })).widthPixels).toBe(32);
	});

	it('is not mistaken for one that says in an orderly way that it cannot', async () => {
		const codecs = new Codecs(loaders);
		const before = await codecs.open('jpeg');
		await expect(resize(WITHOUT_TABLES, codecs)).rejects.toMatchObject({ code: 'InvalidImage', retryable: false });
		expect(before.isSpent).toBe(false);
		expect(await codecs.open('jpeg')).toBe(before);
		expect((await resize(photo, codecs)).widthPixels).toBe(320);
	});
});
