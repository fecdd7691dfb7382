import { Buffer } from 'node:buffer';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
	concat,
	exif,
	flatJpeg,
	flatPng,
	jpegSegment,
	pngChunk,
	webpChunk,
	webpFile,
	withOrientation,
} from '../../bench/thumbnail-memory-images.ts';
import { readOrientation } from '../../src/tasks/thumbnail/exif.ts';
import { detectFormat, type ImageFormat, type ImageHeader, readHeader } from '../../src/tasks/thumbnail/header.ts';
import { MAX_SCANS } from '../../src/tasks/thumbnail/header-jpeg.ts';
import { TaskError } from '../../src/work/task.ts';

/** A lossless WebP's chunk with only a size. */
const losslessPicture = (width: number, height: number) => {
	const bits = (width - 1) | ((height - 1) << 14);
	return webpChunk('VP8L', Uint8Array.from([0x2f, bits & 0xff, (bits >> 8) & 0xff, (bits >> 16) & 0xff, bits >>> 24]));
};
/** A lossy WebP's chunk with only a size. */
const lossyPicture = (width: number, height: number) =>
	webpChunk('VP8 ', concat([0x10, 0, 0, 0x9d, 0x01, 0x2a, width & 0xff, width >> 8, height & 0xff, height >> 8]));
const canvas = (width: number, height: number) => {
	const [w, h] = [width - 1, height - 1];
	return webpChunk('VP8X', Uint8Array.from([0, 0, 0, 0, w & 0xff, w >> 8, 0, h & 0xff, h >> 8, 0]));
};
const frame = (width: number, height: number, picture: Uint8Array) => {
	const [w, h] = [width - 1, height - 1];
	return webpChunk('ANMF', concat([0, 0, 0, 0, 0, 0, w & 0xff, w >> 8, 0, h & 0xff, h >> 8, 0, 0, 0, 0, 0], picture));
};

const JPEG = flatJpeg({ widthPixels: 40, heightPixels: 30, halfColour: true });
const PNG = flatPng({ widthPixels: 40, heightPixels: 30 });
const WEBP = webpFile(canvas(40, 30), losslessPicture(40, 30), webpChunk('EXIF', exif(3)));
const FILES: readonly (readonly [ImageFormat, Uint8Array])[] = [
	['jpeg', withOrientation(JPEG, 'jpeg', 6)],
	['png', withOrientation(PNG, 'png', 6)],
	['webp', WEBP],
];

function read(bytes: Uint8Array): ImageHeader {
	return readHeader(detectFormat(bytes), bytes.slice());
}

function refusal(bytes: Uint8Array): TaskError {
	try {
		read(bytes);
	} catch (error) {
		if (error instanceof TaskError) return error;
		throw error;
	}
	throw new Error('expected a refusal');
}

describe('any header', () => {
	it.each(FILES)('of a %s says its size', (format, bytes) => {
		expect(read(bytes)).toMatchObject({ format, widthPixels: 40, heightPixels: 30 });
	});

	it.each(FILES)('of a %s that is cut off anywhere at all is refused', (_, bytes) => {
		for (let length = 0; length < bytes.length; length++) {
			expect(refusal(bytes.slice(0, length)), `cut at ${length}`).toMatchObject({ code: 'InvalidImage' });
		}
	});

	it.each(FILES)('of a %s may be followed by anything', (_, bytes) => {
		expect(read(concat(bytes, 'trailer\xff\xd9'))).toMatchObject({ widthPixels: 40, heightPixels: 30 });
	});

	it.each(FILES)('of a %s with bytes gone wrong is read or refused, nothing else', (_, bytes) => {
		let random = 1;
		const below = (limit: number) => {
			random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
			return Math.floor((random / 2 ** 32) * limit);
		};
		for (let round = 0; round < 3_000; round++) {
			const wrong = bytes.slice();
			for (let flips = 0; flips <= below(4); flips++) wrong[below(wrong.length)] = below(256);
			try {
				read(wrong);
			} catch (error) {
				expect(error).toBeInstanceOf(TaskError);
			}
		}
	});
});

