import { describe, expect, it } from 'vitest';
import { concat, decodePicture, webpChunk, webpFile } from '../../bench/thumbnail-memory-images.ts';
import { Codecs } from '../../src/tasks/thumbnail/codecs.ts';
import { loaders } from '../../src/tasks/thumbnail/loaders.ts';
import { resizeImage } from '../../src/tasks/thumbnail/resize.ts';

/** File formats that our own encoders don't write, created by Pillow 12: 32 × 24, red, green, blue and yellow quarters. */
const FILES: readonly (readonly [kind: string, base64: string])[] = [
	[
		'progressive JPEG',
		'/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8f' +
			'ExciJCIeJBweHx7/2wBDAQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4e' +
			'Hh7/wgARCAAYACADASIAAhEBAxEB/8QAGAABAAMBAAAAAAAAAAAAAAAAAAQFBwb/xAAYAQADAQEAAAAAAAAAAAAAAAAFBggBB//aAAwD' +
			'AQACEAMQAAABoEFjz1y9JfH8lFCmt2Ewnf/EABcQAAMBAAAAAAAAAAAAAAAAAAAUFSD/2gAIAQEAAQUCwwME8n5//8QAGxEAAAcBAAAA' +
			'AAAAAAAAAAAAAAEEFVKh0RD/2gAIAQMBAT8BfUE6PA0LIWW9/8QAHhEAAAQHAAAAAAAAAAAAAAAAAAEDBRAUFlFTodH/2gAIAQIBAT8B' +
			'p1xx7Lomkrx//8QAGRAAAQUAAAAAAAAAAAAAAAAAACAyM6Gi/9oACAEBAAY/AkMsZZLklyn/xAAXEAADAQAAAAAAAAAAAAAAAAAg8PEA' +
			'/9oACAEBAAE/ISkWstD/AP/aAAwDAQACAAMAAAAQyxA+/8QAFBEBAAAAAAAAAAAAAAAAAAAAIP/aAAgBAwEBPxAdQf/EABgRAAIDAAAA' +
			'AAAAAAAAAAAAAAABENHw/9oACAECAQE/ED7dOp//xAAXEAADAQAAAAAAAAAAAAAAAAAg8PEA/9oACAEBAAE/EASckmzf/9k=',
	],
	[
		'JPEG with restart markers',
		'/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8f' +
			'ExciJCIeJBweHx7/2wBDAQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4e' +
			'Hh7/wAARCAAYACADASIAAhEBAxEB/8QAGAABAAMBAAAAAAAAAAAAAAAAAAIGBwX/xAAcEAEAAAcBAAAAAAAAAAAAAAAAFhdkZaOk4eL/' +
			'xAAYAQACAwAAAAAAAAAAAAAAAAAHCAEFBv/EACMRAAEBBQkAAAAAAAAAAAAAAAACBRZTotIBBAYVF1JUodH/3QAEAAH/2gAMAwEAAhED' +
			'EQA/AKEOFEVHl4RFR5eI06xHxp0VByftgR5V0n//0Ji8y/u+t6Jf3fW9Armt039W+AydBsQZk1H/0cHANAUp/9LdQCyGgP/Z',
	],
	[
		'CMYK JPEG',
		'/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAFAwQEBAMFBAQEBQUFBgcMCAcHBwcPCwsJDBEPEhIRDxERExYcFxMUGhURERghGBodHR8fHxMX' +
			'IiQiHiQcHh8e/8AAFAgAGAAgBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAJCP/EABwQAQACAgMBAAAAAAAAAAAAAAAY' +
			'Z6XjFWOi4f/aAA4EQwBNAFkASwAAPwDUbMTMTZYAl+ogAA1BLWv8xoTvagiVYGH3hLWv8xoCJVgYfeESrAw+9SDje7z9ZfCJVgYfecb3' +
			'efoMvpvqgAAqApgl+AD/2Q==',
	],
	[
		'palette PNG',
		'iVBORw0KGgoAAAANSUhEUgAAACAAAAAYAgMAAADmPRenAAAADFBMVEXm3B4eyB7mHh4eHuZwWH9zAAAAH0lEQVR4nGNcxcDAsJqBgYGJ' +
			'AQpox2D8z8DAwEgfuwCbbgKEeAq5jAAAAABJRU5ErkJggg==',
	],
	[
		'lossy WebP',
		'UklGRowAAABXRUJQVlA4IIAAAADQBQCdASogABgAPkUYiUQioaEb9AAoBESyADvE+jfgB+QEwA/gH4gXf/dgH9A7P8HN7NRjWCkAAP7y' +
			'tD/7z/+afV//mQH//8wCu8LWGPVzQWF7//8tC5ZssB+Bl1As8urP8ykWxUP7kMqxP5RjhZFcJ5YppKJ61sAmLdpQQAAAAA==',
	],
	[
		'lossy WebP with transparency',
		'UklGRroAAABXRUJQVlA4WAoAAAAQAAAAHwAAFwAAQUxQSBMAAAABDzD/ERFCLJjkL90/goj+5zwOAFZQOCCAAAAA0AUAnQEqIAAYAD5F' +
			'GIlEIqGhG/QAKAREsgA7xPo34AfkBMAP4B+IF3/3YB/QOz/BzezUY1gpAAD+8rQ/+8//mn1f/5kB///MArvC1hj1c0Fhe///LQuWbLAf' +
			'gZdQLPLqz/MpFsVD+5DKsT+UY4WRXCeWKaSietbAJi3aUEAAAAA=',
	],
	[
		'animated WebP',
		'UklGRnQBAABXRUJQVlA4WAoAAAACAAAAHwAAFwAAQU5JTQYAAAAAAAAAAABBTk1GogAAAAAAAAAAAB8AABcAAGQAAAJWUDggigAAALAF' +
			'AJ0BKiAAGAA+RRqKRCKhoRv0ACgERLIAPIH4B+AHCBdgLQB/APxAu/+7AP6B2f4PqhEKAAD+8nG/+8//mn1f/5kB///KTJnnsLMPE66T' +
			'//5aFzLo86jie7BdpvmMf/+4H/+66T//3cD56PPR2W7bqKbrPp3L53L5yok8g8zApr1Q8AipzgAAAEFOTUaeAAAAAAAAAAAAHwAAFwAA' +
			'ZAAAAFZQOCCGAAAANAUAnQEqIAAYAD5FGopEA36AAACIlkALUXd/jv0gbwC0AfwD8QLv/uwD+gdn+E0+wUgA/vNVf//baf/dx5//7rb/' +
			'/5T9D1Vf8EmJddz4/Uv2oJ3rm1ynuuth/uT7/77/+ZHV//mmHnba62v1PFFj7vq8UZDoi/EyaqnK+KwnV06dadb0YAA=',
	],
	[
		'interlaced PNG',
		'iVBORw0KGgoAAAANSUhEUgAAACAAAAAYCAIAAAFjNlj1AAAAZ0lEQVR42mN4JicHRHInQIgBhQNmP3t2Rw6IGEhShiyPogpZLVQHTgmc' +
			'RpEuQbrlRLkKl304HUUbDTjUo7gbp+doo2EQhtJoxA1RDbiCldTgJjneRi0YRhaQaD7O5Ehyuh61YPhYAABHq94uHSmnLQAAAABJRU5E' +
			'rkJggg==',
	],
	[
		'16-bit PNG',
		'iVBORw0KGgoAAAANSUhEUgAAACAAAAAYEAIAAABEobQgAAAAQ0lEQVR42u3PMREAMAgEwSjBvxREUKMjiQaGbr84WvZ0x9teIzI3ewAA' +
			'AAAAAAAABoDd9/ut6t+tAgAAAAAAAAAMegE967xqx4yZnwAAAABJRU5ErkJggg==',
	],
];

