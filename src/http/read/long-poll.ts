/**
 * `Prefer: wait=N` (RFC 7240 §4.3): delays the response until the job changes. The Worker waits, on a socket to the hibernating
 * object.
 */
import { defined } from '../../core/defined.ts';
import { LONG_POLL_SECONDS, MS_PER_SECOND } from '../../core/job/limits.ts';
import type { FoundJob } from '../../core/job/object-api.ts';
import type { RequestContext } from '../request-context.ts';
import { openWait } from './feed.ts';

/** Without a closing quote, a quoted string takes the rest of the header. */
const QUOTED = /"(?:[^"\\]|\\.)*(?:"|\\?$)/g;

/**
 * The client's wait in seconds, clamped; `undefined` for none. The first `wait` wins. A parameter of another preference
 * (`return=minimal; wait=3`) does not count, and a value that is not a whole number is ignored (RFC 7240 §2).
 */
export function readWaitSeconds({ headers }: Request): number | undefined {
	const sent = headers.get('prefer');
	if (sent === null) return undefined;
	// A comma or a semicolon in a quoted string separates nothing.
	const prefer = sent.replace(QUOTED, (quoted) => (/^"\d+"$/.test(quoted) ? quoted : '""'));
	const preferences = prefer.split(',').map((item) => item.split(';', 1)[0]?.trim() ?? '');
	const wait = preferences.find((preference) => /^wait\s*(?:=|$)/i.test(preference));
	const seconds = Number(/^wait\s*=\s*"?(\d{1,9})"?$/i.exec(wait ?? '')?.[1] ?? 0);
	return seconds < LONG_POLL_SECONDS.min ? undefined : Math.min(seconds, LONG_POLL_SECONDS.max);
}

/** The response header for a wait that was applied. */
export function applied(waitSeconds: number): { 'preference-applied': string } {
	return { 'preference-applied': `wait=${waitSeconds}` };
}

export interface LongPollOptions {
	/** `change` only: the newest event that the client knows. Objects up to 0.1.0 compare this. */
	readonly after?: number;
	/** `change` only: the `ETag` of the document that the client knows. */
	readonly tag?: string;
	readonly waitSeconds: number;
	/** Whether to wait for the end of the job, or for any change. */
	readonly until: 'end' | 'change';
	/** Ends the wait. Default: only time does. */
	readonly signal?: AbortSignal;
}

/**
 * The job after the wait's condition holds. Costs one call, regardless of the wait. `undefined` after a timeout or a lost
 * connection: then read the job.
 *
 * @throws {Problem} for a job that does not exist, or no longer exists.
 */
export async function waitForJob(
	context: RequestContext,
	{ after = 0, tag, waitSeconds, until, signal }: LongPollOptions,
): Promise<FoundJob | undefined> {
	const query = new URLSearchParams(defined({ until, after: String(after), tag }));
	const said = await openWait(context, `/wait?${query}`);
	if (!(said instanceof WebSocket)) return said;
	const { promise, resolve } = Promise.withResolvers<FoundJob | undefined>();
	const timer = setTimeout(() => resolve(undefined), waitSeconds * MS_PER_SECOND);
	said.addEventListener('message', ({ data }) => resolve(JSON.parse(String(data)) as FoundJob));
	said.addEventListener('close', () => resolve(undefined));
	said.addEventListener('error', () => resolve(undefined));
	signal?.addEventListener('abort', () => resolve(undefined));
	said.accept();
	const reading = await promise;
	clearTimeout(timer);
	said.close();
	return reading;
}
