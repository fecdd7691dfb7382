/** Events as a stream of text, from the object's socket. The heartbeat's timer runs here, so that the object can sleep. */
import { MS_PER_SECOND } from '../job/limits.ts';

/** How long a reader waits before it comes again, in milliseconds. */
const RETRY_MS = 2_000;
/** A comment this often keeps proxies from taking silence for death. */
const HEARTBEAT_MS = 15 * MS_PER_SECOND;

/** A `ping` every minute says that the reader is still there; the object answers it in its sleep. */
const BEATS_A_PING = 4;

/** Ends with the socket: after the last event, or when the connection to the object is lost and the reader is to come again. */
export function eventStream(feed: WebSocket): ReadableStream<Uint8Array> {
	const encoder = new TextEncoder();
	let heartbeat: ReturnType<typeof setInterval> | undefined;
	/** The reader has gone. Events that are on their way find no stream to go into. */
	let isGone = false;
	return new ReadableStream<Uint8Array>({
		start(controller) {
			const say = (text: string) => {
				if (!isGone) controller.enqueue(encoder.encode(text));
			};
			const end = () => {
				clearInterval(heartbeat);
				try {
					controller.close();
				} catch {
					// The reader has gone already.
				}
			};
			feed.addEventListener('message', ({ data }) => {
				if (data !== 'pong') say(framed(String(data)));
			});
			feed.addEventListener('close', end);
			feed.addEventListener('error', end);
			let beats = 0;
			heartbeat = setInterval(() => {
				say(':\n\n');
				if (++beats % BEATS_A_PING === 0) feed.send('ping');
			}, HEARTBEAT_MS);
			say(`retry: ${RETRY_MS}\n\n`);
			feed.accept();
		},
		cancel() {
			isGone = true;
			clearInterval(heartbeat);
			feed.close();
		},
	});
}

/** JSON has no line breaks of its own, so an event is one `data` line. */
function framed(json: string): string {
	const { seq, type } = JSON.parse(json) as { seq: number; type: string };
	return `id: ${seq}\nevent: ${type}\ndata: ${json}\n\n`;
}
