/** Reads bytes from a job's object, one piece at a time, on demand. */
import type { JobObjectApi } from '../core/job/object-api.ts';
import type { StoredBody } from '../core/job/record.ts';
import type { Jobs } from './jobs.ts';

/** The body as a stream. It requests a piece only after the previous one was read. */
export function download(jobs: Jobs, id: string, body: StoredBody): ReadableStream<Uint8Array> {
	let index = 0;
	return new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				const piece = await readPiece(body, index++, (key) => jobs.call(id, (job) => job.readChunk(key)));
				if (piece === undefined) controller.close();
				else controller.enqueue(piece);
			},
		},
		// No piece is fetched in advance, because the reader may stop.
		{ highWaterMark: 0 },
	);
}

/** The whole body at once. */
export async function downloadAll(jobs: Jobs, id: string, body: StoredBody): Promise<Uint8Array> {
	if ('inline' in body) return body.inline;
	const all = new Uint8Array(body.sizeBytes);
	let offset = 0;
	for await (const piece of download(jobs, id, body)) {
		all.set(piece, offset);
		offset += piece.byteLength;
	}
	return all;
}

async function readPiece(
	body: StoredBody,
	index: number,
	readChunk: JobObjectApi['readChunk'],
): Promise<Uint8Array | undefined> {
	if ('inline' in body) return index === 0 && body.sizeBytes > 0 ? body.inline : undefined;
	if (index >= body.chunks) return undefined;
	const piece = await readChunk({ upload: body.upload, index });
	if (!piece) throw new Error(`Piece ${index} of ${body.chunks} no longer exists`);
	return piece;
}
