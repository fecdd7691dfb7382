/**
 * Bytes into a job's object: small ones travel with the call that needs them, larger ones piece by piece before it. A
 * piece is one call and one row, so a broken connection costs one piece, and no stream is ever held open in an object.
 */
import { CHUNK_BYTES, INLINE_BODY_BYTES } from '../job/limits.ts';
import type { Fence, StoredBody } from '../job/record.ts';
import type { Jobs } from './jobs.ts';

/** There were more bytes than allowed. */
export class TooLarge extends Error {
	override readonly name = 'TooLarge';
	readonly maxBytes: number;

	constructor(maxBytes: number) {
		super(`More than ${maxBytes} bytes`);
		this.maxBytes = maxBytes;
	}
}

/** The attempt that uploads its result no longer has the job. */
export class UploadRefused extends Error {
	override readonly name = 'UploadRefused';
}

export interface UploadOptions {
	readonly mediaType: string;
	/** Above this many bytes: {@link TooLarge}, and nothing stays behind. */
	readonly maxBytes: number;
	/** The attempt whose result it is; an input has none. */
	readonly fence?: Fence;
	/** Sees every byte on its way. */
	readonly onBytes?: (bytes: Uint8Array) => void;
}

/** Stores a body of any length and says where it is. A body of up to 64 KiB comes back inline: nothing was called. */
export async function upload(
	jobs: Jobs,
	id: string,
	source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	{ mediaType, maxBytes, fence, onBytes }: UploadOptions,
): Promise<StoredBody> {
	const name = crypto.randomUUID();
	const buffer = new PieceBuffer();
	let chunks = 0;
	let sizeBytes = 0;
	const flush = async (bytes: Uint8Array) => {
		const key = { upload: name, index: chunks };
		const { refusal } = await jobs.call(id, (job) => job.writeChunk(key, bytes, fence));
		if (refusal !== undefined) throw new UploadRefused(`The object refused the upload: ${refusal}`);
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

/** Takes a body back that nothing refers to. Where something does, this does nothing. */
export async function discard(jobs: Jobs, id: string, body: StoredBody | undefined): Promise<void> {
	if (body && 'upload' in body) await jobs.call(id, (job) => job.discardUpload(body.upload, body.chunks));
}

/** Collects bytes into pieces of exactly `CHUNK_BYTES`. It takes no more memory than it is given, until that is much. */
class PieceBuffer {
	#piece = new Uint8Array();
	length = 0;

	/** Takes bytes in and gives the pieces that became full. */
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

	/** What is left, as its own copy. */
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
