/**
 * A job's events over a socket from its object, one socket for each reader. The object can hibernate between events. A
 * WebSocket client gets the socket itself. For other transports, the socket ends in the Worker, where waiting costs nothing.
 */
import type { LinkBase } from '../../core/job/links.ts';
import type { Reading } from '../../core/job/object-api.ts';
import { READER_HEADER } from '../../core/job/reader-header.ts';
import { retryTransient } from '../../rpc/retry-transient.ts';
import { readerOf } from '../access/auth.ts';
import { createLinkBase } from '../job-response.ts';
import { Problem } from '../problem.ts';
import { linkOrigin, missing, type RequestContext, readJobId } from '../request-context.ts';

type FoundReading = Extract<Reading, { found: 'job' }>;

/**
 * @param after the `seq` of the last event that the reader has. Default: start with a snapshot.
 * @returns `undefined` when the reader has the last event of a finished job.
 * @throws {Problem} for a job that does not exist, or no longer exists.
 */
export async function openFeed(context: RequestContext, after: number | undefined): Promise<WebSocket | undefined> {
	return connectToJob(context, after, await readersBase(context));
}

/**
 * The job when the wait's condition holds: at once, or over a socket that sends it once.
 *
 * @param path with the wait's condition in its query.
 * @throws {Problem} for a job that does not exist, or no longer exists.
 */
export async function openWait(context: RequestContext, path: `/wait?${string}`): Promise<WebSocket | FoundReading> {
	const answer = await asReader(context, path, { origin: linkOrigin(context), mayCancel: false });
	if (answer.webSocket) return answer.webSocket;
	if (answer.status === 200) return answer.json<FoundReading>();
	throw missing(feedRefusal(answer), context.principal);
}

/** The base of the reader's links. A token contains the necessary facts of its job; for a key, the job must be read. */
async function readersBase(context: RequestContext): Promise<LinkBase> {
	const { jobs, principal } = context;
	const { scopes, token } = principal;
	if (token?.createdAt !== undefined) {
		const facts = { id: token.job, createdAt: new Date(token.createdAt).toISOString() };
		return createLinkBase(context, { facts, readableUntil: token.expiresAt });
	}
	if (token) return { origin: linkOrigin(context), mayCancel: scopes.has('cancel'), token: token.text };
	const reading = await jobs.call(readJobId(context), (job) => job.readJob(readerOf(principal)));
	if (reading.found !== 'job') throw missing(reading, principal);
	return createLinkBase(context, reading.view);
}

async function connectToJob(
	context: RequestContext,
	after: number | undefined,
	base: LinkBase,
): Promise<WebSocket | undefined> {
	const answer = await asReader(context, after === undefined ? '/watch' : `/watch?after=${after}`, base);
	if (answer.webSocket) return answer.webSocket;
	if (answer.status === 204) return undefined;
	if (answer.status === 503)
		throw new Problem(
			'Overloaded',
			'The job has the maximum number of watchers: poll its status, or connect again later',
		);
	throw missing(feedRefusal(answer), context.principal);
}

function asReader(context: RequestContext, path: string, base: LinkBase): Promise<Response> {
	const { jobs, principal } = context;
	const id = readJobId(context);
	const headers = { [READER_HEADER]: inAscii(JSON.stringify({ ...readerOf(principal), base })) };
	return retryTransient(() => jobs.connect(id, path, headers));
}

/** Escapes JSON to ASCII, because tenants may have any letters, and the runtime logs headers that are not ASCII. */
function inAscii(json: string): string {
	return json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function feedRefusal({ status, headers }: Response): Parameters<typeof missing>[0] {
	// An object of version 0.1.0 throws for a token's bearer: a response comes from an object that checks tokens.
	if (status !== 410) return { found: 'nothing', knowsTokens: true };
	return { found: 'tombstone', reason: headers.get('coatcheck-reason') === 'purged' ? 'purged' : 'expired' };
}
