/** Opens the sockets of a job's object. This Worker alone requests them: `/watch`, `/wait` and `/attempt`. */
import { defined } from '../core/defined.ts';
import { cursorWithin, eventsAfter, type JobFacts, type SeenJob, snapshot } from '../core/job/document.ts';
import { documentTag } from '../core/job/document-tag.ts';
import type { LinkBase } from '../core/job/links.ts';
import type { Reader } from '../core/job/reader.ts';
import { LEGACY_READER_HEADER, READER_HEADER } from '../core/job/reader-header.ts';
import { type Fence, isFinal, isHeldBy, type JobRecord } from '../core/job/record.ts';
import { liveProgressOf } from '../core/job/recover.ts';
import { foundJob, statusFlags } from '../core/job/view.ts';
import { pendingDeliveries } from '../core/job/webhook.ts';
import { CLOSE, closeQuietly, type JobSockets, type LongPollGoal } from './sockets.ts';

/** The reader of a socket, with the base of its links. */
export interface SocketReader extends Reader {
	readonly base: LinkBase;
}

/** A reader's request for a socket. */
export interface SocketRequest extends SeenJob {
	readonly query: URLSearchParams;
}

export function socketReader(headers: Headers): SocketReader {
	return JSON.parse(headers.get(READER_HEADER) ?? headers.get(LEGACY_READER_HEADER) ?? '') as SocketReader;
}

/** A reader of every event. */
export function acceptWatcher(sockets: JobSockets, request: SocketRequest, base: LinkBase): Response {
	const { id, job, query, now } = request;
	const after = query.get('after');
	const isOver = isFinal(job.state);
	const isFresh = after === null && !isOver;
	const events = isFresh ? [snapshot(id, job, now)] : eventsAfter(request, Number(after ?? 0));
	// No events are left, so no socket is needed. A cursor beyond the last event has all of them, too.
	if (isOver && (events.length === 0 || Number(after ?? 0) > job.seq)) return new Response(null, { status: 204 });
	if (!isOver && !sockets.makeRoom(now)) return new Response(null, { status: 503 });
	const { 0: client, 1: server } = new WebSocketPair();
	const heard = cursorWithin(job, Number(after ?? 0));
	sockets.addWatcher(server, { base: { ...base, flags: statusFlags(job) }, heard }, events);
	if (isOver) closeQuietly(server, CLOSE.done, 'the job has finished');
	return new Response(null, { status: 101, webSocket: client });
}

/** A reader that waits for the job's next change or end: responds at once if it has happened, otherwise over a socket. */
export function acceptWaiter(sockets: JobSockets, { id, job, query, now }: SocketRequest): Response {
	const until: LongPollGoal = query.get('until') === 'change' ? 'change' : 'end';
	const reading = foundJob(id, job, now);
	const isNews = until === 'change' && !isKnown(reading.view.facts, query);
	const isSettled = isFinal(job.state) && (until === 'end' || pendingDeliveries(job).length === 0);
	// At the limit of watchers, the client gets its response at once, and polls.
	if (isNews || isSettled || !sockets.makeRoom(now)) return Response.json(reading);
	const { 0: client, 1: server } = new WebSocketPair();
	sockets.addWaiter(server, until);
	return new Response(null, { status: 101, webSocket: client });
}

/** Versions up to 0.1.0 send the `seq` of the last event instead of a tag. */
function isKnown(facts: JobFacts, query: URLSearchParams): boolean {
	const tag = query.get('tag');
	return tag === null ? facts.seq === Number(query.get('after')) : tag === documentTag(facts);
}

/** The attempt that requests its link. */
export function attemptFence(query: URLSearchParams): Fence {
	const number = (name: string) => (query.has(name) ? Number(query.get(name)) : undefined);
	return defined({
		epoch: Number(query.get('epoch')),
		attempt: Number(query.get('attempt')),
		createdAt: number('createdAt'),
		delivery: query.get('delivery') ?? undefined,
		startedAt: number('startedAt'),
	});
}

/** The running attempt, which sends progress and learns when to stop. */
export function acceptAttempt(sockets: JobSockets, fence: Fence, job: JobRecord | undefined): Response {
	const { 0: client, 1: server } = new WebSocketPair();
	const held = isHeldBy(job, fence) ? job : undefined;
	sockets.addAttempt(server, held ? liveProgressOf(held) : { ...fence, seq: 0 });
	if (!held) sockets.abort(fence, 'stale');
	else if (held.state.canceling) sockets.abort(fence, 'canceled');
	return new Response(null, { status: 101, webSocket: client });
}
