/** Request bodies: media type, size limits and reading. A rejected body stores nothing. */
import { essence } from '../core/http/media-type.ts';
import { INLINE_BODY_BYTES, KIB, MIB, MS_PER_SECOND } from '../core/job/limits.ts';
import { Problem, shown } from './problem.ts';

/** The largest body that the platform accepts. */
export const LARGEST_BODY_BYTES = 100 * 1_000 * 1_000;
/** Minimum transfer rate: each received block of this size extends the deadline by one second. */
const MIN_ARRIVAL_BYTES_PER_SECOND = 64 * KIB;

/** The media type without its parameters, lower case; empty when the client sent none. */
export function requestMediaType(request: Request): string {
	return essence(request.headers.get('content-type'));
}

/** @throws {Problem} `UnsupportedMediaType` for a compressed body: the service does not decompress. */
export function refuseEncoded(request: Request): void {
	const encoding = request.headers.get('content-encoding')?.trim().toLowerCase();
	if (encoding && encoding !== 'identity') {
		const message = `expected an uncompressed body, got: ${shown(encoding)}`;
		throw new Problem('UnsupportedMediaType', message, { errors: [{ header: 'Content-Encoding', message }] });
	}
}

/** @throws {Problem} `PayloadTooLarge` when `Content-Length` exceeds the limit. */
export function refuseTooLarge(request: Request, maxBytes: number, hint?: string): void {
	const declared = Number(request.headers.get('content-length') ?? 0);
	if (declared > maxBytes) throw tooLarge(maxBytes, declared, hint);
}

/** @param hint more advice for the client. */
export function tooLarge(maxBytes: number, sizeBytes?: number, hint = ''): Problem {
	const got = sizeBytes === undefined ? 'more' : `${sizeBytes}`;
	return new Problem('PayloadTooLarge', `Expected a body of at most ${maxBytes} bytes, got: ${got}${hint}`);
}

/** Limits for reading the rest of a rejected body. */
export interface DrainLimits {
	readonly maxBytes: number;
	/** As {@link ReadOptions.arrivalMs}. */
	readonly arrivalMs: number;
}

/** For an unauthenticated client, or a route without a body. */
export const REST_OF_UNKNOWN: DrainLimits = { maxBytes: 1 * MIB, arrivalMs: 2 * MS_PER_SECOND };
/** For a client that may send a body to this route. */
export const REST_OF_KNOWN: DrainLimits = { maxBytes: LARGEST_BODY_BYTES, arrivalMs: 30 * MS_PER_SECOND };

/** Reads and discards the rest of a body: a client whose upload is cut off misses the response. */
export async function drain(request: Request, { maxBytes, arrivalMs }: DrainLimits): Promise<void> {
	if (!request.body || request.body.locked) return;
	let drainedBytes = 0;
	try {
		for await (const bytes of readPieces(request, arrivalMs)) {
			drainedBytes += bytes.byteLength;
			if (drainedBytes > maxBytes) break;
		}
		await request.body.cancel();
	} catch {
		// The client disconnected or is too slow: send the response now.
	}
}

export interface ReadOptions {
	/** Advice for a client whose body is too large. */
	readonly hint?: string;
	/** Receives each piece before the next one is read. */
	readonly onBytes?: (bytes: Uint8Array) => Promise<void>;
	/** Time for the body to arrive, plus the extension by {@link MIN_ARRIVAL_BYTES_PER_SECOND}. Default: no limit. */
	readonly arrivalMs?: number;
}

/** The body's bytes. @throws {Problem} `PayloadTooLarge`; `InvalidRequest` when incomplete; `RequestTimeout` when too slow. */
export async function readBytes(
	request: Request,
	maxBytes: number,
	{ hint, onBytes, arrivalMs }: ReadOptions = {},
): Promise<Uint8Array> {
	refuseTooLarge(request, maxBytes, hint);
	if (isSmall(request)) {
		const bytes = await wholeBody(request, arrivalMs);
		if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes, undefined, hint);
		return bytes;
	}
	const pieces: Uint8Array[] = [];
	let sizeBytes = 0;
	for await (const bytes of readPieces(request, arrivalMs)) {
		sizeBytes += bytes.byteLength;
		if (sizeBytes > maxBytes) throw tooLarge(maxBytes, undefined, hint);
		await onBytes?.(bytes);
		pieces.push(bytes);
	}
	const all = new Uint8Array(sizeBytes);
	let offset = 0;
	for (const piece of pieces) {
		all.set(piece, offset);
		offset += piece.byteLength;
	}
	return all;
}

/** Whether `Content-Length` is small enough to read the body at once. */
function isSmall({ headers }: Request): boolean {
	const declared = headers.get('content-length');
	return declared !== null && /^\d+$/.test(declared) && Number(declared) <= INLINE_BODY_BYTES;
}

async function wholeBody(request: Request, arrivalMs?: number): Promise<Uint8Array> {
	const late = Promise.withResolvers<never>();
	const timer = arrivalMs === undefined ? undefined : setTimeout(() => late.reject(tooLate(arrivalMs)), arrivalMs);
	try {
		return await Promise.race([request.bytes(), late.promise]);
	} catch (error) {
		throw error instanceof Problem ? error : incompleteBody();
	} finally {
		clearTimeout(timer);
	}
}

function incompleteBody(): Problem {
	return new Problem('InvalidRequest', 'The connection closed before the end of the body: send the request again');
}

function tooLate(arrivalMs: number): Problem {
	return new Problem(
		'RequestTimeout',
		`Expected the body to arrive within ${arrivalMs} ms: send it faster, or send a smaller body`,
	);
}

/** The body's pieces. @throws {Problem} `InvalidRequest` when incomplete; `RequestTimeout` when too slow. */
export async function* readPieces(request: Request, arrivalMs?: number): AsyncGenerator<Uint8Array> {
	if (!request.body) return;
	const reader = (request.body as ReadableStream<Uint8Array>).getReader();
	const arrival = new Arrival(arrivalMs, () => reader.cancel().catch(() => {}));
	try {
		while (true) {
			const { done, value } = await reader.read();
			if (arrival.isLate) throw new Error('late');
			if (done) return;
			arrival.add(value.byteLength);
			yield value;
		}
	} catch {
		throw arrival.isLate ? tooLate(arrival.allowedMs) : incompleteBody();
	} finally {
		arrival.end();
		reader.releaseLock();
	}
}

/** The deadline of a body. It moves with each piece, so a body at the minimum rate never exceeds it. */
class Arrival {
	readonly #giveUp: () => void;
	readonly #startedAt = Date.now();
	#timer: ReturnType<typeof setTimeout> | undefined;
	isLate = false;
	/** Maximum duration for the bytes received so far. */
	allowedMs: number;

	/** @param arrivalMs `undefined` for no deadline. */
	constructor(arrivalMs: number | undefined, giveUp: () => void) {
		this.#giveUp = giveUp;
		this.allowedMs = arrivalMs ?? Number.POSITIVE_INFINITY;
		if (arrivalMs !== undefined) this.#timer = setTimeout(() => this.#look(), arrivalMs);
	}

	add(sizeBytes: number): void {
		this.allowedMs += Math.ceil((sizeBytes * MS_PER_SECOND) / MIN_ARRIVAL_BYTES_PER_SECOND);
	}

	end(): void {
		clearTimeout(this.#timer);
	}

	#look(): void {
		const leftMs = this.#startedAt + this.allowedMs - Date.now();
		if (leftMs > 0) {
			this.#timer = setTimeout(() => this.#look(), leftMs);
			return;
		}
		this.isLate = true;
		this.#giveUp();
	}
}
