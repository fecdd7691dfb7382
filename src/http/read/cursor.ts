/** The cursor from which a reader of events continues. */
import { type Fault, shown } from '../problem.ts';
import { invalidRequest } from '../submit/options.ts';

/** `?after=7`. @throws {Problem} `InvalidRequest` when it is not a number. */
export function readCursor(url: URL): number | undefined {
	return parseCursor(url.searchParams.get('after'), { parameter: 'after' });
}

/** `Last-Event-ID: 7`, which an `EventSource` sends when it reconnects. @throws {Problem} as {@link readCursor}. */
export function readLastEventId({ headers }: Request): number | undefined {
	return parseCursor(headers.get('last-event-id'), { header: 'Last-Event-ID' });
}

/** `Last-Event-ID: 7`, else `?after=7`. */
export function readStreamCursor(request: Request, url: URL): number | undefined {
	return readLastEventId(request) ?? readCursor(url);
}

function parseCursor(text: string | null, place: { parameter: string } | { header: string }): number | undefined {
	if (text === null) return undefined;
	if (/^\d{1,15}$/.test(text)) return Number(text);
	const fault: Fault = { ...place, message: `expected an event's seq, a whole number, got: ${shown(text)}` };
	throw invalidRequest('The cursor is not valid', [fault]);
}
