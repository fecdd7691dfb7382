/** Converts events of the object's socket to server-sent events. The heartbeat runs here, so that the object can hibernate. */
import { MIB, MS_PER_SECOND } from '../../core/job/limits.ts';

/** Wait of a reader before it reconnects, in milliseconds. */
const RETRY_MS = 2_000;
/** Interval of comments that keep proxies from closing an idle connection. */
const HEARTBEAT_MS = 15 * MS_PER_SECOND;

/** A `ping` every minute shows that the reader is connected. It does not wake the hibernating object. */
const BEATS_A_PING = 4;

/** Maximum size of what waits for a reader that is slower than its events, in the memory that all requests of an isolate share. */
export const STREAM_BUFFER_BYTES = 8 * MIB;

/** The answer to a ping, which is no event. */
export const PONG = 'pong';

/**
 * Ends with the socket: after the last event, or when the connection to the object is lost. Then the reader reconnects. A reader that is too
 * slow gets what waits for it, and reconnects after that.
 */
export function eventStream(feed: WebSocket): ReadableStream<Uint8Array> {
	const encoder = new TextEncoder();
	let stopHeartbeat = () => {};
	/** Whether the reader has disconnected, or was. Later events must not be written to the stream. */
	let isGone = false;
	const source: UnderlyingSource<Uint8Array> = {
		start(controller) {
			const end = () => {
				stopHeartbeat();
				try {
					controller.close();
				} catch {
					// The reader has already disconnected.
				}
			};
			const say = (text: string) => {
				if (isGone) return;
				controller.enqueue(encoder.encode(text));
				if ((controller.desiredSize ?? 0) > 0) return;
				isGone = true;
				end();
				feed.close();
			};
			feed.addEventListener('message', ({ data }) => {
				if (data !== PONG) say(framed(String(data)));
			});
			feed.addEventListener('close', end);
			feed.addEventListener('error', end);
			stopHeartbeat = startHeartbeat(feed, say);
			say(`retry: ${RETRY_MS}\n\n`);
			feed.accept();
		},
		cancel() {
			isGone = true;
			stopHeartbeat();
			feed.close();
		},
	};
	return new ReadableStream(source, new ByteLengthQueuingStrategy({ highWaterMark: STREAM_BUFFER_BYTES }));
}

/** A block without data is no event, but the reader sends its id when it connects again (WHATWG HTML §9.2.6). */
export function framedPlace(lastSeq: number): string {
	return `id: ${lastSeq}\n\n`;
}

/** @returns a function that stops it. */
export function startHeartbeat(feed: WebSocket, say: (comment: string) => void): () => void {
	let beats = 0;
	const timer = setInterval(() => {
		say(':\n\n');
		if (++beats % BEATS_A_PING === 0) feed.send('ping');
	}, HEARTBEAT_MS);
	return () => clearInterval(timer);
}

/** JSON contains no line breaks, so an event is one `data` line. */
export function framed(json: string): string {
	const { seq, type, lastSeq } = JSON.parse(json) as { seq: number; type: string; lastSeq?: number };
	if (lastSeq !== undefined) return framedPlace(lastSeq);
	return `id: ${seq}\nevent: ${type}\ndata: ${json}\n\n`;
}
