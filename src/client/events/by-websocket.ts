/** Receives events over one WebSocket. A silent socket is pinged; the server answers without waking from hibernation. */
import { AnswerTimeoutError, TransportError } from '../errors.ts';
import { afterCursor } from '../job-urls.ts';
import { FAREWELL_MS, MAX_WAITING_CHARS, OPEN_TIMEOUT_MS, PING_MS } from '../limits.ts';
import { Inbox } from './inbox.ts';
import { type Feed, LIFE, type Position, type TransportMessage } from './transport.ts';

/** The part of a socket's event that this client uses. */
export interface SocketEvent {
	readonly type: string;
	readonly data?: unknown;
	readonly code?: number;
	readonly reason?: string;
}

/** The part of a `WebSocket` that this client uses. */
export interface Socket {
	addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void;
	/**
	 * 2 and 3: the server has started to close. Without this field, the close shows only when the connection itself is closed.
	 */
	readonly readyState?: number;
	send(text: string): void;
	close(code?: number, reason?: string): void;
}

/** The platform's `WebSocket`, or a compatible class, such as the one of the package `ws`. */
export type SocketClass = new (url: string, protocols: string) => Socket;

export interface SocketSource<Event> {
	readonly SocketClass: SocketClass;
	readonly feed: Feed<Event>;
}

type Incident =
	| { readonly type: 'open' }
	| { readonly type: 'message'; readonly data: unknown }
	| { readonly type: 'close'; readonly code: number; readonly reason: string };

const SUBPROTOCOL = 'coatcheck.v1';
const CLOSE_NORMAL = 1000;
/** The reader was far behind, and has got as much as one socket may carry at once. */
const CLOSE_MORE_EVENTS = { code: 1013, reason: /^more events\b/ };
const CLOSING = 2;
/** A socket can't be slowed down. A reader that is too slow connects again after the events that it has taken. */
const CLOSE_FOR_SLOW = { type: 'close', code: CLOSE_MORE_EVENTS.code, reason: 'more events' } as const;

/** The incident that is expected next, and the time to wait for it. */
interface Patience {
	readonly for: 'open' | 'event' | 'pong' | 'close';
	readonly ms: number;
}

const FOR_OPEN: Patience = { for: 'open', ms: OPEN_TIMEOUT_MS };
const FOR_EVENT: Patience = { for: 'event', ms: PING_MS };
const FOR_PONG: Patience = { for: 'pong', ms: PING_MS };
const FOR_CLOSE: Patience = { for: 'close', ms: FAREWELL_MS };

export async function* byWebSocket<Event>(
	{ SocketClass, feed }: SocketSource<Event>,
	{ after }: Position,
	signal: AbortSignal,
): AsyncGenerator<TransportMessage<Event>, void> {
	const socket = opened(SocketClass, afterCursor(feed.socketUrl, after));
	const inbox = listenTo(socket);
	let patience = FOR_OPEN;
	try {
		while (true) {
			const incident = await inbox.take(patience.ms, signal);
			const signs = incident ? signsIn(incident, feed) : signsInSilence(socket, patience);
			yield* signs;
			const last = signs.at(-1);
			if (last?.type === 'closed' || last?.type === 'again') return;
			patience = incident ? patienceAfter(last, feed) : patienceInSilence(patience);
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
function signsInSilence(socket: Socket, patience: Patience): readonly TransportMessage<never>[] {
	if (patience.for === 'open' || patience.for === 'pong') {
		throw new AnswerTimeoutError(`The WebSocket was silent for ${patience.ms} ms`);
	}
	if (patience.for === 'event') ping(socket);
	return patience.for === 'close' && (socket.readyState ?? 0) >= CLOSING ? [{ type: 'closed' }] : [];
}

function patienceInSilence({ for: awaited, ms }: Patience): Patience {
	if (awaited === 'event') return FOR_PONG;
	return ms * 2 < PING_MS ? { for: awaited, ms: ms * 2 } : FOR_EVENT;
}

function patienceAfter<Event>(sign: TransportMessage<Event> | undefined, feed: Feed<Event>): Patience {
	return sign?.type === 'event' && feed.isLast(sign.event) ? FOR_CLOSE : FOR_EVENT;
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
	let isFull = false;
	socket.addEventListener('message', ({ data }) => {
		if (isFull) return;
		inbox.put({ type: 'message', data }, String(data).length);
		isFull = inbox.waiting > MAX_WAITING_CHARS;
		if (!isFull) return;
		inbox.put(CLOSE_FOR_SLOW);
		closeSocket(socket);
	});
	socket.addEventListener('close', ({ code = 1006, reason = '' }) => inbox.put({ type: 'close', code, reason }));
	// A socket's error event carries no reason, and some sockets are not closed after one.
	socket.addEventListener('error', () => inbox.put({ type: 'close', code: 1006, reason: '' }));
	return inbox;
}

/** @throws {TransportError} when the close code is not 1000; {@link ProtocolError} for a frame without events. */
function signsIn<Event>(incident: Incident, feed: Feed<Event>): readonly TransportMessage<Event>[] {
	if (incident.type === 'open') return [];
	if (incident.type === 'close') return [signInClose(incident)];
	if (incident.data === 'pong') return [LIFE];
	return feed.parse(String(incident.data));
}

function signInClose({ code, reason }: Extract<Incident, { type: 'close' }>): TransportMessage<never> {
	if (code === CLOSE_NORMAL) return { type: 'closed' };
	if (code === CLOSE_MORE_EVENTS.code && CLOSE_MORE_EVENTS.reason.test(reason)) return { type: 'again', isHeld: true };
	throw new TransportError(`The WebSocket was closed with code ${code}`);
}

function closeSocket(socket: Socket): void {
	try {
		socket.close(CLOSE_NORMAL);
	} catch {
		// The socket never opened, or is closed already.
	}
}
