/// <reference types="vite/client" />
/** Pictures and tables as people have them. Other tools made them and computed the right answers: `real-input/README.md`. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { decodePicture } from '../../bench/thumbnail-memory-images.ts';
import { type CsvProfile, profileCsv } from '../../src/tasks/profile-csv.ts';
import { loaders } from '../../src/tasks/thumbnail/loaders.ts';
import { thumbnail } from '../../src/tasks/thumbnail.ts';
import type { AnyTask, BinaryInput, JobContext } from '../../src/work/task.ts';
import expected from './real-input/expected.json';

const PICTURES = import.meta.glob<string>('./real-input/pictures/*', {
	query: '?url&inline',
	import: 'default',
	eager: true,
});
const TABLES = import.meta.glob<string>('./real-input/tables/*', {
	query: '?url&inline',
	import: 'default',
	eager: true,
});

/** Decoders of JPEG and WebP differ by a few levels of 255. */
const CLOSE_LEVELS = 6;
/** ImageMagick converts inks by a formula, the task as they look on paper. */
const CLOSE_LEVELS_OF_INKS = 90;

async function inputFrom(url: string | undefined, mediaType: string): Promise<BinaryInput> {
	if (url === undefined) throw new Error('There is no such file');
	const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
	return { mediaType, sizeBytes: bytes.length, stream: () => new Blob([bytes]).stream(), bytes: async () => bytes };
}

function jobFor<Task extends AnyTask>(task: Task, query: Record<string, string> = {}): JobContext<never> {
	return {
		id: '0'.repeat(64),
		attempt: 1,
		parameters: (task.parameters ?? z.object({})).parse(query) as never,
		signal: new AbortController().signal,
		correlationId: 'test',
		idempotencyKey: 'test',
		traceparent: undefined,
		progress: () => {},
		fetch: () => Promise.reject(new Error('There is nothing to fetch')),
		waitFor: () => Promise.reject(new Error('There is no external worker')),
	};
}

async function thumbnailFrom(name: string, query: Record<string, string>): Promise<Response> {
	const input = await inputFrom(PICTURES[`./real-input/pictures/${name}`], 'image/jpeg');
	return (await thumbnail.run(input, jobFor(thumbnail, query))) as Response;
}

describe('the picture', () => {
	it.each(
		Object.entries(expected.pictures),
	)('%s has the size and the colours that ImageMagick reads', async (name, right) => {
		const response = await thumbnailFrom(name, { width: String(right.widthPixels), format: 'png' });
		const picture = await decodePicture(new Uint8Array(await response.arrayBuffer()), 'png', loaders);
		expect([picture.widthPixels, picture.heightPixels]).toEqual([right.widthPixels, right.heightPixels]);
		for (const { x, y, rgba } of right.colours) {
			const at = (y * picture.widthPixels + x) * 4;
			const got = [...picture.data.slice(at, at + 4)];
			const isInvisible = rgba[3] === 0 && got[3] === 0;
			const furthest = isInvisible ? 0 : Math.max(...got.map((level, index) => Math.abs(level - (rgba[index] ?? 0))));
			const most = name === 'inks.jpg' ? CLOSE_LEVELS_OF_INKS : CLOSE_LEVELS;
			expect(furthest, `at ${x}, ${y}: expected ${rgba}, got ${got}`).toBeLessThanOrEqual(most);
		}
	});

	it.each(Object.keys(expected.pictures))('%s becomes a JPEG of 16 pixels, and a square of them', async (name) => {
		for (const query of [{ width: '16' }, { width: '16', height: '16', fit: 'cover' }]) {
			const response = await thumbnailFrom(name, { ...query, format: 'jpeg' });
			const picture = await decodePicture(new Uint8Array(await response.arrayBuffer()), 'jpeg', loaders);
			expect(Math.max(picture.widthPixels, picture.heightPixels)).toBeGreaterThanOrEqual(1);
			if (query.fit === 'cover') expect([picture.widthPixels, picture.heightPixels]).toEqual([16, 16]);
		}
	});

	it.each([
		['picture.gif', 'UnsupportedImage'],
		['picture.bmp', 'UnsupportedImage'],
		['picture.tif', 'UnsupportedImage'],
		['page-called-picture.jpg', 'InvalidImage'],
	])('%s is refused for good, with what is taken', async (name, code) => {
		await expect(thumbnailFrom(name, {})).rejects.toMatchObject({
			code,
			retryable: false,
			message: expect.stringMatching(/JPEG, PNG or WebP/),
		});
	});
});

describe('the table', () => {
	/** What a person knows of a file, and no program can find out. */
	const CHARSETS: Readonly<Record<string, string>> = { 'windows-1252.csv': 'text/csv; charset=windows-1252' };

	it.each(Object.entries(expected.tables))("%s has the profile that Python's csv module gives", async (name, right) => {
		const input = await inputFrom(TABLES[`./real-input/tables/${name}`], CHARSETS[name] ?? 'text/csv');
		const profile = (await profileCsv.run(input, jobFor(profileCsv))) as CsvProfile;
		const { rows, raggedRows, delimiter } = profile;
		expect({ rows, raggedRows, delimiter }).toEqual({
			rows: right.rows,
			raggedRows: right.raggedRows,
			delimiter: right.delimiter,
		});
		const columns = profile.columns.map(({ count, nulls, distinct, min, max, mean, stddev }) =>
			mean === undefined ? { count, nulls, distinct } : { count, nulls, distinct, min, max, mean, stddev },
		);
		const close = (value: unknown) =>
			typeof value === 'number' && !Number.isInteger(value) ? expect.closeTo(value, 9) : value;
		expect(columns).toEqual(
			right.columns.map((column) =>
				Object.fromEntries(Object.entries(column).map(([field, value]) => [field, close(value)])),
			),
		);
	});
});
