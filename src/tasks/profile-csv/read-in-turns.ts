/** A stream's bytes, at a pace that leaves the isolate's other work its turn. */

/**
 * The bytes of `stream` in pieces of at most `turnBytes`. After every `turnBytes` the event loop gets a turn: chunks
 * that are there already come as microtasks, and a loop over them would keep timers, sockets and the neighbours
 * waiting.
 *
 * The stream is canceled when `signal` fires, and when the reader stops before the end.
 *
 * @throws the reason of `signal`, as soon as it fires, even while the stream has nothing to give.
 */
export async function* readInTurns(
	stream: ReadableStream<Uint8Array>,
	turnBytes: number,
	signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
	const reader = stream.getReader();
	// Canceling settles a read that is pending: no race with a promise of our own is needed.
	const cancel = () => void reader.cancel(signal.reason).catch(() => {});
	signal.addEventListener('abort', cancel);
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
		signal.removeEventListener('abort', cancel);
		cancel();
	}
}

/** Resolves once everything that is due now has run: timers, sockets, other requests. A microtask would not do. */
function nextTurn(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, 0));
}
