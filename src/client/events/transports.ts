/** The transports of a feed, in order of preference. The code of the fallbacks is loaded when it is first used. */
import type { Http } from '../http.ts';
import { loadPart } from '../load-part.ts';
import { unlessAborted } from '../wait.ts';
import { byWebSocket } from './by-websocket.ts';
import type { Feed, Transport } from './transport.ts';
import type { TransportName, TransportTerms } from './transport-terms.ts';

/** @returns at least one transport. */
export function transportsFor<Event>(
	feed: Feed<Event>,
	{ names, SocketClass }: TransportTerms,
	http: Http,
): readonly Transport<Event>[] {
	const transports: Readonly<Record<TransportName, Transport<Event> | undefined>> = {
		websocket: SocketClass && ((position, signal) => byWebSocket({ SocketClass, feed }, position, signal)),
		sse: loadedTransport(async () => (await import('./by-sse.ts')).bySse({ http, feed })),
		polling: loadedTransport(feed.loadPolling),
	};
	return names.flatMap((name) => transports[name] ?? []);
}

/** A transport that can't be loaded fails like one that can't connect, so that the next is tried. */
function loadedTransport<Event>(load: () => Promise<Transport<Event>>): Transport<Event> {
	return async function* (position, signal) {
		const transport = await unlessAborted(loadPart(load()), signal);
		yield* transport(position, signal);
	};
}
