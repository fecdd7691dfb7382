/**
 * `Prefer: wait=N` (RFC 7240 §4.3): hold the answer until there is something to say. The waiting is done here, on a socket
 * whose other end sleeps.
 */
import { LONG_POLL_SECONDS, MS_PER_SECOND } from '../job/limits.ts';
import type { FoundJob } from '../job/object-api.ts';
import type { Exchange } from './exchange.ts';
import { openWait } from './feed.ts';
import { parseHeaderList } from './header-list.ts';

/**
 * How long the client wants to wait, in seconds, clamped; `undefined` when it doesn't. The first `wait` holds. One that is a
 * parameter of another preference (`return=minimal; wait=3`) is none, and one without a whole number is ignored (RFC 7240 §2).
 */
export function waitSecondsOf(request: Request): number | undefined {
	const wait = parseHeaderList(request.headers.get('prefer')).find(({ name }) => name === 'wait');
	const seconds = /^\d{1,9}$/.test(wait?.value ?? '') ? Number(wait?.value) : 0;
	return seconds < LONG_POLL_SECONDS.min ? undefined : Math.min(seconds, LONG_POLL_SECONDS.max);
}

/** What the answer says when a wait was honoured. */
export function applied(waitSeconds: number): { 'preference-applied': string } {
	return { 'preference-applied': `wait=${waitSeconds}` };
}

export interface WaitOptions {
	/** `change` only: the newest event that is known. Objects up to 0.1.0 compare this. */
	readonly after?: number;
	/** `change` only: the `ETag` of the document that is known. */
	readonly tag?: string;
	readonly waitSeconds: number;
	/** Wait for the end of the job, or for any change. */
	readonly until: 'end' | 'change';
}

/**
 * The job as it is when it has happened: one call, however long it took. `undefined` when the time is over, or the connection
 * to the object is lost: then it is time to ask.
 *
 * @throws {Problem} for a job that is not there (any more).
 */
export async function waitForJob(
	exchange: Exchange,
	{ after = 0, tag, waitSeconds, until }: WaitOptions,
): Promise<FoundJob | undefined> {
	const query = new URLSearchParams({ until, after: String(after), ...(tag !== undefined && { tag }) });
	const said = await openWait(exchange, `/wait?${query}`);
	if (!(said instanceof WebSocket)) return said;
	const { promise, resolve } = Promise.withResolvers<FoundJob | undefined>();
	const timer = setTimeout(() => resolve(undefined), waitSeconds * MS_PER_SECOND);
	said.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data)) as FoundJob));
	said.addEventListener('close', () => resolve(undefined));
	said.addEventListener('error', () => resolve(undefined));
	said.accept();
	const reading = await promise;
	clearTimeout(timer);
	said.close();
	return reading;
}
