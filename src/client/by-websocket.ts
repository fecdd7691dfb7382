/** Events as they happen, over one socket. A silent one is asked whether it lives, which wakes nobody on the server. */
import { eventOf, isOver, parsed } from './document.ts';
import { AnswerTimeoutError, TransportError } from './errors.ts';
import { Inbox } from './inbox.ts';
import { afterCursor, type JobUrls } from './job-urls.ts';
import { FAREWELL_MS, OPEN_TIMEOUT_MS, PING_MS } from './limits.ts';
import { LIFE, type Position, type Sign } from './transport.ts';

/** As much of a `WebSocket` as is used here. */
export interface Socket {
	addEventListener(
		type: 'open' | 'message' | 'close' | 'error',
		listener: (event: { readonly type: string; readonly data?: unknown; readonly code?: number }) => void,
	): void;
	/** 2 and 3: the other end has taken its leave. Left out, that shows only when the connection is closed. */
	readonly readyState?: number;
	send(text: string): void;
	close(code?: number, reason?: string): void;
}

/** The platform's `WebSocket`, or what stands in for it: that of the package `ws`, for instance. */
export type SocketClass = new (url: string, protocols: string) => Socket;

type Incident =
	| { readonly type: 'open' }
	| { readonly type: 'message'; readonly data: unknown }
	| { readonly type: 'close'; readonly code: number };

const SUBPROTOCOL = 'coatcheck.v1';
const CLOSE_NORMAL = 1000;
const CLOSING = 2;

/** What is waited for, and how long. */
interface Patience {
	readonly for: 'open' | 'event' | 'pong' | 'close';
	readonly ms: number;
}

const FOR_OPEN: Patience = { for: 'open', ms: OPEN_TIMEOUT_MS };
const FOR_EVENT: Patience = { for: 'event', ms: PING_MS };
const FOR_PONG: Patience = { for: 'pong', ms: PING_MS };
const FOR_CLOSE: Patience = { for: 'close', ms: FAREWELL_MS };

export async function* byWebSocket(
	SocketClass: SocketClass,
	urls: JobUrls,
	{ after }: Position,
	signal: AbortSignal,
): AsyncGenerator<Sign, void> {
	const socket = opened(SocketClass, afterCursor(urls.socket, after));
	const inbox = inboxOf(socket);
	let patience = FOR_OPEN;
	try {
		while (true) {
			const incident = await inbox.take(patience.ms, signal);
			const sign = incident ? signIn(incident) : signInSilence(socket, patience);
			if (sign) yield sign;
			if (sign?.is === 'closed') return;
			patience = incident ? patienceAfter(sign) : patienceInSilence(patience);
		}
	} finally {
		close(socket);
	}
}

/**
 * The server's close comes right behind the last event, but some platforms tell of it only when the connection itself is gone,
 * seconds later: so after what may be the last event the socket's state is looked at.
 *
 * @throws {AnswerTimeoutError} when nothing came that had to.
 */
function signInSilence(socket: Socket, patience: Patience): Sign | undefined {
	if (patience.for === 'open' || patience.for === 'pong') {
		throw new AnswerTimeoutError(`The socket was silent for ${patience.ms} ms`);
	}
	if (patience.for === 'event') ping(socket);
	return patience.for === 'close' && (socket.readyState ?? 0) >= CLOSING ? { is: 'closed' } : undefined;
}

function patienceInSilence({ for: awaited, ms }: Patience): Patience {
	if (awaited === 'event') return FOR_PONG;
	return ms * 2 < PING_MS ? { for: awaited, ms: ms * 2 } : FOR_EVENT;
}

/** An event of a job that is over is the last one, unless the job was run again and this is its past. */
function patienceAfter(sign: Sign | undefined): Patience {
	return sign?.is === 'event' && isOver(sign.event.job) ? FOR_CLOSE : FOR_EVENT;
}

/** A page may be forbidden to open sockets, or this one: that is no reason not to try the next transport. */
function opened(SocketClass: SocketClass, url: string): Socket {
	try {
		return new SocketClass(url, SUBPROTOCOL);
	} catch (cause) {
		throw new TransportError('No socket can be opened', { cause });
	}
}

/** One that can't be sent is never answered, and so noticed. */
function ping(socket: Socket): void {
	try {
		socket.send('ping');
	} catch {
		// It is closing.
	}
}

function inboxOf(socket: Socket): Inbox<Incident> {
	const inbox = new Inbox<Incident>();
	socket.addEventListener('open', () => inbox.put({ type: 'open' }));
	socket.addEventListener('message', ({ data }) => inbox.put({ type: 'message', data }));
	socket.addEventListener('close', ({ code = 1006 }) => inbox.put({ type: 'close', code }));
	// What an error was is told to nobody; some sockets are not closed after one.
	socket.addEventListener('error', () => inbox.put({ type: 'close', code: 1006 }));
	return inbox;
}

/** @throws {TransportError} for a close that is none of the server's; {@link ProtocolError} for a frame that is none. */
function signIn(incident: Incident): Sign | undefined {
	if (incident.type === 'open') return undefined;
	if (incident.type === 'close') {
		if (incident.code === CLOSE_NORMAL) return { is: 'closed' };
		throw new TransportError(`The socket was closed with ${incident.code}`);
	}
	if (incident.data === 'pong') return LIFE;
	const event = eventOf(parsed(String(incident.data)));
	return event ? { is: 'event', event } : LIFE;
}

function close(socket: Socket): void {
	try {
		socket.close(CLOSE_NORMAL);
	} catch {
		// It never opened, or is closed already.
	}
}
