/**
 * A job's transport that works wherever HTTP does: reads the job's status, and its events when the status has changed. One round at a
 * time.
 */
import { isObject } from '../../core/http/json.ts';
import { retryAfterMs } from '../../core/operation/retry-after.ts';
import { discardBody } from '../body.ts';
import { isOver, parseEvent, parseStatusDocument, type StatusDocument } from '../document.ts';
import { ProtocolError } from '../errors.ts';
import type { Http } from '../http.ts';
import { afterCursor, type JobUrls } from '../job-urls.ts';
import { ANSWER_TIMEOUT_MS, HELD_MS, LONG_POLL_SECONDS, MS_PER_SECOND } from '../limits.ts';
import { type Position, type Transport, type TransportMessage, toMessage } from './transport.ts';

/** A job, and the HTTP client that reads it. */
export interface JobSource {
	readonly http: Http;
	readonly urls: JobUrls;
}

/** A client that has the job already lets the server hold its response until something changes. */
const LONG_POLL_TIMEOUT_MS = LONG_POLL_SECONDS * MS_PER_SECOND + ANSWER_TIMEOUT_MS;

export function byPolling(source: JobSource): Transport {
	return (position, signal) => poll(source, position, signal);
}

async function* poll(
	{ http, urls }: JobSource,
	{ after, job }: Position,
	signal: AbortSignal,
): AsyncGenerator<TransportMessage, void> {
	const conditions = { 'if-none-match': `"${after}"`, prefer: `wait=${LONG_POLL_SECONDS}` };
	const isKnown = after !== undefined && job !== undefined;
	const askedAt = performance.now();
	const response = await http.once({
		url: urls.operation,
		signal,
		...(isKnown ? { headers: conditions, timeoutMs: LONG_POLL_TIMEOUT_MS } : {}),
	});
	const isHeld = isKnown && performance.now() - askedAt >= HELD_MS;
	const waitMs = retryAfterMs(response.headers.get('retry-after'), Date.now());
	if (response.status === 304) {
		discardBody(response);
		yield { type: 'again', isHeld, retryAfterMs: waitMs };
		return;
	}
	const document = parseStatusDocument(await http.json(response, signal));
	const isNews = after === undefined || document.seq > after;
	if (after === undefined) yield snapshotMessage(document);
	else if (isNews) yield* pollEvents({ http, urls }, after, signal);
	if (isOver(document)) yield { type: 'closed' };
	// The server holds the next request. `Retry-After` counts only for a server that does not hold requests.
	else yield { type: 'again', isHeld, job: document, retryAfterMs: isKnown && !isNews ? waitMs : undefined };
}

async function* pollEvents(
	{ http, urls }: JobSource,
	after: number,
	signal: AbortSignal,
): AsyncGenerator<TransportMessage, void> {
	const response = await http.once({ url: afterCursor(urls.events, after), signal });
	const page = await http.json(response, signal);
	if (!isObject(page) || !Array.isArray(page.events))
		throw new ProtocolError('Expected a page of events, got JSON without an array of "events"');
	for (const value of page.events) yield toMessage(parseEvent(value));
}

function snapshotMessage(job: StatusDocument): TransportMessage {
	return { type: 'event', event: { seq: job.seq, type: 'snapshot', at: job.lastUpdatedAt, job } };
}
