/**
 * Server-sent events over `fetch`. Unlike `EventSource`, `fetch` exists everywhere, can send headers, and shows why a request
 * was refused.
 */
import { createParser } from 'eventsource-parser';
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
	const messages: string[] = [];
	let retryMs: number | undefined;
	const parser = createParser({
		onEvent: ({ data }) => messages.push(data),
		onRetry: (ms) => {
			retryMs = ms;
		},
	});
	const decoder = new TextDecoder();
	for await (const piece of streamChunks(response.body, { silenceMs: STREAM_SILENCE_MS, signal })) {
		yield LIFE;
		parser.feed(decoder.decode(piece, { stream: true }));
		for (const data of messages.splice(0)) for (const event of feed.parse(data)) yield { type: 'event', event };
	}
	yield { type: 'closed', retryAfterMs: retryMs };
}
