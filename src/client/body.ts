/** Reads response bodies chunk by chunk, with a timeout for each chunk. */
import { essence } from '../core/http/media-type.ts';
import { AnswerTimeoutError, TransportError } from './errors.ts';
import { startTimer } from './wait.ts';

export interface ReadOptions {
	/** The longest silence between two chunks, in milliseconds. */
	readonly silenceMs: number;
	readonly signal: AbortSignal;
	/** Stop after this many bytes. Default: read all. */
	readonly maxBytes?: number;
}

/** @throws {TransportError} when the body breaks off or is silent for too long; the signal's reason when it fires. */
export async function* streamChunks(body: Response['body'], options: ReadOptions): AsyncGenerator<Uint8Array, void> {
	const { silenceMs, signal, maxBytes = Number.POSITIVE_INFINITY } = options;
	if (!body) return;
	const reader = (body as ReadableStream<Uint8Array>).getReader();
	// Cancelling the stream ends a pending read. `stopped` keeps the reason, which the read then throws.
	let stopped: { readonly why: unknown } | undefined;
	const stopReading = (why: unknown) => {
		stopped ??= { why };
		reader.cancel(why).catch(() => {});
	};
	const stopOnAbort = () => stopReading(signal.reason);
	let stopTimer = () => {};
	try {
		signal.throwIfAborted();
		signal.addEventListener('abort', stopOnAbort);
		for (let bytes = 0; bytes < maxBytes; ) {
			stopTimer = startTimer(
				() => stopReading(new AnswerTimeoutError(`Reading the response failed: it was silent for ${silenceMs} ms`)),
				silenceMs,
			);
			const { done, value } = await reader.read().catch((cause: unknown) => {
				throw stopped ? stopped.why : new TransportError('Reading the response failed: it broke off', { cause });
			});
			stopTimer();
			if (stopped) throw stopped.why;
			if (done) return;
			bytes += value.byteLength;
			yield value;
		}
	} finally {
		stopTimer();
		signal.removeEventListener('abort', stopOnAbort);
		reader.cancel().catch(() => {});
	}
}

/** The body as text. @throws as {@link streamChunks}. */
export async function readText({ body }: Response, options: ReadOptions): Promise<string> {
	const decoder = new TextDecoder();
	let text = '';
	for await (const piece of streamChunks(body, options)) text += decoder.decode(piece, { stream: true });
	return text + decoder.decode();
}

/** Releases a response whose body is not needed. */
export function discardBody({ body }: Response): void {
	body?.cancel().catch(() => {});
}

export function responseMediaType({ headers }: Response): string {
	return essence(headers.get('content-type'));
}