describe('a JPEG header', () => {
	it.each([
		[{ channels: 1 }, { channels: 1, storedSamples: 104 * 56, progressive: false }],
		[{ channels: 3 }, { channels: 3, storedSamples: 104 * 56 * 3, progressive: false }],
		[{ halfColour: true }, { channels: 3, storedSamples: 112 * 64 * 1.5, progressive: false }],
		[{ progressive: true, scans: 5 }, { progressive: true }],
		[{ channels: 4 }, { channels: 4, storedSamples: 104 * 56 * 4 }],
		[{ channels: 4, unnamedChannels: true }, { channels: 4 }],
	] as const)('of %o says what its decoder will need', (options, expected) => {
		expect(read(flatJpeg({ widthPixels: 100, heightPixels: 50, ...options }))).toMatchObject(expected);
	});

	it('skips the preview inside the EXIF block, its size and its end too', () => {
		const preview = flatJpeg({ widthPixels: 16, heightPixels: 16 });
		const extra = jpegSegment(0xe1, concat('Exif\0\0', exif(8), preview));
		expect(read(flatJpeg({ widthPixels: 400, heightPixels: 300, extra }))).toMatchObject({
			widthPixels: 400,
			heightPixels: 300,
			orientation: 8,
		});
	});

	it('may have fill bytes before a marker', () => {
		const extra = concat([0xff, 0xff], jpegSegment(0xfe, concat('comment')));
		expect(read(flatJpeg({ widthPixels: 400, heightPixels: 300, extra }))).toMatchObject({ widthPixels: 400 });
	});

	it.each([
		['12 bits a sample', { bits: 12 }],
		['2 channels', { channels: 2 }],
		['lossless', { frameMarker: 0xc3 }],
		['arithmetic', { frameMarker: 0xc9 }],
		[`more than ${MAX_SCANS} scans`, { progressive: true, scans: MAX_SCANS + 1 }],
	] as const)('refuses %s by name', (name, options) => {
		const error = refusal(flatJpeg({ widthPixels: 40, heightPixels: 30, ...options }));
		expect(error.code).toBe('UnsupportedImage');
		expect(error.message).toContain(name);
	});

	it('refuses a side of 0 pixels', () => {
		expect(refusal(flatJpeg({ widthPixels: 40, heightPixels: 0 }))).toMatchObject({ code: 'InvalidImage' });
	});
});

describe('a PNG header', () => {
	it.each([
		[0, 8, 9.2],
		[2, 8, 9.2],
		[6, 8, 4.2],
		[6, 16, 9.2],
	] as const)('of colour type %i at %i bits says what its decoder will need', (colourType, bits, decodedBytesPerPixel) => {
		expect(read(flatPng({ widthPixels: 8, heightPixels: 8, colourType, bits }))).toMatchObject({
			decodedBytesPerPixel,
		});
	});

	it('keeps everything but the pixels from the decoder', () => {
		const profile = pngChunk('iCCP', concat('a profile that might inflate to anything'));
		const text = pngChunk('zTXt', concat('so might a text'));
		expect(read(flatPng({ widthPixels: 40, heightPixels: 30, extra: concat(profile, text) })).file).toEqual(PNG);
	});

	it('has its colour profile', () => {
		const profile = concat('a profile');
		const chunk = (data: Uint8Array) => pngChunk('iCCP', concat('name\0\0', data));
		const withProfile = (data: Uint8Array) => read(flatPng({ widthPixels: 40, heightPixels: 30, extra: chunk(data) }));
		expect(withProfile(deflateSync(profile)).profile).toEqual(Buffer.from(profile));
		expect(withProfile(concat('damaged')).profile).toBeUndefined();
		expect(withProfile(deflateSync(new Uint8Array(2_000_000))).profile).toBeUndefined();
	});

	it.each([
		['no size', PNG.with(11 + 8, 0)],
		['an unknown colour type', PNG.with(25, 5)],
		['an impossible depth', PNG.with(24, 4)],
	])('refuses %s', (_, bytes) => {
		expect(refusal(bytes)).toMatchObject({ code: 'InvalidImage' });
	});
});

describe('a WebP header', () => {
	it.each([
		['a lossy picture', webpFile(lossyPicture(40, 30))],
		['a lossless picture', webpFile(losslessPicture(40, 30))],
		['a picture on a canvas', webpFile(canvas(40, 30), lossyPicture(40, 30))],
		['an animation', webpFile(canvas(40, 30), frame(40, 30, lossyPicture(40, 30)), frame(9, 9, lossyPicture(9, 9)))],
	])('takes the size from %s', (_, bytes) => {
		expect(read(bytes)).toMatchObject({ widthPixels: 40, heightPixels: 30, orientation: 1 });
	});

	it('refuses an animation that starts with a part of the picture', () => {
		const bytes = webpFile(canvas(40, 30), frame(20, 30, lossyPicture(20, 30)));
		expect(refusal(bytes)).toMatchObject({ code: 'UnsupportedImage' });
	});

	it('gives the decoder the first picture alone', () => {
		const animated = webpFile(canvas(40, 30), frame(40, 30, lossyPicture(40, 30)), frame(40, 30, lossyPicture(40, 30)));
		const still = webpFile(canvas(40, 30), lossyPicture(40, 30));
		const withTransparency = still.with(20, 0x10);
		expect(read(animated).file).toEqual(Buffer.from(withTransparency));
	});
});

describe('the orientation', () => {
	it('is read in either byte order, wherever the directory is', () => {
		expect(readOrientation(exif(6))).toBe(6);
		const entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 5, 0, 0, 0];
		const other = [0x0f, 0x01, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0];
		expect(readOrientation(concat('II*\0', [12, 0, 0, 0], 'pad.', [2, 0], other, entry))).toBe(5);
	});

	it('is upright when the block is nonsense', () => {
		for (const nonsense of [
			exif(0),
			exif(9),
			exif(6).subarray(0, 15),
			concat('MM\0*', [255, 255, 255, 255]),
			concat('no'),
		]) {
			expect(readOrientation(nonsense)).toBe(1);
		}
	});
});
