/**
 * The `thumbnail` task: resizes an image, turns it upright and converts it to sRGB.
 *
 * The memory that an image needs limits its size. It is known from the header (`thumbnail/memory.ts`). For a thumbnail of a few
 * hundred pixels the limits are: a JPEG of 100 megapixels (progressive: 17 to 34), a PNG of 8, a WebP of 10 (lossless: 6).
 * `docs/thumbnail.md` compares the libraries and the platform's own service that could do this.
 */
import * as z from 'zod';
import { defineTask } from '../work/task.ts';
import { Codecs } from './thumbnail/codecs.ts';
import { loaders } from './thumbnail/loaders.ts';
import { MAX_SIDE_PIXELS } from './thumbnail/plan.ts';
import { resizeImage, type Stage } from './thumbnail/resize.ts';
import { Turn } from './thumbnail/turn.ts';

const DEFAULT_QUALITY = 80;
const MAX_QUALITY = 100;
/** Mostly for waiting: the images of a burst are processed one at a time. */
const TIMEOUT_SECONDS = 180;
/** Maximum time for one image, in milliseconds. A photo takes a tenth of a second, the worst image several seconds. */
const TURN_LIMIT_MS = 60_000;

/** Progress after each stage, in percent. */
const PERCENT_AFTER: Readonly<Record<Stage, number>> = { read: 20, decoded: 60, resized: 85, encoded: 100 };

/** One image at a time, because two of the largest don't fit in memory. */
const turn = new Turn(() => new Codecs(loaders), TURN_LIMIT_MS);

export const thumbnail = defineTask({
	name: 'thumbnail',
	description: 'Resizes a JPEG, PNG or WebP image to any of these formats, upright, in sRGB and without metadata.',
	input: { mediaTypes: ['image/jpeg', 'image/png', 'image/webp'] },
	parameters: z.strictObject({
		width: sideSchema('width'),
		height: sideSchema('height'),
		fit: z.enum(['contain', 'cover', 'fill'], { error: 'fit must be contain, cover or fill' }).default('contain'),
		format: z.enum(['jpeg', 'png', 'webp'], { error: 'format must be jpeg, png or webp' }).optional(),
		quality: wholeNumberSchema('quality', MAX_QUALITY, '').default(DEFAULT_QUALITY),
	}),
	lane: 'jobs',
	timeoutSeconds: TIMEOUT_SECONDS,
	run: (input, job) =>
		turn.take(job.signal, async (codecs) => {
			const onStage = (stage: Stage) => job.progress(PERCENT_AFTER[stage], stage);
			const image = await resizeImage(input, job.parameters, { codecs, signal: job.signal, onStage });
			return new Response(image.bytes, { headers: { 'content-type': `image/${image.format}` } });
		}),
});

/** A side of the box, in pixels. */
function sideSchema(name: string) {
	return wholeNumberSchema(name, MAX_SIDE_PIXELS, ' pixels').optional();
}

function wholeNumberSchema(name: string, max: number, unit: string) {
	const error = `${name} must be a whole number from 1 to ${max}${unit}`;
	return z.coerce.number({ error }).int({ error }).min(1, { error }).max(max, { error });
}
