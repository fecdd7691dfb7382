/**
 * Writes bytes to a job's object. A small body travels inside the call that needs it; a larger one is sent before it, in
 * pieces. A piece is one call and one row, so a broken connection costs one piece, and no object holds a stream open.
 */
import { CHUNK_BYTES, INLINE_BODY_BYTES } from '../core/job/limits.ts';
import type { Fence, StoredBody } from '../core/job/record.ts';
import type { Refusal } from '../core/job/transition.ts';
import type { Jobs } from './jobs.ts';

/** The body exceeds its limit. */
export class TooLarge extends Error {
	override readonly name = 'TooLarge';
	readonly maxBytes: number;

	constructor(maxBytes: number) {
		super(`Expected at most ${maxBytes} bytes, got more`);
		this.maxBytes = maxBytes;
	}
}

/** The uploading attempt was superseded, or the job has ended. */
export class UploadRefused extends Error {
	override readonly name = 'UploadRefused';
	readonly refusal: Refusal;

	constructor(refusal: Refusal) {
		super(`The job's object rejected the upload: ${refusal}`);
		this.refusal = refusal;
	}
}

export interface UploadOptions {
	readonly jobs: Jobs;
	/** The id of the job whose object stores the body. */
	readonly id: string;
	readonly mediaType: string;
	/** Limit in bytes. A larger body throws {@link TooLarge} and stores nothing. */
	readonly maxBytes: number;
	/** The attempt that uploads its result; absent for an input. */
	readonly fence?: Fence;
	/** Receives every piece before it is sent. */
	readonly onBytes?: (bytes: Uint8Array) => void;
}

/** Stores a body of any length and returns its location. A body of up to 64 KiB is returned inline, without a call. */
export async function upload(
	source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	{ jobs, id, mediaType, maxBytes, fence, onBytes }: UploadOptions,
): Promise<StoredBody> {
	const name = crypto.randomUUID();
	const buffer = new PieceBuffer();
	let chunks = 0;
	let sizeBytes = 0;
	const flush = async (bytes: Uint8Array) => {
		const key = { upload: name, index: chunks };
		const { refusal } = await jobs.call(id, (job) => job.writeChunk(key, bytes, fence));
		if (refusal !== undefined) throw new UploadRefused(refusal);
		chunks++;
	};
	try {
		for await (const bytes of source) {
			sizeBytes += bytes.byteLength;
			if (sizeBytes > maxBytes) throw new TooLarge(maxBytes);
			onBytes?.(bytes);
			for (const piece of buffer.push(bytes)) await flush(piece);
		}
		if (chunks === 0 && sizeBytes <= INLINE_BODY_BYTES) return { sizeBytes, mediaType, inline: buffer.rest() };
		if (buffer.length > 0) await flush(buffer.rest());
	} catch (error) {
		if (chunks > 0) await jobs.call(id, (job) => job.discardUpload(name, chunks)).catch(() => {});
		throw error;
	}
	return { sizeBytes, mediaType, upload: name, chunks };
}

/** Deletes an unreferenced body. Does nothing if the job refers to it. */
export async function discardUpload(jobs: Jobs, id: string, body: StoredBody | undefined): Promise<void> {
	if (body && 'upload' in body) await jobs.call(id, (job) => job.discardUpload(body.upload, body.chunks));
}

/** Collects bytes into pieces of exactly `CHUNK_BYTES`. The buffer grows on demand, so small bodies take little memory. */
class PieceBuffer {
	#piece = new Uint8Array();
	length = 0;

	/** Adds bytes and yields the pieces that became full. */
	*push(bytes: Uint8Array): Iterable<Uint8Array> {
		let taken = 0;
		while (taken < bytes.byteLength) {
			this.#growFor(bytes.byteLength - taken);
			const part = bytes.subarray(taken, taken + this.#piece.byteLength - this.length);
			this.#piece.set(part, this.length);
			this.length += part.byteLength;
			taken += part.byteLength;
			if (this.length === CHUNK_BYTES) yield this.rest();
		}
	}

	/** Removes and returns the remaining bytes, as a copy. */
	rest(): Uint8Array {
		const rest = this.#piece.slice(0, this.length);
		this.length = 0;
		return rest;
	}

	#growFor(wanted: number): void {
		const { byteLength } = this.#piece;
		const size = this.length + wanted;
		if (size <= byteLength || byteLength === CHUNK_BYTES) return;
		const grown = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(size, 2 * byteLength)));
		grown.set(this.#piece.subarray(0, this.length));
		this.#piece = grown;
	}
}
