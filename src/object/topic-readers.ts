/**
 * The readers of one topic: sockets that hibernate. A WebSocket client has its socket here, and a stream's socket ends in the Worker.
 * What a reader wants is in the attachment of its socket. It needs no cursor there: a reader gets each event in the turn of the
 * event loop that writes it, and a reader that loses its socket connects again with its own cursor.
 */
import { defined } from '../core/defined.ts';
import { type EventFilter, eventText, lineFilter, placeText } from '../core/topic/event.ts';
import { BATCH_FRAME_BYTES, MAX_TOPIC_READERS, SOCKET_CATCH_UP_BYTES } from '../core/topic/limits.ts';
import { CLOSE, closeQuietly, closeSilent, isOpen, sendQuietly } from './sockets.ts';
import type { Appended, TopicLog } from './topic-log.ts';

const READER = 'reader';

/** Persisted across hibernation: only add optional fields. */
interface ReaderAttachment extends EventFilter {
	readonly acceptedAt: number;
	/** Each frame is a JSON array of events, instead of one event. */
	readonly isBatched?: true;
	/** It is told its place. */
	readonly isPlaced?: true;
}

/** A reader, as compiled from its attachment. */
interface TopicReader {
	readonly matches: (line: string) => boolean;
	readonly isBatched: boolean;
	readonly isPlaced: boolean;
}

export interface ReaderRequest {
	/** Left out: from now on. */
	readonly after?: number | undefined;
	readonly filter: EventFilter;
	readonly isBatched: boolean;
	/** The reader wants to be told its place. */
	readonly isPlaced: boolean;
}

export class TopicReaders {
	readonly #ctx: DurableObjectState;
	readonly #readers = new WeakMap<WebSocket, TopicReader>();

	constructor(ctx: DurableObjectState) {
		this.#ctx = ctx;
		ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
	}

	get isEmpty(): boolean {
		return this.#ctx.getWebSockets(READER).length === 0;
	}

	/** Answers the handshake: 101, or 503 at the limit of readers. */
	async open(log: TopicLog, request: ReaderRequest): Promise<Response> {
		const { after, filter, isBatched, isPlaced } = request;
		const texts: string[] = [];
		const hasMore = after !== undefined && (await collectEvents(log, { after, filter }, texts));
		const now = Date.now();
		const open = this.#ctx.getWebSockets(READER).filter(isOpen);
		if (!closeSilent(this.#ctx, { open, surplus: open.length - MAX_TOPIC_READERS + 1, now }))
			return new Response(null, { status: 503 });
		const { 0: client, 1: server } = new WebSocketPair();
		this.#ctx.acceptWebSocket(server, [READER]);
		const attachment = {
			...filter,
			acceptedAt: now,
			isBatched: isBatched || undefined,
			isPlaced: isPlaced || undefined,
		};
		server.serializeAttachment(defined(attachment) satisfies ReaderAttachment);
		for (const frame of isBatched ? batched(texts) : texts) sendQuietly(server, frame);
		if (isPlaced && !hasMore) sendQuietly(server, placeText(log.last));
		if (hasMore) closeQuietly(server, CLOSE.tryAgainLater, 'more events: connect again after the last one');
		return new Response(null, { status: 101, webSocket: client });
	}

	announce({ first, lines }: Pick<Appended, 'first' | 'lines'>): void {
		const sockets = this.#ctx.getWebSockets(READER);
		if (sockets.length === 0) return;
		const events = lines.map((line, index) => ({ line, text: eventText(first + index, line) }));
		for (const socket of sockets) {
			const { matches, isBatched } = this.#compile(socket);
			const texts = events.filter(({ line }) => matches(line)).map(({ text }) => text);
			for (const frame of isBatched ? batched(texts) : texts) sendQuietly(socket, frame);
		}
	}

	/**
	 * Tells readers that they have everything. Called when the log begins a segment or has deleted one: a reader that gets no event for long
	 * would otherwise come back with a cursor from before all that is kept, and be told of a gap, though it was there all the while.
	 */
	tellPlace(last: number): void {
		for (const socket of this.#ctx.getWebSockets(READER))
			if (this.#compile(socket).isPlaced) sendQuietly(socket, placeText(last));
	}

	#compile(socket: WebSocket): TopicReader {
		const known = this.#readers.get(socket);
		if (known) return known;
		const { isBatched = false, isPlaced = false, ...filter } = socket.deserializeAttachment() as ReaderAttachment;
		const reader = { matches: lineFilter(filter), isBatched, isPlaced };
		this.#readers.set(socket, reader);
		return reader;
	}
}

/** Joins events to frames of a moderate size. A larger event has one of its own. */
function batched(texts: readonly string[]): string[] {
	const frames: string[][] = [];
	let leftBytes = 0;
	for (const text of texts) {
		if (leftBytes < text.length) {
			frames.push([]);
			leftBytes = BATCH_FRAME_BYTES;
		}
		frames.at(-1)?.push(text);
		leftBytes -= text.length;
	}
	return frames.map((frame) => `[${frame.join(',')}]`);
}

/**
 * Collects the events after a cursor, with pauses, so that a long log holds nothing else up. No pause follows the last page: the reader
 * misses nothing. @returns whether there are more events than one socket gets at once.
 */
async function collectEvents(
	log: TopicLog,
	request: Pick<ReaderRequest, 'after' | 'filter'>,
	texts: string[],
): Promise<boolean> {
	let leftBytes = SOCKET_CATCH_UP_BYTES;
	for (let after = request.after ?? 0; ; await scheduler.wait(0)) {
		const page = log.after(after, { events: Number.POSITIVE_INFINITY, filter: request.filter });
		for (const text of page.events) {
			texts.push(text);
			leftBytes -= text.length;
		}
		if (!page.hasMore) return false;
		if (leftBytes <= 0) return true;
		after = page.lastSeq;
	}
}
