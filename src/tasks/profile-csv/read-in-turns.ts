/** Reads a stream in small pieces, so that the isolate's other work can run in between. */

/**
 * Yields the bytes of `stream` in pieces of at most `turnBytes`. After every `turnBytes` the event loop runs other work.
 * Without this, buffered chunks arrive as microtasks, and a loop over them would delay timers, sockets and other requests.
 *
 * The stream is canceled when `signal` fires, and when the reader stops before the end.
 *
 * @throws the reason of `signal`, as soon as it fires, even while the stream is silent.
 */
export async function* readInTurns(
	stream: ReadableStream<Uint8Array>,
	turnBytes: number,
	signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
	const reader = stream.getReader();
	// Canceling settles a pending read, so no race with another promise is needed.
	const cancelReader = () => void reader.cancel(signal.reason).catch(() => {});
	signal.addEventListener('abort', cancelReader);
	let bytesInTurn = 0;
	try {
		for (;;) {
			signal.throwIfAborted();
			const { value: chunk } = await reader.read();
			signal.throwIfAborted();
			if (chunk === undefined) return;
			for (let start = 0; start < chunk.length; start += turnBytes) {
				const piece = chunk.subarray(start, start + turnBytes);
				yield piece;
				bytesInTurn += piece.length;
				if (bytesInTurn < turnBytes) continue;
				bytesInTurn = 0;
				await nextTurn();
				signal.throwIfAborted();
			}
		}
	} finally {
		signal.removeEventListener('abort', cancelReader);
		cancelReader();
	}
}

/** Resolves after all work that is due has run: timers, sockets, other requests. A microtask would not be enough. */
function nextTurn(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, 0));
}
