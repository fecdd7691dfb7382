/**
 * The stream of a topic's reader. Pages come first, each when the client has taken the one before, so that a reader that is far behind
 * fills nobody's memory. Then the events of a hibernating socket follow, as for a job.
 */
import type { EventPage } from '../../core/topic/topic-api.ts';
import { eventStream, framed, framedPlace } from '../read/sse.ts';

interface StreamSource {
	readonly read: (after: number) => Promise<EventPage>;
	/** Opens the socket for the events after a number; `undefined`: for those that come from now on. */
	readonly open: (after: number | undefined) => Promise<WebSocket>;
}

interface OpenedStream {
	readonly body: ReadableStream<Uint8Array>;
	/** Resolves when the stream has ended; never rejects. */
	readonly done: Promise<void>;
}

/** Opens a stream after the reader's cursor. It rejects only before it sends anything. */
export async function topicStream(source: StreamSource, after: number | undefined): Promise<OpenedStream> {
	const first = after === undefined ? undefined : await source.read(after);
	if (!first?.hasMore) return { body: eventStream(await source.open(after)), done: Promise.resolve() };
	const { readable, writable } = new IdentityTransformStream();
	return { body: readable, done: pump(source, first, writable) };
}

/** Ends when the client is gone, or after an error: then the client connects again with its cursor. */
async function pump(source: StreamSource, first: EventPage, writable: WritableStream<Uint8Array>): Promise<void> {
	const encoder = new TextEncoder();
	try {
		const writer = writable.getWriter();
		let page = first;
		while (page.hasMore) {
			await writer.write(encoder.encode(framedPage(page)));
			page = await source.read(page.lastSeq);
		}
		await writer.write(encoder.encode(framedPage(page)));
		writer.releaseLock();
		await eventStream(await source.open(page.lastSeq)).pipeTo(writable);
	} catch (error) {
		await writable.abort(error).catch(() => {});
	}
}

function framedPage({ events, lastSeq }: EventPage): string {
	return events.map(framed).join('') + framedPlace(lastSeq);
}
