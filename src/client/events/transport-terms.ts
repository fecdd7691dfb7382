/** Which transports a client may use. */
import type { SocketClass } from './by-websocket.ts';

/** The names of the transports. */
export type TransportName = 'websocket' | 'sse' | 'polling';

/** A socket is fastest and cheapest, an event stream works where sockets don't, and polling works everywhere. */
export const PREFERENCE: readonly TransportName[] = ['websocket', 'sse', 'polling'];

export interface TransportTerms {
	/** In order of preference. */
	readonly names: readonly TransportName[];
	/** `undefined` where there are no sockets. */
	readonly SocketClass: SocketClass | undefined;
}

/** @throws {TypeError} when a name is unknown, or none of the transports works on this platform. */
export function assertUsable({ names, SocketClass }: TransportTerms): void {
	for (const name of names)
		if (!PREFERENCE.includes(name))
			throw new TypeError(`Expected a transport of ${PREFERENCE.join(', ')}, got: ${name}`);
	if (names.some((name) => name !== 'websocket' || SocketClass)) return;
	throw new TypeError(`Expected a transport that works on this platform, got: ${names.join(', ') || 'none'}`);
}