const QUARTERS = [
	[0.25, 0.25, [230, 30, 30]],
	[0.75, 0.25, [30, 200, 30]],
	[0.25, 0.75, [30, 30, 230]],
	[0.75, 0.75, [230, 220, 30]],
] as const;
/** The same colours printed, as sharp shows the file. */
const PRINTED_QUARTERS = [
	[0.25, 0.25, [213, 53, 37]],
	[0.75, 0.25, [0, 128, 64]],
	[0.25, 0.75, [59, 44, 122]],
	[0.75, 0.75, [230, 197, 28]],
] as const;
/** Inks are converted by a table of 81 colours. */
const INK_TOLERANCE = 32;

function fileOf(kind: string): Uint8Array<ArrayBuffer> {
	const base64 = FILES.find(([name]) => name === kind)?.[1] ?? '';
	return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** The image as RGBA, at half its size. */
async function halved(bytes: Uint8Array<ArrayBuffer>) {
	const input = { sizeBytes: bytes.length, stream: () => new Blob([bytes]).stream() };
	const options = { codecs: new Codecs(loaders), signal: new AbortController().signal, onStage: () => {} };
	const result = await resizeImage(input, { width: 16, fit: 'contain', format: 'png', quality: 80 }, options);
	const { data, widthPixels, heightPixels } = await decodePicture(result.bytes, 'png', loaders);
	const colourAt = (x: number, y: number) => {
		const index = (Math.floor(y * heightPixels) * widthPixels + Math.floor(x * widthPixels)) * 4;
		return [...data.slice(index, index + 4)];
	};
	return { size: [widthPixels, heightPixels], colourAt };
}

describe('every kind of file', () => {
	it.each(FILES.map(([kind]) => kind))('%s comes out with its colours in their places', async (kind) => {
		const { size, colourAt } = await halved(fileOf(kind));
		expect(size).toEqual([16, 12]);
		for (const [x, y, colour] of kind.startsWith('CMYK') ? PRINTED_QUARTERS : QUARTERS) {
			const [red = 0, green = 0, blue = 0, alpha = 0] = colourAt(x, y);
			const isHidden = kind.includes('transparency') && y > 0.5;
			expect(isHidden ? 255 - alpha : alpha).toBeGreaterThan(250);
			if (isHidden) continue;
			for (const [index, channel] of [red, green, blue].entries()) {
				expect(
					Math.abs(channel - (colour[index] ?? 0)),
					`${kind}: got ${[red, green, blue]} for ${colour}`,
				).toBeLessThan(kind.startsWith('CMYK') ? INK_TOLERANCE : 16);
			}
		}
	});

	it('WebP with chunks that nobody knows is read all the same', async () => {
		const lossy = fileOf('lossy WebP');
		const canvas = webpChunk('VP8X', Uint8Array.from([0, 0, 0, 0, 31, 0, 0, 23, 0, 0]));
		const strange = webpFile(canvas, webpChunk('WHAT', concat('ever')), lossy.slice(12));
		expect((await halved(strange)).size).toEqual([16, 12]);
	});
});
