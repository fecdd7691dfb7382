/** Reading answers: piece by piece, never waiting for ever for the next one. */
import { AnswerTimeoutError, TransportError } from './errors.ts';

export interface ReadOptions {
	/** The longest silence between two pieces, in milliseconds. */
	readonly silenceMs: number;
	readonly signal: AbortSignal;
	/** Stop after this many bytes. Default: read all. */
	readonly maxBytes?: number;
}

/** @throws {TransportError} when the body breaks off or falls silent; the signal's reason when it fires. */
export async function* piecesOf(body: Response['body'], options: ReadOptions): AsyncGenerator<Uint8Array, void> {
	const { silenceMs, signal, maxBytes = Number.POSITIVE_INFINITY } = options;
	if (!body) return;
	const reader = (body as ReadableStream<Uint8Array>).getReader();
	// Cancelling the stream is what ends a read that waits; why it was is then told here.
	let stopped: { readonly why: unknown } | undefined;
	const stop = (why: unknown) => {
		stopped ??= { why };
		reader.cancel(why).catch(() => {});
	};
	const onAbort = () => stop(signal.reason);
	let timer: ReturnType<typeof setTimeout> | undefined;
	try {
		signal.throwIfAborted();
		signal.addEventListener('abort', onAbort);
		for (let bytes = 0; bytes < maxBytes; ) {
			timer = setTimeout(
				() => stop(new AnswerTimeoutError(`Reading the answer: silent for ${silenceMs} ms`)),
				silenceMs,
			);
			const { done, value } = await reader.read().catch((cause: unknown) => {
				throw stopped ? stopped.why : new TransportError('Reading the answer: it broke off', { cause });
			});
			clearTimeout(timer);
			if (stopped) throw stopped.why;
			if (done) return;
			bytes += value.byteLength;
			yield value;
		}
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
		reader.cancel().catch(() => {});
	}
}

/** The body as text. @throws as {@link piecesOf}. */
export async function textOf({ body }: Response, options: ReadOptions): Promise<string> {
	const decoder = new TextDecoder();
	let text = '';
	for await (const piece of piecesOf(body, options)) text += decoder.decode(piece, { stream: true });
	return text + decoder.decode();
}

/** Lets go of an answer whose body nobody wants. */
export function discard({ body }: Response): void {
	body?.cancel().catch(() => {});
}

export function mediaTypeOf({ headers }: Response): string {
	return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export function isJson(mediaType: string): boolean {
	return mediaType === 'application/json' || mediaType.endsWith('+json');
}
