/**
 * The `thumbnail` task: resizes an image, turns it upright and converts it to sRGB.
 *
 * The memory that an image needs limits its size. It is known from the header (`thumbnail/memory.ts`). For a thumbnail of a few
 * hundred pixels the limits are: a JPEG of 100 megapixels (progressive: 17 to 34), a PNG of 8, a WebP of 10 (lossless: 6).
 * `docs/thumbnail.md` compares the libraries and the platform's own service that could do this.
 */
import * as z from 'zod';
import { defineTask } from '../work/task.ts';
import { MAX_SIDE_PIXELS } from './thumbnail/limits.ts';

const DEFAULT_QUALITY = 80;
const MAX_QUALITY = 100;
/** Mostly for waiting: the images of a burst are processed one at a time. */
const TIMEOUT_SECONDS = 180;

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
	async run(input, job): Promise<Response> {
		// Loaded for the first image, so that the codecs don't delay the first response of an isolate.
		const { makeThumbnail } = await import('./thumbnail/make-thumbnail.ts');
		return makeThumbnail(input, job);
	},
});

/** A side of the box, in pixels. */
function sideSchema(name: string) {
	return wholeNumberSchema(name, MAX_SIDE_PIXELS, ' pixels').optional();
}

function wholeNumberSchema(name: string, max: number, unit: string) {
	const error = `${name} must be a whole number from 1 to ${max}${unit}`;
	return z.coerce.number({ error }).int({ error }).min(1, { error }).max(max, { error });
}
