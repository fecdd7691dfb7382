/**
 * Server-sent events over `fetch`. Unlike `EventSource`, `fetch` exists everywhere, can send headers, and shows why a request
 * was refused.
 */
import { discardBody, piecesOf, responseMediaType } from '../body.ts';
import { parseEvent, parseResponseText } from '../document.ts';
import { TransportError } from '../errors.ts';
import type { Http } from '../http.ts';
import { afterCursor, type JobUrls } from '../job-urls.ts';
import { STREAM_SILENCE_MS } from '../limits.ts';
import { SseParser } from './sse-parser.ts';
import { LIFE, type Position, type TransportMessage } from './transport.ts';

const STREAM = 'text/event-stream';

export async function* bySse(
	http: Http,
	urls: JobUrls,
	{ after }: Position,
	signal: AbortSignal,
): AsyncGenerator<TransportMessage, void> {
	const response = await http.once({ url: afterCursor(urls.events, after), headers: { accept: STREAM }, signal });
	if (response.status === 204) {
		yield { type: 'over' };
		return;
	}
	const mediaType = responseMediaType(response);
	if (mediaType !== STREAM) {
		discardBody(response);
		throw new TransportError(`Expected ${STREAM}, got: ${response.status} ${mediaType}`);
	}
	const parser = new SseParser();
	const decoder = new TextDecoder();
	for await (const piece of piecesOf(response.body, { silenceMs: STREAM_SILENCE_MS, signal })) {
		yield LIFE;
		for (const data of parser.push(decoder.decode(piece, { stream: true }))) {
			const event = parseEvent(parseResponseText(data));
			if (event) yield { type: 'event', event };
		}
	}
	yield { type: 'closed', retryAfterMs: parser.retryMs };
}
