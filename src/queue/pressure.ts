/**
 * What this isolate knows about the queues: whether they accept messages, and how long messages wait. Each response to a
 * send has the first, and jobs that are started or read have the second, so neither costs a call. Both expire soon.
 */
import { MS_PER_SECOND } from '../core/job/limits.ts';
import { type Lanes, type MessageQueue, queuesOf } from './lanes.ts';

/** How long an observed wait is used for estimates. */
const WAIT_NEWS_MS = 30 * MS_PER_SECOND;
/** The weight of the newest job in the average wait. */
const NEWEST_SHARE = 0.2;
/** Number of failed sends in a row after which a queue counts as full. A single send can fail at any time. */
const FULL_AFTER_FAILURES = 3;
/** How long a full queue, or one with too long a backlog, is avoided before it is tried again. */
const FULL_MS = 3 * MS_PER_SECOND;

/**
 * In production, the count includes messages that are being handled, and delayed ones. It therefore bounds how much a
 * queue stores. It doesn't show how long messages wait, and neither does the age of the oldest message.
 */
interface Backlog {
	readonly count: number;
	readonly notedAt: number;
}

interface Failures {
	readonly inARow: number;
	readonly lastAt: number;
}

/** A started job that a client has read. */
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
/** Jobs whose wait was recorded when a client read them, so that a job that is polled often counts once. */
const noted = new Set<string>();
const MAX_NOTED = 1_000;

/** Records a queue's response. `metrics` describes its backlog, if the response has it. */
export function noteAnswer(queue: MessageQueue, metrics: QueueMetrics | undefined, now: number): void {
	lastFailures.delete(queue);
	lastBacklog.set(queue, { count: metrics?.backlogCount ?? 0, notedAt: now });
}

/** Records that a queue rejected a message, or didn't respond. */
export function noteFailure(queue: MessageQueue, now: number): void {
	lastFailures.set(queue, { inARow: (lastFailures.get(queue)?.inARow ?? 0) + 1, lastAt: now });
}

/** Records the wait of a job of this lane, from the moment when it might start to its start. */
export function noteWait(lane: string, waitedMs: number, now: number): void {
	const before = waits.get(lane);
	const isNews = before !== undefined && now - before.notedAt < WAIT_NEWS_MS;
	const ms = isNews ? before.ms + (waitedMs - before.ms) * NEWEST_SHARE : waitedMs;
	waits.set(lane, { ms, notedAt: now });
}

/** Records the wait of a job that a client read, once and only while it is recent. */
export function noteJobWait({ id, lane, waitedMs, startedAt }: StartedJob, now: number): void {
	if (now - startedAt > WAIT_NEWS_MS || noted.has(id)) return;
	if (noted.size >= MAX_NOTED) noted.clear();
	noted.add(id);
	noteWait(lane, waitedMs, now);
}

/** Typical wait of a lane's jobs before they start, in milliseconds, as this isolate observed it recently. */
export function usualWaitMs(lane: string, now: number): number {
	const { ms = 0, notedAt = 0 } = waits.get(lane) ?? {};
	return now - notedAt < WAIT_NEWS_MS ? ms : 0;
}

/** The limit of a lane's queues. */
export interface LaneLimit {
	readonly lanes: Lanes;
	readonly lane: string;
	/** Maximum number of messages in a queue. */
	readonly maxBacklog: number;
}

/** Time until a lane accepts jobs again, in milliseconds; 0 when at least one of its queues accepts them now. */
export function fullForMs({ lanes, lane, maxBacklog }: LaneLimit, now: number): number {
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
