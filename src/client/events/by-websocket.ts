/** Receives events over one WebSocket. A silent socket is pinged; the server answers without waking from hibernation. */
import { isOver, parseEvent, parseResponseText } from '../document.ts';
import { AnswerTimeoutError, TransportError } from '../errors.ts';
import { afterCursor, type JobUrls } from '../job-urls.ts';
import { FAREWELL_MS, OPEN_TIMEOUT_MS, PING_MS } from '../limits.ts';
import { Inbox } from './inbox.ts';
import { LIFE, type Position, type TransportMessage } from './transport.ts';

/** The part of a `WebSocket` that this client uses. */
export interface Socket {
	addEventListener(
		type: 'open' | 'message' | 'close' | 'error',
		listener: (event: { readonly type: string; readonly data?: unknown; readonly code?: number }) => void,
	): void;
	/**
	 * 2 and 3: the server has started to close. Without this field, the close shows only when the connection itself is closed.
	 */
	readonly readyState?: number;
	send(text: string): void;
	close(code?: number, reason?: string): void;
}

/** The platform's `WebSocket`, or a compatible class, such as the one of the package `ws`. */
export type SocketClass = new (url: string, protocols: string) => Socket;

export interface SocketSource {
	readonly SocketClass: SocketClass;
	readonly urls: JobUrls;
}

type Incident =
	| { readonly type: 'open' }
	| { readonly type: 'message'; readonly data: unknown }
	| { readonly type: 'close'; readonly code: number };

const SUBPROTOCOL = 'coatcheck.v1';
const CLOSE_NORMAL = 1000;
const CLOSING = 2;

/** The incident that is expected next, and the time to wait for it. */
interface Patience {
	readonly for: 'open' | 'event' | 'pong' | 'close';
	readonly ms: number;
}

const FOR_OPEN: Patience = { for: 'open', ms: OPEN_TIMEOUT_MS };
const FOR_EVENT: Patience = { for: 'event', ms: PING_MS };
const FOR_PONG: Patience = { for: 'pong', ms: PING_MS };
const FOR_CLOSE: Patience = { for: 'close', ms: FAREWELL_MS };

export async function* byWebSocket(
	{ SocketClass, urls }: SocketSource,
	{ after }: Position,
	signal: AbortSignal,
): AsyncGenerator<TransportMessage, void> {
	const socket = opened(SocketClass, afterCursor(urls.socket, after));
	const inbox = listenTo(socket);
	let patience = FOR_OPEN;
	try {
		while (true) {
			const incident = await inbox.take(patience.ms, signal);
			const sign = incident ? signIn(incident) : signInSilence(socket, patience);
			if (sign) yield sign;
			if (sign?.type === 'closed') return;
			patience = incident ? patienceAfter(sign) : patienceInSilence(patience);
		}
	} finally {
		closeSocket(socket);
	}
}

/**
 * Handles a timeout of the socket. The server closes right after the last event, but some platforms report the close only when
 * the connection itself is gone, seconds later. So the socket's state is checked after each event that may be the last.
 *
 * @throws {AnswerTimeoutError} when the socket didn't open, or didn't answer a ping.
 */
function signInSilence(socket: Socket, patience: Patience): TransportMessage | undefined {
	if (patience.for === 'open' || patience.for === 'pong') {
		throw new AnswerTimeoutError(`The WebSocket was silent for ${patience.ms} ms`);
	}
	if (patience.for === 'event') ping(socket);
	return patience.for === 'close' && (socket.readyState ?? 0) >= CLOSING ? { type: 'closed' } : undefined;
}

function patienceInSilence({ for: awaited, ms }: Patience): Patience {
	if (awaited === 'event') return FOR_PONG;
	return ms * 2 < PING_MS ? { for: awaited, ms: ms * 2 } : FOR_EVENT;
}

/** An event of a finished job is the last one, unless the job was retried and the event belongs to an earlier run. */
function patienceAfter(sign: TransportMessage | undefined): Patience {
	return sign?.type === 'event' && isOver(sign.event.job) ? FOR_CLOSE : FOR_EVENT;
}

/** A page's policy may forbid sockets. The error is a {@link TransportError}, so that the next transport is tried. */
function opened(SocketClass: SocketClass, url: string): Socket {
	try {
		return new SocketClass(url, SUBPROTOCOL);
	} catch (cause) {
		throw new TransportError('Opening a WebSocket failed', { cause });
	}
}

/** A ping that can't be sent is never answered, so the timeout reports it. */
function ping(socket: Socket): void {
	try {
		socket.send('ping');
	} catch {
		// The socket is closing.
	}
}

function listenTo(socket: Socket): Inbox<Incident> {
	const inbox = new Inbox<Incident>();
	socket.addEventListener('open', () => inbox.put({ type: 'open' }));
	socket.addEventListener('message', ({ data }) => inbox.put({ type: 'message', data }));
	socket.addEventListener('close', ({ code = 1006 }) => inbox.put({ type: 'close', code }));
	// A socket's error event carries no reason, and some sockets are not closed after one.
	socket.addEventListener('error', () => inbox.put({ type: 'close', code: 1006 }));
	return inbox;
}

/** @throws {TransportError} when the close code is not 1000; {@link ProtocolError} for a frame that is not an event. */
function signIn(incident: Incident): TransportMessage | undefined {
	if (incident.type === 'open') return undefined;
	if (incident.type === 'close') {
		if (incident.code === CLOSE_NORMAL) return { type: 'closed' };
		throw new TransportError(`The WebSocket was closed with code ${incident.code}`);
	}
	if (incident.data === 'pong') return LIFE;
	const event = parseEvent(parseResponseText(String(incident.data)));
	return event ? { type: 'event', event } : LIFE;
}

function closeSocket(socket: Socket): void {
	try {
		socket.close(CLOSE_NORMAL);
	} catch {
		// The socket never opened, or is closed already.
	}
}
