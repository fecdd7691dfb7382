/** One attempt of `thumbnail`: waits for its turn, resizes the image, and reports progress after each stage. */
import type { BinaryInput, JobContext } from '../../work/task.ts';
import { Codecs } from './codecs.ts';
import { loaders } from './loaders.ts';
import { resizeImage, type Stage } from './resize.ts';
import { Turn } from './turn.ts';

/** Maximum time for one image, in milliseconds. A photo takes a tenth of a second, the worst image several seconds. */
const TURN_LIMIT_MS = 60_000;

/** Progress after each stage, in percent. */
const PERCENT_AFTER: Readonly<Record<Stage, number>> = { read: 20, decoded: 60, resized: 85, encoded: 100 };

/** One image at a time, because two of the largest don't fit in memory. */
const turn = new Turn(() => new Codecs(loaders), TURN_LIMIT_MS);

export function makeThumbnail(
	input: BinaryInput,
	job: JobContext<Parameters<typeof resizeImage>[1]>,
): Promise<Response> {
	return turn.take(job.signal, async (codecs) => {
		const onStage = (stage: Stage) => job.progress(PERCENT_AFTER[stage], stage);
		const image = await resizeImage(input, job.parameters, { codecs, signal: job.signal, onStage });
		return new Response(image.bytes, { headers: { 'content-type': `image/${image.format}` } });
	});
}
