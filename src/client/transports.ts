/** Which ways of being told of events there are here, the preferred one first. */
import { byPolling } from './by-polling.ts';
import { bySse } from './by-sse.ts';
import { byWebSocket, type SocketClass } from './by-websocket.ts';
import type { Http } from './http.ts';
import type { JobUrls } from './job-urls.ts';
import type { Transport } from './transport.ts';

/** The ways to be told of events. */
export type TransportName = 'websocket' | 'sse' | 'polling';

/** A socket tells at once and costs least, a stream passes where sockets don't, and polling passes everywhere. */
export const PREFERENCE: readonly TransportName[] = ['websocket', 'sse', 'polling'];

/**
 * @param SocketClass `undefined` where there are no sockets.
 * @throws {TypeError} when none of the names is usable here.
 */
export function transportsFor(
	names: readonly TransportName[],
	http: Http,
	SocketClass: SocketClass | undefined,
): (urls: JobUrls) => readonly Transport[] {
	const all: Readonly<Record<TransportName, ((urls: JobUrls) => Transport) | undefined>> = {
		websocket: SocketClass && ((urls) => (position, signal) => byWebSocket(SocketClass, urls, position, signal)),
		sse: (urls) => (position, signal) => bySse(http, urls, position, signal),
		polling: (urls) => (position, signal) => byPolling(http, urls, position, signal),
	};
	const usable = names.map((name) => all[name]).filter((transport) => transport !== undefined);
	if (usable.length === 0)
		throw new TypeError(`Expected a transport that works here, got: ${names.join(', ') || 'none'}`);
	return (urls) => usable.map((transport) => transport(urls));
}
