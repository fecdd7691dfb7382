/// <reference types="vite/client" />
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
	concat,
	decodePicture,
	encodePicture,
	flatPng,
	type Picture,
	paint,
	withOrientation,
} from '../../bench/thumbnail-memory-images.ts';
import photoUrl from '../../demo/data/hubble-extreme-deep-field.jpg?inline';
import type { ImageFormat } from '../../src/tasks/thumbnail/header.ts';
import { loaders } from '../../src/tasks/thumbnail/loaders.ts';
import { thumbnail } from '../../src/tasks/thumbnail.ts';
import { type BinaryInput, type JobContext, TaskError } from '../../src/work/task.ts';

type Parameters = z.output<NonNullable<typeof thumbnail.parameters>>;
type Progress = [percent: number | undefined, message: string | undefined];

const FORMATS: readonly ImageFormat[] = ['jpeg', 'png', 'webp'];
const PHOTO_WIDTH = 1000;
const PHOTO_HEIGHT = 872;

/** A real photo, 1000 × 872. */
const photo = new Uint8Array(await (await fetch(photoUrl)).arrayBuffer());

/** A job as the runner passes it to the task; it records the progress. */
function jobWith(query: Record<string, string> = {}, signal = new AbortController().signal) {
	const progress: Progress[] = [];
	const job: JobContext<Parameters> = {
		id: '0'.repeat(64),
		attempt: 1,
		parameters: (thumbnail.parameters ?? z.never()).parse(query),
		signal,
		correlationId: 'test',
		idempotencyKey: 'test',
		traceparent: undefined,
		progress: (percent, message) => void progress.push([percent, message]),
		fetch: () => Promise.reject(new Error('nothing to fetch')),
		waitFor: () => Promise.reject(new Error('There is no external worker')),
	};
	return { job, progress };
}

/** An input that arrives in chunks, and can't be read all at once. */
function inputOf(bytes: Uint8Array, mediaType = 'image/jpeg', chunkBytes = 50_000): BinaryInput {
	const stream = () => {
		let at = 0;
		return new ReadableStream<Uint8Array>({
			pull(controller) {
				if (at >= bytes.length) return controller.close();
				controller.enqueue(bytes.slice(at, at + chunkBytes));
				at += chunkBytes;
			},
		});
	};
	return { mediaType, sizeBytes: bytes.length, stream, bytes: () => Promise.reject(new Error('all at once')) };
}

interface Result {
	readonly format: ImageFormat;
	readonly bytes: Uint8Array;
	readonly picture: Picture;
	readonly size: string;
}

async function resultOf(response: unknown): Promise<Result> {
	if (!(response instanceof Response)) throw new Error('expected a Response');
	const format = FORMATS.find((name) => response.headers.get('content-type') === `image/${name}`);
	if (!format) throw new Error(`unexpected content type ${response.headers.get('content-type')}`);
	const bytes = new Uint8Array(await response.arrayBuffer());
	const picture = await decodePicture(bytes, format, loaders);
	return { format, bytes, picture, size: `${picture.widthPixels}×${picture.heightPixels}` };
}

async function resize(bytes: Uint8Array, query: Record<string, string> = {}, mediaType?: string): Promise<Result> {
	return resultOf(await thumbnail.run(inputOf(bytes, mediaType), jobWith(query).job));
}

async function failure(bytes: Uint8Array, query: Record<string, string> = {}): Promise<TaskError> {
	const error = await resize(bytes, query).then(
		({ size }) => new Error(`expected a failure, got an image of ${size}`),
		(reason: unknown) => reason,
	);
	if (!(error instanceof TaskError)) throw error;
	expect(error.retryable).toBe(false);
	return error;
}

/** The colour at a point, given as fractions of the width and height. */
function colourAt({ picture }: Result, x: number, y: number): number[] {
	const column = Math.floor(x * picture.widthPixels);
	const row = Math.floor(y * picture.heightPixels);
	const index = (row * picture.widthPixels + column) * 4;
	return [...picture.data.slice(index, index + 4)];
}

function expectColour(actual: readonly number[], expected: readonly number[], tolerance = 12): void {
	const isNear = expected.every((value, index) => Math.abs(value - (actual[index] ?? Number.NaN)) <= tolerance);
	expect(isNear, `expected a colour near ${expected}, got ${actual}`).toBe(true);
}

const RED = [230, 30, 30] as const;
const GREEN = [30, 200, 30] as const;
const BLUE = [30, 30, 230] as const;
const YELLOW = [230, 220, 30] as const;

/** Four quarters: red and green above, blue and yellow below. */
function quarters(widthPixels: number, heightPixels: number): Picture {
	return paint(widthPixels, heightPixels, (x, y) => {
		const isLeft = x < widthPixels / 2;
		if (y < heightPixels / 2) return isLeft ? RED : GREEN;
		return isLeft ? BLUE : YELLOW;
	});
}

