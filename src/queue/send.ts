/**
 * The sending end of the queues. A message is a hint: whoever sends one may fail, and the job's watchdog sends another.
 * So a send is bounded in time, and its failure is logged, never thrown.
 */
import { MS_PER_SECOND } from '../job/limits.ts';
import type { DeliveryMessage, JobMessage } from '../job/message.ts';
import { logError } from '../log.ts';
import { type Lanes, type MessageQueue, queuesOf, WEBHOOKS_LANE } from './lanes.ts';
import { noteAnswer, noteFailure } from './pressure.ts';

/** A send has been seen to hang for a minute: after this long it is somebody else's turn to try. */
const SEND_TIMEOUT_MS = 10 * MS_PER_SECOND;

/** In each lane turns go round, so that a slow job keeps the next one waiting only when every queue of the lane has one. */
const turns = new Map<string, number>();

/** Sends a job's message. Resolves when it is sent or given up; never rejects. */
export function sendJob(lanes: Lanes, lane: string, message: JobMessage, delaySeconds = 0): Promise<void> {
	return send(lanes, lane, message, delaySeconds);
}

/** Sends for a webhook's receiver to be told. Resolves when it is sent or given up; never rejects. */
export function sendDelivery(lanes: Lanes, message: DeliveryMessage): Promise<void> {
	return send(lanes, WEBHOOKS_LANE, message, 0);
}

async function send(
	lanes: Lanes,
	lane: string,
	message: JobMessage | DeliveryMessage,
	delaySeconds: number,
): Promise<void> {
	const queue = nextQueue(lanes, lane);
	if (!queue) return logError('send failed', { job: message.id, lane, error: 'the lane has no queue' });
	try {
		const { metadata } = await within(SEND_TIMEOUT_MS, queue.send(message, { contentType: 'json', delaySeconds }));
		noteAnswer(queue, metadata?.metrics, Date.now());
	} catch (error) {
		noteFailure(queue, Date.now());
		logError('send failed', { job: message.id, lane, error });
	}
}

function nextQueue(lanes: Lanes, lane: string): MessageQueue | undefined {
	const queues = queuesOf(lanes, lane);
	const turn = turns.get(lane) ?? Math.floor(Math.random() * queues.length);
	turns.set(lane, turn + 1);
	return queues[turn % queues.length];
}

/** When the oldest message in a lane's queues was sent; `undefined` when they are empty or don't say. */
export async function backlogSince(lanes: Lanes, lane: string): Promise<number | undefined> {
	const oldest = await Promise.all(queuesOf(lanes, lane).map(oldestIn));
	const known = oldest.filter((at) => at !== undefined);
	return known.length > 0 ? Math.min(...known) : undefined;
}

async function oldestIn(queue: MessageQueue): Promise<number | undefined> {
	try {
		const metrics = await within(SEND_TIMEOUT_MS, queue.metrics());
		noteAnswer(queue, metrics, Date.now());
		return metrics.backlogCount > 0 ? metrics.oldestMessageTimestamp?.getTime() : undefined;
	} catch (error) {
		logError('queue metrics failed', { error });
		return undefined;
	}
}

async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
	const { promise: timeout, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}
