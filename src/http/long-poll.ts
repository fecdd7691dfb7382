/**
 * `Prefer: wait=N` (RFC 7240 §4.3): hold the answer until there is something to say. The waiting is done here, on a socket
 * whose other end sleeps.
 */
import { LONG_POLL_SECONDS, MS_PER_SECOND } from '../job/limits.ts';
import type { Exchange } from './exchange.ts';
import { openBell } from './feed.ts';

const WAIT = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i;

/** How long the client wants to wait, in seconds, clamped; `undefined` when it doesn't. */
export function waitSecondsOf(request: Request): number | undefined {
	const seconds = Number(WAIT.exec(request.headers.get('prefer') ?? '')?.[1] ?? 0);
	return seconds < LONG_POLL_SECONDS.min ? undefined : Math.min(seconds, LONG_POLL_SECONDS.max);
}

/** What the answer says when a wait was honoured. */
export function applied(waitSeconds: number): { 'preference-applied': string } {
	return { 'preference-applied': `wait=${waitSeconds}` };
}

export interface WaitOptions {
	/** The newest event that is known: only later ones count. */
	readonly after: number;
	readonly waitSeconds: number;
	/** Wait for the end of the job, or for any change. */
	readonly until: 'end' | 'change';
}

/** Resolves when it has happened, when the time is over, or when the connection to the object is lost: then it is time to look. */
export async function waitForJob(exchange: Exchange, { after, waitSeconds, until }: WaitOptions): Promise<void> {
	const feed = await openBell(exchange, after);
	if (!feed) return;
	const { promise, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, waitSeconds * MS_PER_SECOND);
	feed.addEventListener('close', () => resolve());
	feed.addEventListener('error', () => resolve());
	feed.addEventListener('message', () => {
		// The socket is closed after the last event; any event is a change.
		if (until === 'change') resolve();
	});
	feed.accept();
	await promise;
	clearTimeout(timer);
	feed.close();
}
