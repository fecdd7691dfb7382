/**
 * What the queues last said of themselves: how long messages wait in them, and whether they take any more. It comes with
 * every answer to a send, so knowing it costs nothing; it lives as long as the isolate, and soon is no longer news.
 */
import { MS_PER_SECOND } from '../job/limits.ts';
import { type Lanes, type MessageQueue, queuesOf } from './lanes.ts';

/** What a queue said of its backlog is used for estimates this long. */
const BACKLOG_NEWS_MS = 30 * MS_PER_SECOND;
/** A single send fails now and then: so many in a row say that the queue takes no more. */
const FULL_AFTER_FAILURES = 3;
/** A queue that took no more, or had too long a backlog, is left alone this long; then it is tried again. */
const FULL_MS = 3 * MS_PER_SECOND;

interface Backlog {
	readonly count: number;
	/** How long the oldest message had been waiting, in milliseconds. */
	readonly ageMs: number;
	readonly notedAt: number;
}

interface Failures {
	readonly inARow: number;
	readonly lastAt: number;
}

const lastBacklog = new WeakMap<MessageQueue, Backlog>();
const lastFailures = new WeakMap<MessageQueue, Failures>();

/** A queue answered; `metrics` is what it said of its backlog, if it did. */
export function noteAnswer(queue: MessageQueue, metrics: QueueMetrics | undefined, now: number): void {
	const { backlogCount: count = 0, oldestMessageTimestamp } = metrics ?? {};
	const oldestAt = count > 0 ? oldestMessageTimestamp?.getTime() : undefined;
	lastFailures.delete(queue);
	lastBacklog.set(queue, { count, ageMs: oldestAt === undefined ? 0 : Math.max(0, now - oldestAt), notedAt: now });
}

/** A queue refused a message, or didn't answer. */
export function noteFailure(queue: MessageQueue, now: number): void {
	lastFailures.set(queue, { inARow: (lastFailures.get(queue)?.inARow ?? 0) + 1, lastAt: now });
}

/** How long the oldest message of a lane has been waiting, in milliseconds, as far as this isolate has heard lately. */
export function backlogMs(lanes: Lanes, lane: string, now: number): number {
	const news = queuesOf(lanes, lane)
		.map((queue) => lastBacklog.get(queue))
		.filter((said) => said !== undefined);
	return Math.max(0, ...news.filter(({ notedAt }) => now - notedAt < BACKLOG_NEWS_MS).map(({ ageMs }) => ageMs));
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
