/** Request bodies: what they are, how large, and whether they are JSON. Refusals leave nothing stored. */
import { INLINE_BODY_BYTES, KIB, MAX_JSON_DEPTH, MAX_JSON_VALUES, MIB, MS_PER_SECOND } from '../job/limits.ts';
import { Problem, shown } from './problem.ts';

/** The largest body that the platform lets in. */
export const LARGEST_BODY_BYTES = 100 * 1_000 * 1_000;
/** So much more is read of a refused body than it was thought worth. */
const DRAIN_MARGIN_BYTES = 1 * MIB;
/** Each of this many bytes that have arrived gives the rest of a body one second more. */
const MIN_ARRIVAL_BYTES_PER_SECOND = 64 * KIB;

/** The media type without its parameters, lower case; empty when the client sent none. */
export function mediaTypeOf(request: Request): string {
	return essenceOf(request.headers.get('content-type') ?? '');
}

export function essenceOf(mediaType: string): string {
	return (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

export function isJson(mediaType: string): boolean {
	return mediaType === 'application/json' || mediaType.endsWith('+json');
}

/** @throws {Problem} `UnsupportedMediaType` for a compressed body: it is neither stored nor read. */
export function refuseEncoded(request: Request): void {
	const encoding = request.headers.get('content-encoding')?.trim().toLowerCase();
	if (encoding && encoding !== 'identity') {
		const message = `expected an uncompressed body, got: ${shown(encoding)}`;
		throw new Problem('UnsupportedMediaType', message, { errors: [{ header: 'Content-Encoding', message }] });
	}
}

/** @throws {Problem} `PayloadTooLarge` when the client says itself that the body is too large. */
export function refuseTooLarge(request: Request, maxBytes: number, hint?: string): void {
	const declared = Number(request.headers.get('content-length') ?? 0);
	if (declared > maxBytes) throw tooLarge(maxBytes, declared, hint);
}

/** @param hint what else the client should know. */
export function tooLarge(maxBytes: number, sizeBytes?: number, hint = ''): Problem {
	const got = sizeBytes === undefined ? 'more' : `${sizeBytes}`;
	return new Problem('PayloadTooLarge', `At most ${maxBytes} bytes are taken here, got: ${got}${hint}`);
}

/** Reads what is left of a body that won't be used, up to a little more than so much: a connection cut in mid-upload hides the answer. */
export async function drain(request: Request, maxBytes: number): Promise<void> {
	if (!request.body || request.body.locked) return;
	let drained = 0;
	try {
		for await (const bytes of request.body as ReadableStream<Uint8Array>) {
			drained += bytes.byteLength;
			if (drained > maxBytes + DRAIN_MARGIN_BYTES) return;
		}
	} catch {
		// The client went away: there is nobody to answer.
	}
}

export interface ReadOptions {
	/** Said to who sends too much. */
	readonly hint?: string;
	/** Sees each piece as it comes, and before the next does. */
	readonly onBytes?: (bytes: Uint8Array) => Promise<void>;
	/** How long the body may take to arrive, beside the time that {@link MIN_ARRIVAL_BYTES_PER_SECOND} gives it. */
	readonly arrivalMs?: number;
}

/** The body's bytes. @throws {Problem} `PayloadTooLarge`, `InvalidRequest` when it breaks off, `RequestTimeout` when it takes too long. */
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
	for await (const bytes of bytesOf(request, arrivalMs)) {
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

/** Whether the client announced so little that nobody has to look at it piece by piece. */
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
		throw error instanceof Problem ? error : brokenOff();
	} finally {
		clearTimeout(timer);
	}
}

function brokenOff(): Problem {
	return new Problem('InvalidRequest', 'The body broke off before its end');
}

function tooLate(arrivalMs: number): Problem {
	return new Problem(
		'RequestTimeout',
		`Expected the body to arrive within ${arrivalMs} ms: send it faster, or less of it`,
	);
}

/** The body as it comes in. @throws {Problem} `InvalidRequest` when it breaks off, `RequestTimeout` when it takes too long. */
export async function* bytesOf(request: Request, arrivalMs?: number): AsyncGenerator<Uint8Array> {
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
		throw arrival.isLate ? tooLate(arrival.allowedMs) : brokenOff();
	} finally {
		arrival.end();
		reader.releaseLock();
	}
}

/** Gives up a body that arrives too slowly. A body that keeps arriving at the least rate is never given up. */
class Arrival {
	readonly #giveUp: () => void;
	readonly #startedAt = Date.now();
	#timer: ReturnType<typeof setTimeout> | undefined;
	isLate = false;
	/** How long the bytes so far may have taken. */
	allowedMs: number;

	/** @param arrivalMs `undefined`: as long as it takes. */
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

/** @throws {Problem} `InvalidRequest` for what is not UTF-8, not JSON, too much of it to be held, or not kept as it is. */
export function parseJson(bytes: Uint8Array): unknown {
	const text = decode(bytes);
	if (text.trim() === '') throw new Problem('InvalidRequest', 'Expected a JSON body, got none');
	refuseTooManyParts(text);
	const value = parsed(text);
	refuseUnkept(value);
	return value;
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch (error) {
		throw new Problem('InvalidRequest', `The body is not JSON: ${(error as SyntaxError).message}`);
	}
}

function decode(bytes: Uint8Array): string {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
	} catch {
		throw new Problem('InvalidRequest', 'The body is not UTF-8');
	}
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** A byte of JSON can become a hundred in memory, and whatever walks over the value recurses: both are seen in the text. */
function refuseTooManyParts(text: string): void {
	let depth = 0;
	let values = 1;
	let isInString = false;
	for (let at = 0; at < text.length; at++) {
		const char = text.charCodeAt(at);
		if (isInString) {
			if (char === BACKSLASH) at++;
			else if (char === QUOTE) isInString = false;
		} else if (char === QUOTE) isInString = true;
		else if (char === OPEN_ARRAY || char === OPEN_OBJECT) {
			depth++;
			values++;
		} else if (char === CLOSE_ARRAY || char === CLOSE_OBJECT) depth--;
		else if (char === COMMA) values++;
		if (depth > MAX_JSON_DEPTH) throw tooMuch(`nested more than ${MAX_JSON_DEPTH} levels deep`);
		if (values > MAX_JSON_VALUES) throw tooMuch(`of more than ${MAX_JSON_VALUES} values: send it as bytes`);
	}
}

function tooMuch(what: string): Problem {
	return new Problem('InvalidRequest', `The body is JSON ${what}`);
}

/** What JSON can write and nobody can keep: a number beyond any, and half a character. */
function refuseUnkept(value: unknown): void {
	const open = [value];
	while (open.length > 0) {
		const next = open.pop();
		const isLost =
			(typeof next === 'number' && !Number.isFinite(next)) || (typeof next === 'string' && !next.isWellFormed());
		if (isLost)
			throw new Problem('InvalidRequest', 'The body has a number that is too large, or text that is not Unicode');
		if (typeof next !== 'object' || next === null) continue;
		if (Array.isArray(next)) for (const inner of next) open.push(inner);
		else for (const [name, inner] of Object.entries(next)) open.push(name, inner);
	}
}
