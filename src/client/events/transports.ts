/** Chooses the transports that work on this platform, in order of preference. */

import type { Http } from '../http.ts';
import { bySse } from './by-sse.ts';
import { byWebSocket, type SocketClass } from './by-websocket.ts';
import type { Feed, Transport } from './transport.ts';

/** The names of the transports. */
export type TransportName = 'websocket' | 'sse' | 'polling';

/** A socket is fastest and cheapest, an event stream works where sockets don't, and polling works everywhere. */
export const PREFERENCE: readonly TransportName[] = ['websocket', 'sse', 'polling'];

/** The transports of a feed, in order of preference; at least one. */
export type TransportsFor = <Event>(feed: Feed<Event>) => readonly Transport<Event>[];

/**
 * @param SocketClass `undefined` on platforms without sockets.
 * @throws {TypeError} when none of the transports works on this platform.
 */
export function transportsFor(
	names: readonly TransportName[],
	http: Http,
	SocketClass: SocketClass | undefined,
): TransportsFor {
	const usable = names.filter((name) => name !== 'websocket' || SocketClass);
	if (usable.length === 0)
		throw new TypeError(`Expected a transport that works on this platform, got: ${names.join(', ') || 'none'}`);
	return <Event>(feed: Feed<Event>) => {
		const all: Readonly<Record<TransportName, Transport<Event> | undefined>> = {
			websocket: SocketClass && ((position, signal) => byWebSocket({ SocketClass, feed }, position, signal)),
			sse: (position, signal) => bySse({ http, feed }, position, signal),
			polling: feed.poll,
		};
		return usable.map((name) => all[name]).filter((transport) => transport !== undefined);
	};
}
