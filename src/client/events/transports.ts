/** Chooses the transports that work on this platform, in order of preference. */

import type { Http } from '../http.ts';
import type { JobUrls } from '../job-urls.ts';
import { byPolling } from './by-polling.ts';
import { bySse } from './by-sse.ts';
import { byWebSocket, type SocketClass } from './by-websocket.ts';
import type { Transport } from './transport.ts';

/** The names of the transports. */
export type TransportName = 'websocket' | 'sse' | 'polling';

/** A socket is fastest and cheapest, an event stream works where sockets don't, and polling works everywhere. */
export const PREFERENCE: readonly TransportName[] = ['websocket', 'sse', 'polling'];

/**
 * @param SocketClass `undefined` on platforms without sockets.
 * @throws {TypeError} when none of the transports works on this platform.
 */
export function transportsFor(
	names: readonly TransportName[],
	http: Http,
	SocketClass: SocketClass | undefined,
): (urls: JobUrls) => readonly Transport[] {
	const all: Readonly<Record<TransportName, ((urls: JobUrls) => Transport) | undefined>> = {
		websocket: SocketClass && ((urls) => (position, signal) => byWebSocket({ SocketClass, urls }, position, signal)),
		sse: (urls) => (position, signal) => bySse({ http, urls }, position, signal),
		polling: (urls) => (position, signal) => byPolling({ http, urls }, position, signal),
	};
	const usable = names.map((name) => all[name]).filter((transport) => transport !== undefined);
	if (usable.length === 0)
		throw new TypeError(`Expected a transport that works on this platform, got: ${names.join(', ') || 'none'}`);
	return (urls) => usable.map((transport) => transport(urls));
}