describe('thumbnail, asked for a size,', () => {
	it('makes the photo 320 pixels wide when nothing is asked for', async () => {
		const result = await resize(photo);
		expect(result.size).toBe('320×279');
		expect(result.format).toBe('jpeg');
	});

	it.each([
		['contain', { width: '500', height: '100' }, '115×100'],
		['contain', { width: '100', height: '500' }, '100×87'],
		['contain', { height: '436' }, '500×436'],
		['cover', { width: '300', height: '100' }, '300×100'],
		['cover', { width: '50' }, '50×44'],
		['fill', { width: '300', height: '50' }, '300×50'],
		['fill', { height: '436' }, '500×436'],
	])('with fit %s and %o makes it %s', async (fit, box, size) => {
		expect((await resize(photo, { ...box, fit })).size).toBe(size);
	});

	it('never makes it larger to be contained', async () => {
		expect((await resize(photo, { width: '4096', height: '4096' })).size).toBe(`${PHOTO_WIDTH}×${PHOTO_HEIGHT}`);
	});

	it('makes it larger to cover or fill', async () => {
		const small = await encodePicture(quarters(20, 10), 'png', { loaders });
		expect((await resize(small, { width: '60', height: '50', fit: 'cover' })).size).toBe('60×50');
		expect((await resize(small, { width: '60', height: '50', fit: 'fill' })).size).toBe('60×50');
	});

	it('keeps at least a pixel of a long thin image', async () => {
		const line = await encodePicture(quarters(2000, 2), 'png', { loaders });
		expect((await resize(line, { width: '100' })).size).toBe('100×1');
	});

	it('cuts the middle out to cover, and shows all of it to fill', async () => {
		const stripes = paint(900, 300, (x) => (x < 300 ? RED : x < 600 ? GREEN : BLUE));
		const wide = await encodePicture(stripes, 'png', { loaders });
		const covered = await resize(wide, { width: '100', height: '100', fit: 'cover' });
		for (const x of [0.1, 0.5, 0.9]) expectColour(colourAt(covered, x, 0.5), GREEN);
		const filled = await resize(wide, { width: '100', height: '100', fit: 'fill' });
		expectColour(colourAt(filled, 0.1, 0.5), RED);
		expectColour(colourAt(filled, 0.9, 0.5), BLUE);
	});
});

describe('thumbnail, asked for a format,', () => {
	for (const from of FORMATS) {
		it(`gives back ${from} for ${from} when nothing is asked for`, async () => {
			const result = await resize(await encodePicture(quarters(64, 40), from, { loaders }), { width: '32' });
			expect([result.format, result.size]).toEqual([from, '32×20']);
		});
		for (const to of FORMATS) {
			it(`makes ${to} of ${from}, with the colours in their places`, async () => {
				const result = await resize(await encodePicture(quarters(64, 40), from, { loaders }), {
					width: '32',
					format: to,
				});
				expect(result.format).toBe(to);
				expectColour(colourAt(result, 0.25, 0.25), RED);
				expectColour(colourAt(result, 0.75, 0.25), GREEN);
				expectColour(colourAt(result, 0.25, 0.75), BLUE);
				expectColour(colourAt(result, 0.75, 0.75), YELLOW);
			});
		}
	}

	it('makes a smaller JPEG of lower quality', async () => {
		const sizes = await Promise.all(['20', '80', '100'].map((quality) => resize(photo, { quality })));
		const [low = 0, middle = 0, high = 0] = sizes.map(({ bytes }) => bytes.length);
		expect(low).toBeLessThan(middle / 2);
		expect(middle).toBeLessThan(high / 2);
	});

	it('keeps transparency where the format has it, and lays it over white where not', async () => {
		const half = paint(80, 40, (x) => [...RED, x < 40 ? 255 : 0]);
		const bytes = await encodePicture(half, 'png', { loaders });
		const kept = await resize(bytes, { width: '40', format: 'webp' });
		expectColour(colourAt(kept, 0.2, 0.5), [...RED, 255]);
		expectColour(colourAt(kept, 0.8, 0.5), [0, 0, 0, 0]);
		const flat = await resize(bytes, { width: '40', format: 'jpeg' });
		expectColour(colourAt(flat, 0.2, 0.5), RED);
		expectColour(colourAt(flat, 0.8, 0.5), [255, 255, 255]);
	});

	it('does not let the colour of what is invisible bleed into the edge', async () => {
		const edge = paint(100, 20, (x) => (x % 2 === 0 ? [...YELLOW, 255] : [...BLUE, 0]));
		const result = await resize(await encodePicture(edge, 'png', { loaders }), { width: '25' });
		expectColour(colourAt(result, 0.5, 0.5), [...YELLOW, 128]);
	});
});

