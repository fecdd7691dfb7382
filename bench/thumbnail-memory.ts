/**
 * Measures the memory and the milliseconds of each stage that the thumbnail task needs for images of growing size.
 *
 *     node bench/thumbnail-memory.ts
 *
 * It runs the task's own code from the input stream to the encoded result, with the codecs that the Worker loads. It runs in
 * Node instead of workerd, because workerd's clock does not advance during a computation. Each row has fresh codecs.
 *
 * "held" is the codecs' linear memory afterwards, and "planned" the size that was computed from the header: it must never be
 * less. "outside" is what was planned for the file, the pixels outside a codec and the result.
 */
import { readFileSync } from 'node:fs';
import { Codecs } from '../src/tasks/thumbnail/codecs.ts';
import { MEMORY_BUDGET_BYTES, totalBytes } from '../src/tasks/thumbnail/memory.ts';
import { resizeImage, type Stage } from '../src/tasks/thumbnail/resize.ts';
import { nodeLoaders as loaders } from './thumbnail-loaders.ts';
import { encodePicture, flatJpeg, flatPng, photoOf } from './thumbnail-memory-images.ts';

const MEBIBYTE = 1_048_576;
const MEGAPIXEL = 1_000_000;
const WIDTH_PIXELS = 320;
const QUALITY = 80;
const PHOTO = new URL('../demo/data/hubble-extreme-deep-field.jpg', import.meta.url);

interface Row {
	readonly image: string;
	readonly megapixels: number;
	readonly bytes: Uint8Array<ArrayBuffer>;
	readonly width?: number;
}

function* flatRows(): Generator<Row> {
	const flat = (image: string, megapixels: number, options: { progressive?: boolean; halfColour?: boolean }): Row => {
		const heightPixels = Math.floor(Math.sqrt((megapixels * MEGAPIXEL * 3) / 4));
		const widthPixels = Math.floor((heightPixels * 4) / 3);
		return { image, megapixels, bytes: flatJpeg({ widthPixels, heightPixels, ...options }) };
	};
	yield flat('JPEG, flat (limit)', 100, { halfColour: true });
	yield flat('progressive JPEG 4:2:0, flat', 12, { progressive: true, halfColour: true });
	yield flat('progressive JPEG 4:2:0, flat (limit)', 34, { progressive: true, halfColour: true });
	yield flat('progressive JPEG 4:4:4, flat', 12, { progressive: true });
	yield flat('progressive JPEG 4:4:4, flat (limit)', 17, { progressive: true });
	const [widthPixels, heightPixels] = [3840, 2160];
	yield { image: 'PNG RGBA, flat (4K screen)', megapixels: 8.3, bytes: flatPng({ widthPixels, heightPixels }) };
}

async function* rows(): AsyncGenerator<Row> {
	const photo = readFileSync(PHOTO);
	for (const megapixels of [1, 4, 8, 12, 24]) {
		const bytes = await encodePicture(await photoOf(photo, megapixels, loaders), 'jpeg', { loaders });
		yield { image: 'JPEG, photo', megapixels, bytes };
		if (megapixels === 12) yield { image: 'JPEG, photo, to 2000 wide', megapixels, bytes, width: 2_000 };
	}
	yield* flatRows();
	for (const megapixels of [1, 4, 8]) {
		yield {
			image: 'PNG, photo',
			megapixels,
			bytes: await encodePicture(await photoOf(photo, megapixels, loaders), 'png', { loaders }),
		};
	}
	for (const megapixels of [1, 4, 8, 10]) {
		yield {
			image: 'WebP, photo',
			megapixels,
			bytes: await encodePicture(await photoOf(photo, megapixels, loaders), 'webp', { loaders }),
		};
	}
}

/** Returns the memory of the codecs after a row, and the time of each stage. */
async function run({ bytes, width = WIDTH_PIXELS }: Row) {
	const codecs = new Codecs(loaders);
	const stageMs: Partial<Record<Stage, number>> = {};
	let before = performance.now();
	const onStage = (stage: Stage) => {
		stageMs[stage] = Math.round(performance.now() - before);
		before = performance.now();
	};
	const input = { sizeBytes: bytes.length, stream: () => new Blob([bytes]).stream() };
	const options = { codecs, signal: new AbortController().signal, onStage };
	const { plan } = await resizeImage(input, { width, fit: 'contain', quality: QUALITY }, options);
	const outsideBytes = plan.needs.outside;
	return { heldBytes: codecs.heldBytes, plannedBytes: totalBytes(plan.needs) - outsideBytes, outsideBytes, stageMs };
}

async function measure(row: Row): Promise<Record<string, unknown>> {
	const { heldBytes, plannedBytes, outsideBytes, stageMs } = await run(row);
	return {
		image: row.image,
		megapixels: row.megapixels,
		'input MiB': mebibytes(row.bytes.length),
		'held MiB': mebibytes(heldBytes),
		'planned MiB': mebibytes(plannedBytes),
		'outside MiB': mebibytes(outsideBytes),
		'read ms': stageMs.read,
		'decode ms': stageMs.decoded,
		'resize ms': stageMs.resized,
		'encode ms': stageMs.encoded,
	};
}

function mebibytes(bytes: number): number {
	return Number((bytes / MEBIBYTE).toFixed(1));
}

const table: Record<string, unknown>[] = [];
for await (const row of rows()) table.push(await measure(row));
console.log(
	`thumbnails of width ${WIDTH_PIXELS}; budget ${mebibytes(MEMORY_BUDGET_BYTES)} MiB; Node ${process.version}`,
);
console.table(table);
