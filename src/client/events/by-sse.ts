/**
 * Server-sent events over `fetch`. Unlike `EventSource`, `fetch` exists everywhere, can send headers, and shows why a request
 * was refused.
 */
import { createParser, type EventSourceParser } from 'eventsource-parser';
import { discardBody, responseMediaType, streamChunks } from '../body.ts';
import { TransportError } from '../errors.ts';
import type { Http } from '../http.ts';
import { afterCursor } from '../job-urls.ts';
import { STREAM_SILENCE_MS } from '../limits.ts';
import { type Feed, LIFE, type Position, type Transport, type TransportMessage } from './transport.ts';

const STREAM = 'text/event-stream';

export interface StreamSource<Event> {
	readonly http: Http;
	readonly feed: Feed<Event>;
}

/** What a stream has sent. */
interface Received {
	/** The data of events, which are not read yet. */
	readonly events: string[];
	/** After those events, if the stream has told it since the last of them. */
	place: number | undefined;
	/** The wait before the next connection, in milliseconds. */
	retryMs: number | undefined;
}

export function bySse<Event>(source: StreamSource<Event>): Transport<Event> {
	return (position, signal) => readStream(source, position, signal);
}

async function* readStream<Event>(
	{ http, feed }: StreamSource<Event>,
	{ after }: Position,
	signal: AbortSignal,
): AsyncGenerator<TransportMessage<Event>, void> {
	const response = await http.once({ url: afterCursor(feed.streamUrl, after), headers: { accept: STREAM }, signal });
	if (response.status === 204) {
		yield { type: 'over' };
		return;
	}
	const mediaType = responseMediaType(response);
	if (mediaType !== STREAM) {
		discardBody(response);
		throw new TransportError(`Expected ${STREAM}, got: ${response.status} ${mediaType}`);
	}
	const received: Received = { events: [], place: undefined, retryMs: undefined };
	const parser = parserInto(received);
	const decoder = new TextDecoder();
	for await (const piece of streamChunks(response.body, { silenceMs: STREAM_SILENCE_MS, signal })) {
		yield LIFE;
		parser.feed(decoder.decode(piece, { stream: true }));
		for (const data of received.events.splice(0)) yield* feed.parse(data);
		if (received.place !== undefined) yield { type: 'place', after: received.place };
		received.place = undefined;
	}
	yield { type: 'closed', retryAfterMs: received.retryMs };
}

function parserInto(received: Received): EventSourceParser {
	return createParser({
		// An id with an event is its number. One without is the place of a reader whose filter excludes the events up to it.
		onId: (id) => {
			received.place = /^\d+$/.test(id) ? Number(id) : undefined;
		},
		onEvent: ({ data }) => {
			received.place = undefined;
			received.events.push(data);
		},
		onRetry: (ms) => {
			received.retryMs = ms;
		},
	});
}