describe('thumbnail, given a picture that was taken sideways,', () => {
	/** EXIF's definition: the side of the visible picture to which the stored first row and first column belong. */
	const SIDES = [
		['top', 'left'],
		['top', 'right'],
		['bottom', 'right'],
		['bottom', 'left'],
		['left', 'top'],
		['right', 'top'],
		['right', 'bottom'],
		['left', 'bottom'],
	] as const;

	/** The pixels as a camera stores them, so that the orientation shows `upright`. */
	function stored(upright: Picture, orientation: number): Picture {
		const [row, column] = SIDES[orientation - 1] ?? ['top', 'left'];
		const { widthPixels: width, heightPixels: height } = upright;
		const isSideways = row === 'left' || row === 'right';
		return paint(isSideways ? height : width, isSideways ? width : height, (storedX, storedY) => {
			const [across, down] = isSideways ? [storedY, storedX] : [storedX, storedY];
			const x = row === 'right' || column === 'right' ? width - 1 - across : across;
			const y = row === 'bottom' || column === 'bottom' ? height - 1 - down : down;
			const index = (y * width + x) * 4;
			const [red = 0, green = 0, blue = 0] = upright.data.slice(index, index + 3);
			return [red, green, blue];
		});
	}

	for (const format of FORMATS) {
		for (const orientation of SIDES.map((_, index) => index + 1)) {
			it(`turns a ${format} with EXIF orientation ${orientation} upright`, async () => {
				const bytes = await encodePicture(stored(quarters(96, 64), orientation), format, { loaders });
				const result = await resize(withOrientation(bytes, format, orientation), { width: '48', format: 'png' });
				expect(result.size).toBe('48×32');
				expectColour(colourAt(result, 0.1, 0.1), RED);
				expectColour(colourAt(result, 0.9, 0.1), GREEN);
				expectColour(colourAt(result, 0.1, 0.9), BLUE);
				expectColour(colourAt(result, 0.9, 0.9), YELLOW);
			});
		}
	}

	it('takes width, height and the middle as people see them', async () => {
		const stripes = paint(64, 192, (_, y) => (y < 64 ? RED : y < 128 ? GREEN : BLUE));
		const bytes = withOrientation(await encodePicture(stored(stripes, 6), 'jpeg', { loaders }), 'jpeg', 6);
		const result = await resize(bytes, { width: '40', height: '20', fit: 'cover' });
		expect(result.size).toBe('40×20');
		for (const y of [0.1, 0.9]) expectColour(colourAt(result, 0.5, y), GREEN);
	});
});

describe('thumbnail, given bytes that are no such image,', () => {
	it('trusts the bytes, not the content type', async () => {
		const png = await encodePicture(quarters(64, 40), 'png', { loaders });
		expect((await resize(png, { width: '32' }, 'image/jpeg')).format).toBe('png');
	});

	it.each([
		['nothing', new Uint8Array()],
		['one byte', Uint8Array.of(0xff)],
		['text', concat('Dear Sir or Madam, please find attached')],
	])('says that %s is not an image', async (_, bytes) => {
		expect(await failure(bytes)).toMatchObject({ code: 'InvalidImage', status: 422 });
	});

	it.each([
		['GIF', concat('GIF89a', new Uint8Array(20))],
		['HEIC or AVIF', concat([0, 0, 0, 0x1c], 'ftypavif', new Uint8Array(20))],
		['TIFF', concat('II*\0', new Uint8Array(20))],
		['BMP', concat('BM', new Uint8Array(20))],
	])('names %s and says what is taken', async (name, bytes) => {
		const error = await failure(bytes);
		expect(error).toMatchObject({ code: 'UnsupportedImage', status: 415 });
		expect(error.message).toContain(name);
	});

	for (const format of FORMATS) {
		it.each([0.05, 0.3, 0.7, 0.999])(`fails at once for a ${format} cut off at %f of its length`, async (fraction) => {
			const whole = format === 'jpeg' ? photo : await encodePicture(quarters(64, 40), format, { loaders });
			const error = await failure(whole.slice(0, Math.floor(whole.length * fraction)));
			expect(error).toMatchObject({ code: 'InvalidImage', status: 422 });
		});
	}

	it('fails at once for damaged pixels, and the next image is fine', async () => {
		const png = await encodePicture(quarters(64, 40), 'png', { loaders });
		const middle = png.length >> 1;
		png[middle] = ~(png[middle] ?? 0);
		expect(await failure(png)).toMatchObject({ code: 'InvalidImage', status: 422 });
		expect((await resize(await encodePicture(quarters(64, 40), 'png', { loaders }), { width: '32' })).size).toBe(
			'32×20',
		);
		const jpeg = photo.slice();
		jpeg.fill(0xaa, 200, 700);
		expect(await failure(jpeg)).toMatchObject({ code: 'InvalidImage', status: 422 });
		expect((await resize(photo)).size).toBe('320×279');
	});

	it('says how large an image that is too large is, and what the limit is', async () => {
		const bomb = flatPng({ widthPixels: 30_000, heightPixels: 30_000, rows: new Uint8Array(100) });
		const error = await failure(bomb);
		expect(error).toMatchObject({ code: 'ImageTooLarge', status: 413 });
		expect(error.message).toBe(
			'The image has 30000 × 30000 pixels (900.0 megapixels), expected at most 100 megapixels',
		);
	});

	it('refuses a result that would not fit', async () => {
		const error = await failure(photo, { width: '4096', height: '4096', fit: 'fill', format: 'png' });
		expect(error).toMatchObject({ code: 'ImageTooLarge', status: 413 });
		expect(error.message).toMatch(/^A png of 4096 × 4096 pixels .* would take \d+ MB of memory, the limit is 110 MB$/);
	});
});

