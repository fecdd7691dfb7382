/**
 * What this isolate knows of the queues: whether they take any more, and how long messages wait. It costs nothing to know: the
 * first comes with every answer to a send, the second from the jobs that are started and asked for. It is soon forgotten.
 */
import { MS_PER_SECOND } from '../job/limits.ts';
import { type Lanes, type MessageQueue, queuesOf } from './lanes.ts';

/** A wait that was seen is used for estimates this long. */
const WAIT_NEWS_MS = 30 * MS_PER_SECOND;
/** The weight of the newest job in the average wait. */
const NEWEST_SHARE = 0.2;
/** A single send fails now and then: so many in a row say that the queue takes no more. */
const FULL_AFTER_FAILURES = 3;
/** A queue that took no more, or had too long a backlog, is left alone this long; then it is tried again. */
const FULL_MS = 3 * MS_PER_SECOND;

/**
 * In production the count includes the messages that consumers work at, and those whose delay is not over. So it bounds what a
 * queue has to keep; it says nothing of how long messages wait, and neither does the age of the oldest.
 */
interface Backlog {
	readonly count: number;
	readonly notedAt: number;
}

interface Failures {
	readonly inARow: number;
	readonly lastAt: number;
}

/** A job that a client asked for. */
export interface StartedJob {
	readonly id: string;
	readonly lane: string;
	readonly waitedMs: number;
	/** Milliseconds since the epoch. */
	readonly startedAt: number;
}

interface Wait {
	readonly ms: number;
	readonly notedAt: number;
}

const lastBacklog = new WeakMap<MessageQueue, Backlog>();
const lastFailures = new WeakMap<MessageQueue, Failures>();
const waits = new Map<string, Wait>();
/** Jobs whose wait was noted when a client asked for them, so that one that is polled often counts once. */
const noted = new Set<string>();
const MAX_NOTED = 1_000;

/** A queue answered; `metrics` is what it said of its backlog, if it did. */
export function noteAnswer(queue: MessageQueue, metrics: QueueMetrics | undefined, now: number): void {
	lastFailures.delete(queue);
	lastBacklog.set(queue, { count: metrics?.backlogCount ?? 0, notedAt: now });
}

/** A queue refused a message, or didn't answer. */
export function noteFailure(queue: MessageQueue, now: number): void {
	lastFailures.set(queue, { inARow: (lastFailures.get(queue)?.inARow ?? 0) + 1, lastAt: now });
}

/** A job of this lane was started so long after its time had come. */
export function noteWait(lane: string, waitedMs: number, now: number): void {
	const before = waits.get(lane);
	const isNews = before !== undefined && now - before.notedAt < WAIT_NEWS_MS;
	const ms = isNews ? before.ms + (waitedMs - before.ms) * NEWEST_SHARE : waitedMs;
	waits.set(lane, { ms, notedAt: now });
}

/** A client asked for a job. What its wait was counts once, and only while it is news. */
export function noteWaitOf({ id, lane, waitedMs, startedAt }: StartedJob, now: number): void {
	if (now - startedAt > WAIT_NEWS_MS || noted.has(id)) return;
	if (noted.size >= MAX_NOTED) noted.clear();
	noted.add(id);
	noteWait(lane, waitedMs, now);
}

/** How long jobs of a lane wait to be started, in milliseconds, as far as this isolate has seen lately. */
export function usualWaitMs(lane: string, now: number): number {
	const { ms = 0, notedAt = 0 } = waits.get(lane) ?? {};
	return now - notedAt < WAIT_NEWS_MS ? ms : 0;
}

/**
 * Until when a lane takes no more jobs, in milliseconds from now; 0 when it does: one of its queues does.
 *
 * @param maxBacklog how many messages may wait in a queue.
 */
export function fullForMs(lanes: Lanes, lane: string, maxBacklog: number, now: number): number {
	const queues = queuesOf(lanes, lane);
	return queues.length === 0 ? 0 : Math.min(...queues.map((queue) => queueFullForMs(queue, maxBacklog, now)));
}

function queueFullForMs(queue: MessageQueue, maxBacklog: number, now: number): number {
	const { inARow = 0, lastAt = 0 } = lastFailures.get(queue) ?? {};
	const { count = 0, notedAt = 0 } = lastBacklog.get(queue) ?? {};
	const refusedAt = inARow >= FULL_AFTER_FAILURES ? lastAt : 0;
	const overrunAt = count > maxBacklog ? notedAt : 0;
	return Math.max(0, Math.max(refusedAt, overrunAt) + FULL_MS - now);
}
