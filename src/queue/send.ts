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

/** The platform takes so many messages at once. */
export const MAX_SENT_AT_ONCE = 100;

/** A job's message, on its way. */
export interface Sending {
	readonly message: JobMessage;
	readonly delaySeconds: number;
}

/** Sends the messages of many jobs of one lane, many to a call. Resolves when each is sent or given up; never rejects. */
export async function sendJobs(lanes: Lanes, lane: string, sendings: readonly Sending[]): Promise<void> {
	const calls = Array.from({ length: Math.ceil(sendings.length / MAX_SENT_AT_ONCE) }, (_, call) =>
		sendings.slice(call * MAX_SENT_AT_ONCE, (call + 1) * MAX_SENT_AT_ONCE),
	);
	await Promise.all(
		calls.map((some) =>
			handOver(lanes, lane, some[0]?.message.id ?? '', (queue) =>
				queue.sendBatch(
					some.map(({ message, delaySeconds }) => ({ body: message, contentType: 'json', delaySeconds })),
				),
			),
		),
	);
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
	await handOver(lanes, lane, message.id, (queue) => queue.send(message, { contentType: 'json', delaySeconds }));
}

/** @param job the one that a failure is logged for. */
async function handOver(
	lanes: Lanes,
	lane: string,
	job: string,
	give: (queue: MessageQueue) => Promise<QueueSendResponse | QueueSendBatchResponse>,
): Promise<void> {
	const queue = nextQueue(lanes, lane);
	if (!queue) return logError('send failed', { job, lane, error: 'the lane has no queue' });
	try {
		const { metadata } = await within(SEND_TIMEOUT_MS, give(queue));
		noteAnswer(queue, metadata?.metrics, Date.now());
	} catch (error) {
		noteFailure(queue, Date.now());
		logError('send failed', { job, lane, error });
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