describe('thumbnail, as a job,', () => {
	it('tells its progress stage by stage', async () => {
		const { job, progress } = jobWith();
		await thumbnail.run(inputOf(photo), job);
		expect(progress).toEqual([
			[20, 'read'],
			[60, 'decoded'],
			[85, 'resized'],
			[100, 'encoded'],
		]);
	});

	it('takes its input in chunks of any size', async () => {
		const png = await encodePicture(quarters(64, 40), 'png', { loaders });
		for (const chunkBytes of [1, 5, 12, 100, 1_000_000]) {
			const response = await thumbnail.run(inputOf(png, 'image/png', chunkBytes), jobWith({ width: '32' }).job);
			expect((await resultOf(response)).size).toBe('32×20');
		}
	});

	it('may try again when the input ends before its time', async () => {
		const input = { ...inputOf(photo), sizeBytes: photo.length + 1 };
		const error = await Promise.resolve(thumbnail.run(input, jobWith().job)).catch((reason: unknown) => reason);
		expect(error).toBeInstanceOf(Error);
		expect(error).not.toBeInstanceOf(TaskError);
	});

	it.each(['read', 'decoded', 'resized'])('lets go once it is %s when it is canceled', async (stage) => {
		const controller = new AbortController();
		const { job, progress } = jobWith({}, controller.signal);
		const onProgress: typeof job.progress = (percent, message) => {
			job.progress(percent, message);
			if (message === stage) controller.abort(new Error('canceled'));
		};
		await expect(thumbnail.run(inputOf(photo), { ...job, progress: onProgress })).rejects.toThrow('canceled');
		expect(progress.at(-1)).toEqual([expect.anything(), stage]);
		expect((await resize(photo)).size).toBe('320×279');
	});

	it('works on one image at a time, and several at once all come out right', async () => {
		const order: string[] = [];
		const run = async (name: string) => {
			const { job } = jobWith({ width: '200' });
			const response = await thumbnail.run(inputOf(photo), { ...job, progress: () => void order.push(name) });
			return (await resultOf(response)).size;
		};
		expect(await Promise.all(['a', 'b', 'c'].map(run))).toEqual(['200×174', '200×174', '200×174']);
		expect(order).toHaveLength(12);
		const turns = order.filter((name, index) => name !== order[index - 1]);
		expect(turns).toHaveLength(3);
	});

	it('does not wait for its turn any longer than it may', async () => {
		const controller = new AbortController();
		const first = thumbnail.run(inputOf(photo), jobWith().job);
		const second = thumbnail.run(inputOf(photo), jobWith({}, controller.signal).job);
		controller.abort(new Error('canceled'));
		await expect(second).rejects.toThrow('canceled');
		expect((await resultOf(await first)).size).toBe('320×279');
	});
});

describe('thumbnail, given parameters,', () => {
	const messages = (query: Record<string, string>) =>
		thumbnail.parameters?.safeParse(query).error?.issues.map(({ message }) => message);

	it.each(['0', '4097', '1.5', 'wide', '-1', ''])('says what a width may be, not %j', (width) => {
		expect(messages({ width })).toEqual(['width must be a whole number from 1 to 4096 pixels']);
	});

	it('says what the others may be', () => {
		expect(messages({ fit: 'stretch', format: 'gif', quality: '101' })).toEqual([
			'fit must be contain, cover or fill',
			'format must be jpeg, png or webp',
			'quality must be a whole number from 1 to 100',
		]);
	});

	it('takes no others', () => {
		expect(messages({ widht: '100' })).toHaveLength(1);
	});

	it('fills in the defaults', () => {
		expect(thumbnail.parameters?.parse({ width: '10' })).toEqual({ width: 10, fit: 'contain', quality: 80 });
	});
});
